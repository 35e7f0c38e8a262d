//! Cells at either end of a line, found sixteen bytes at once.
//!
//! **Invariant:** a cell is given as it would be found byte by byte, or not at all.

/// How long the first cell of a line is, if it has up to 15 bytes and all that can be read is enough to
/// tell; it may end behind the line.
pub(super) fn first_cell(from: &[u8], delimiter: u8) -> Option<usize> {
    let found = places_of(delimiter, u128::from_le_bytes(*from.first_chunk::<16>()?));
    (found != 0).then(|| usize::try_from(found.trailing_zeros() >> 3).ok())?
}

/// A number in a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) value: u32,
}

/// The number in the cell of a line behind which there are so many delimiters, if it and the one before
/// it lie in the last 16 bytes.
#[inline]
pub(super) fn number_in(text: &[u8], delimiter: u8, behind: usize) -> Option<Number> {
    let last = text.last_chunk::<16>()?;
    let bytes = u128::from_le_bytes(*last);
    let mut found = places_of(delimiter, bytes);
    let mut end = last.len();
    for _ in 0..behind {
        let zeros = found.leading_zeros();
        found &= !(1_u128 << 127).checked_shr(zeros)?;
        end = place_after(zeros)?;
    }
    let start = place_after(found.leading_zeros())?.saturating_add(1);
    let value = match end.checked_sub(start)? {
        0 => return None,
        length @ 1..=DIGITS => u32::try_from(number_before(bytes, end, undigits(length)?)?).ok()?,
        _ => number(last.get(start..end)?)?,
    };
    let before = text.len().saturating_sub(last.len());
    Some(Number { start: before.saturating_add(start), end: before.saturating_add(end), value })
}

/// The byte of sixteen after which there are so many zeros.
fn place_after(zeros: u32) -> Option<usize> {
    usize::try_from(15_u32.checked_sub(zeros >> 3)?).ok()
}

/// The number that up to nine digits are.
pub(super) fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| number.wrapping_mul(10).wrapping_add(digit.into()))
    })
}

/// Digits that are read at once.
pub(super) const DIGITS: usize = 8;
/// Eight times the digit zero.
const ZEROS: u64 = u64::from_le_bytes([b'0'; DIGITS]);

/// Of the eight bytes with which a text ends, the bits of those before its so many last.
#[inline]
pub(super) fn undigits(digits: usize) -> Option<u64> {
    Some(u64::MAX.checked_shr(bits_of(digits)?).unwrap_or(0))
}

/// The number that the digits before the place `end` in sixteen bytes are, without those of the eight
/// before it that are none.
#[inline]
pub(super) fn number_before(bytes: u128, end: usize, undigits: u64) -> Option<u64> {
    let behind = 16_usize.checked_sub(end)?;
    let last = u64::try_from(bytes.checked_shl(bits_of(behind)?)? >> 64).ok()?;
    number_of(last & !undigits | ZEROS & undigits)
}

/// The number that eight digits are, of which the first is the lowest byte.
#[inline]
fn number_of(digits: u64) -> Option<u64> {
    const HIGH_HALVES: u64 = u64::from_le_bytes([0xF0; DIGITS]);
    const SIXES: u64 = u64::from_le_bytes([0x06; DIGITS]);
    // The digits are those bytes whose high half is a three, also when six is added.
    let is_plain = |bytes: u64| bytes & HIGH_HALVES == ZEROS;
    if !is_plain(digits) || !is_plain(digits.wrapping_add(SIXES)) {
        return None;
    }
    // Two digits become one number, then four, then eight.
    let ones = digits ^ ZEROS;
    let twos = ones.wrapping_mul(10).wrapping_add(ones >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = twos.wrapping_mul(100).wrapping_add(twos >> 16) & 0x0000_FFFF_0000_FFFF;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF)
}

/// The bits of so many bytes.
#[inline]
pub(super) fn bits_of(bytes: usize) -> Option<u32> {
    u32::try_from(bytes.checked_mul(8)?).ok()
}

/// Ones in the high bit of each byte that is this one.
fn places_of(byte: u8, bytes: u128) -> u128 {
    const LOW: u128 = u128::from_le_bytes([0x7F; 16]);
    // A byte that is not zero has its high bit set, or gets one from a sum that stays within it.
    let zero = bytes ^ u128::from_le_bytes([byte; 16]);
    !((zero & LOW).wrapping_add(LOW) | zero | LOW)
}

#[cfg(test)]
mod tests;
