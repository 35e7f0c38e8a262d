//! A shuffle that is computed and not stored: the place of each number in a range, from a seed.
//!
//! **Invariant:** no two numbers have one place.

use crate::synthetic::chance::Chance;

/// A one-to-one map of `0..end` onto itself.
#[derive(Debug, Clone)]
pub(super) struct Shuffle {
    end: u64,
    /// One less than a power of two, not below `end - 1`.
    mask: u64,
    half: u32,
    rounds: [(u64, u64); 3],
}

impl Shuffle {
    /// A shuffle of `0..end`; `end` is at least 1.
    pub(super) fn new(seed: u64, end: u64) -> Self {
        let bits = u64::BITS - end.max(4).saturating_sub(1).leading_zeros();
        let mut chance = Chance::new(seed, "shuffle");
        let mut number =
            || u64::from(chance.below(u32::MAX)) << 32 | u64::from(chance.below(u32::MAX));
        // Times an odd number, plus a number, and folded onto itself: each can be undone.
        let rounds = [(); 3].map(|()| (number() | 1, number()));
        Self { end, mask: u64::MAX >> (u64::BITS - bits), half: bits.div_ceil(2), rounds }
    }

    /// The place of a number below `end`.
    pub(super) fn place(&self, number: u64) -> u64 {
        let mut place = number;
        loop {
            for (times, plus) in self.rounds {
                place = place.wrapping_mul(times).wrapping_add(plus) & self.mask;
                place ^= place >> self.half;
            }
            // A place outside is moved on; it comes back inside before the number's own start.
            if place < self.end {
                return place;
            }
        }
    }
}
