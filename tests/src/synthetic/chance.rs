//! A small source of pseudo-random numbers (splitmix64), so that a seed always gives the same
//! records.
//!
//! **Invariant:** never used for noise or keys, only for synthetic records.

use time::{Date, Duration};

/// The state of the generator.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// Starts from a seed and the name of what is generated, so that two municipalities with one
    /// seed differ.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        let mixed = name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `end - 1`; the slight preference for low numbers does not matter here.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        let rest = self.next() % u64::from(end.max(1));
        u32::try_from(rest).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True `percent` times in a hundred.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of the codes, each as often as its weight says; `unknown` for an empty list.
    pub(super) fn code(&mut self, weighted: &[(&'static str, u32)]) -> &'static str {
        let total = weighted.iter().map(|(_, weight)| weight).sum();
        let mut left = self.below(total);
        for (code, weight) in weighted {
            if left < *weight {
                return code;
            }
            left -= weight;
        }
        "unknown"
    }

    /// A day from `low` to `high` days after `start`.
    pub(super) fn days_after(&mut self, start: Date, low: u32, high: u32) -> Date {
        start + Duration::days(i64::from(self.between(low, high)))
    }
}
