//! Identifiers that are running numbers behind one prefix, as `4601-0001234`: the place of each is found by
//! the number itself, in a list that is small enough to stay near the processor.
//!
//! **Invariant:** a text is taken only if it is as long as every identifier, starts with their prefix and
//! ends with digits: so no two texts have one number.

use super::cells::{DIGITS, bits_of, number_before, undigits};
use std::ops::RangeInclusive;

/// How long identifiers may be, in bytes.
const LENGTHS: RangeInclusive<usize> = 1..=16;
/// Numbers in the list for each identifier, at the most: with more gaps it would not be small.
const NUMBERS_EACH: usize = 4;
/// What stands in the list for a number that nobody has.
const NOBODY: u32 = u32::MAX;

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
        let undigits = undigits(digits)?;
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
        number_before(bytes, length, self.undigits)
    }
}

/// How many digits a text ends with.
fn digits_behind(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count()
}

/// A text with zeros behind it.
fn padded(text: &[u8]) -> Option<[u8; 16]> {
    let mut padded = [0; 16];
    padded.get_mut(..text.len())?.copy_from_slice(text);
    Some(padded)
}

#[cfg(test)]
mod tests;
