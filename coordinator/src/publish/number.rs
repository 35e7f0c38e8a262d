//! Real numbers as they are published: fixed point with six decimals.
//!
//! **Invariant:** a published real number is an integer number of millionths, so that writing it,
//! reading it and comparing it are exact on every machine. The logarithms and sines behind a figure
//! may differ in their last bit between machines; six decimals leave that out.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Millionths below which a double holds every integer: beyond it a figure would say nothing.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// A real number in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed(i64);

impl Fixed {
    /// The nearest number of millionths; `None` for what is not finite or is beyond 9 thousand
    /// million.
    #[must_use]
    pub fn nearest(value: f64) -> Option<Self> {
        let micro = (value * 1e6).round();
        #[expect(clippy::cast_possible_truncation, reason = "below 2^53, checked here")]
        let fixed = (micro.abs() < LARGEST).then_some(Self(micro as i64));
        fixed
    }

    /// The least number of millionths that is not below; `None` as for [`Self::nearest`].
    #[must_use]
    pub fn at_least(value: f64) -> Option<Self> {
        Self::nearest((value * 1e6).ceil() / 1e6)
    }

    /// A whole number; `None` for what is beyond 9 thousand million.
    #[must_use]
    pub fn whole(value: i64) -> Option<Self> {
        Self::nearest(real(value))
    }

    /// The number as a double.
    #[must_use]
    pub fn value(self) -> f64 {
        real(self.0) / 1e6
    }

    /// The number of millionths.
    #[must_use]
    pub fn micro(self) -> i64 {
        self.0
    }

    /// This number, or the nearest one of 0 to 1.
    #[must_use]
    pub fn within_unit(self) -> Self {
        Self(self.0.clamp(0, 1_000_000))
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

impl Serialize for Fixed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

impl<'de> Deserialize<'de> for Fixed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::nearest(value).ok_or_else(|| de::Error::custom("a number beyond every figure"))
    }
}

/// An integer as a double; exact below 2^53, which every plausible count is.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn real(value: i64) -> f64 {
    value as f64
}

/// A size as a double.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
pub(super) fn real_of(size: usize) -> f64 {
    size as f64
}
