//! Pseudo-random choices (splitmix64) for drawn exports.
//!
//! **Invariant:** for tests alone.

/// The state of the generator.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `end - 1`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).expect("small")).expect("small")
    }

    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }

    /// A day within some years, as `2016-12-31`.
    pub fn day(&mut self, first: usize, last: usize) -> String {
        let year = first + self.below(last - first + 1);
        // The ends of periods are where mistakes are.
        let ends = ["06-30", "07-01", "09-30", "10-01", "12-31", "01-01"];
        if self.percent(20) {
            return format!("{year}-{}", self.one_of(&ends));
        }
        format!("{year}-{:02}-{:02}", 1 + self.below(12), 1 + self.below(28))
    }

    /// The same text for a reader that knows that case and spaces around do not matter.
    pub fn dirtied(&mut self, text: &str) -> String {
        match self.below(10) {
            0 => format!(" {text}"),
            1 => format!("{text}\u{a0} "),
            2 => text.to_uppercase(),
            3 => format!("  {}", text.to_lowercase()),
            _ => text.to_owned(),
        }
    }

    /// A text with everything that delimited text makes difficult.
    pub fn note(&mut self) -> String {
        let parts = ["\"", "\n", "\r\n", ",", ";", "|", "\t", "æøå", " ", "a", "''", "\r", ""];
        (0..self.below(8)).map(|_| *self.one_of(&parts)).collect()
    }
}
