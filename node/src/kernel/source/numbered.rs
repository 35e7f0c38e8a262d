//! Identifiers that are running numbers behind one prefix, as `4601-0001234`: the place of each is found by
//! the number itself, in a list that is small enough to stay near the processor.
//!
//! **Invariant:** a text is taken only if it is as long as every identifier, starts with their prefix and
//! ends with digits: so no two texts have one number.

use std::ops::RangeInclusive;

/// How long identifiers may be, in bytes.
const LENGTHS: RangeInclusive<usize> = 1..=16;
/// Digits that are read at once.
const DIGITS: usize = 8;
/// Numbers in the list for each identifier, at the most: with more gaps it would not be small.
const NUMBERS_EACH: usize = 4;
/// What stands in the list for a number that nobody has.
const NOBODY: u32 = u32::MAX;
/// Eight times the digit zero.
const ZEROS: u64 = u64::from_le_bytes([b'0'; DIGITS]);

/// The places of such identifiers.
pub(super) struct Numbered {
    length: usize,
    /// The first bytes of an identifier with zeros in the place of its digits, and which bits they are.
    prefix: (u128, u128),
    /// Bits of the last eight bytes that are no digits.
    undigits: u64,
    first: u64,
    places: Vec<u32>,
}

impl Numbered {
    /// The places of these identifiers, in the order in which they come; `None` if they are no running
    /// numbers.
    pub(super) fn of<'t>(ids: impl Iterator<Item = &'t [u8]> + Clone) -> Option<Self> {
        let first = ids.clone().next()?;
        let length = Some(first.len()).filter(|length| LENGTHS.contains(length))?;
        let digits = ids.clone().map(digits_behind).min()?.min(DIGITS);
        let prefix = first.get(..length.checked_sub(digits)?)?;
        let is_alike = |id: &[u8]| id.len() == length && id.starts_with(prefix);
        // In another encoding the bytes of one prefix may be those of another.
        if digits == 0 || !prefix.is_ascii() || !ids.clone().all(is_alike) {
            return None;
        }
        let bits = |bytes: usize| u128::MAX.checked_shr(128_u32.checked_sub(bits_of(bytes)?)?);
        let mask = if prefix.is_empty() { 0 } else { bits(prefix.len())? };
        let undigits = u64::MAX.checked_shr(bits_of(digits)?).unwrap_or(0);
        let mut numbered = Self {
            length,
            prefix: (u128::from_le_bytes(*padded(first)?.first_chunk()?) & mask, mask),
            undigits,
            first: 0,
            places: Vec::new(),
        };
        let number = |id: &[u8]| numbered.number(&padded(id)?, length);
        let smallest = ids.clone().filter_map(number).min()?;
        let largest = ids.clone().filter_map(number).max()?;
        let span = usize::try_from(largest.checked_sub(smallest)?).ok()?.checked_add(1)?;
        if span > ids.clone().count().saturating_mul(NUMBERS_EACH) {
            return None;
        }
        numbered.first = smallest;
        numbered.places = vec![NOBODY; span];
        for (place, id) in (0_u32..).zip(ids) {
            let at = numbered.key(&padded(id)?, length)?;
            *numbered.places.get_mut(at)? = place;
        }
        Some(numbered)
    }

    /// Where in the list the text of this length is found with which `from` starts; `None` if it can be no
    /// identifier, or if `from` is shorter than what is read at once.
    #[inline]
    pub(super) fn key(&self, from: &[u8], length: usize) -> Option<usize> {
        usize::try_from(self.number(from, length)?.checked_sub(self.first)?).ok()
    }

    /// The place of the identifier that is found there.
    #[inline]
    pub(super) fn get(&self, key: usize) -> Option<u32> {
        self.places.get(key).copied().filter(|place| *place != NOBODY)
    }

    #[inline]
    fn number(&self, from: &[u8], length: usize) -> Option<u64> {
        let bytes = u128::from_le_bytes(*from.first_chunk::<16>()?);
        let (prefix, mask) = self.prefix;
        if length != self.length || bytes & mask != prefix {
            return None;
        }
        let behind = 16_usize.checked_sub(length)?;
        let last = u64::try_from(bytes.checked_shl(bits_of(behind)?)? >> 64).ok()?;
        number_of(last & !self.undigits | ZEROS & self.undigits)
    }
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

/// How many digits a text ends with.
fn digits_behind(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count()
}

fn bits_of(bytes: usize) -> Option<u32> {
    u32::try_from(bytes.checked_mul(8)?).ok()
}

/// A text with zeros behind it.
fn padded(text: &[u8]) -> Option<[u8; 16]> {
    let mut padded = [0; 16];
    padded.get_mut(..text.len())?.copy_from_slice(text);
    Some(padded)
}

#[cfg(test)]
mod tests;
