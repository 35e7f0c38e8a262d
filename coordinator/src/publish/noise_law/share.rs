//! The law of a published figure whose noise came in shares: `round(Z / S)`, with Z the sum of the
//! shares that were opened and S the odd factor that counts were scaled by.
//!
//! `2 w + 1` whole units are `(2 w + 1) S` scaled ones, so `P(|N| <= w) = P(|Z| <= w S + (S - 1) / 2)`.
//!
//! **Invariant:** an opened sum is rounded to the nearest whole unit, and never ties.

use super::{Noise, NoiseLaw, real};
use fellestall_shared::secure::noise::{Share, ShareNoise};

/// Standard deviations, in whole units, from which on the part that is rounded off is uniform to a
/// double's precision.
const UNIFORM: f64 = 4.0;

/// The law of the noise in the rounded sum of shares; symmetric about 0.
#[derive(Debug, Clone)]
pub struct ShareLaw {
    /// The sum of the shares, in scaled units.
    pub(super) scaled: NoiseLaw,
    pub(super) factor: i64,
    variance: f64,
}

impl ShareLaw {
    /// The law in a sum of `reports` reports of a table.
    #[must_use]
    pub fn of(noise: &ShareNoise, reports: u32) -> Self {
        let reports = f64::from(reports);
        let part = match noise.share() {
            Share::DiscreteGaussian { sigma } => (Noise::DiscreteGaussian { sigma }, reports),
            Share::Polya { epsilon, l1, parts } => {
                let b = f64::from(l1) / epsilon.value();
                (Noise::DiscreteLaplace { b }, reports / f64::from(parts))
            }
        };
        // Never coarsened: a coarse grid could not tell where a whole unit ends.
        let scaled = NoiseLaw::summed(vec![part], f64::INFINITY);
        let factor = i64::from(noise.factor());
        let mut law = Self { scaled, factor, variance: 0.0 };
        law.variance = law.rounded_variance();
        law
    }

    /// A sum of scaled values in whole units: what is published.
    #[must_use]
    pub fn count(&self, opened: i64) -> i64 {
        nearest(opened, self.factor)
    }

    /// The variance of the rounded figure's noise.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// The standard deviation.
    #[must_use]
    pub fn standard_deviation(&self) -> f64 {
        self.variance.sqrt()
    }

    /// `P(|N| <= w)`.
    #[must_use]
    pub fn within(&self, w: i64) -> f64 {
        if w < 0 {
            return 0.0;
        }
        let half = (self.factor - 1) / 2;
        self.scaled.within(w.saturating_mul(self.factor).saturating_add(half))
    }

    /// The smallest `w` with `P(|N| <= w) >= level`.
    #[must_use]
    pub fn half_width(&self, level: f64) -> i64 {
        smallest(|w| self.within(w) >= level)
    }

    fn rounded_variance(&self) -> f64 {
        let (factor, scaled) = (real(self.factor), self.scaled.variance());
        if self.factor == 1 || scaled.sqrt() > UNIFORM * factor {
            // Z = S N + R, with R uniform on S integers about 0 and without correlation to Z.
            return (scaled + (factor * factor - 1.0) / 12.0) / (factor * factor);
        }
        sum_of_squares(|w| self.within(w))
    }
}

/// `value / of`, rounded to the nearest integer, for an odd `of`.
pub(super) fn nearest(value: i64, of: i64) -> i64 {
    let half = (of - 1) / 2;
    value.saturating_add(half).div_euclid(of)
}

/// The smallest `w` from 0 on for which a property holds that stays once it holds.
pub(super) fn smallest(holds: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (0_i64, 1_i64);
    while !holds(high) && high < 1 << 40 {
        high *= 2;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// The variance of an integer that is symmetric about 0, from `P(|N| <= w)`: the sum of
/// `(2 w + 1) P(|N| > w)`.
pub(super) fn sum_of_squares(within: impl Fn(i64) -> f64) -> f64 {
    let beyond = (0..1_i64 << 20).map(|w| (w, 1.0 - within(w)));
    let terms = beyond.take_while(|(_, beyond)| *beyond > 1e-12);
    terms.fold(0.0, |sum, (w, beyond)| sum + (2.0 * real(w) + 1.0) * beyond)
}
