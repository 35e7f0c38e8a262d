//! The exact law of the sum of independent discrete Gaussian and discrete Laplace noises.
//!
//! Each noise is an integer with a known characteristic function. That of a sum of independent
//! noises is the product, and `P(|N| <= w)` follows from it by the inverse discrete Fourier
//! transform on a circle of `M` integers, `M` so long that what wraps around is below 1e-13:
//! `P(|N| <= w) = (1/M) sum_j phi(2 pi j / M) D_w(2 pi j / M)`, with Dirichlet's kernel
//! `D_w(t) = sin((w + 1/2) t) / sin(t / 2)`.
//!
//! Sources: Canonne, Kamath and Steinke 2020 (the discrete Gaussian, and its characteristic function
//! by Poisson summation); Inusah and Kozubowski 2006 (the discrete Laplace).
//!
//! **Invariant:** an interval never covers less than its level under the declared noise.

use super::number::{real, real_of};
use std::f64::consts::{LN_2, PI, TAU};

/// Standard deviation of a sum beyond which the grid is coarsened by an integer factor.
pub(super) const FINE: f64 = 2_048.0;
/// Characteristic functions below this add nothing to a double.
pub(super) const NEGLIGIBLE: f64 = 1e-19;

/// The noise of one node in one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noise {
    /// Mass proportional to `exp(-x^2 / (2 sigma^2))`.
    DiscreteGaussian {
        /// The scale, above 0.
        sigma: f64,
    },
    /// Mass proportional to `exp(-|x| / b)`.
    DiscreteLaplace {
        /// The scale, above 0.
        b: f64,
    },
}

impl Noise {
    /// The variance, exact to a double's precision.
    #[must_use]
    pub fn variance(self) -> f64 {
        match self {
            // By Poisson summation the two differ by less than exp(-19 sigma^2) sigma^4.
            Self::DiscreteGaussian { sigma } if sigma > 3.0 => sigma * sigma,
            Self::DiscreteGaussian { sigma } => {
                let mass = |x: f64| (-x * x / (2.0 * sigma * sigma)).exp();
                let up_to = (1..=40).map(f64::from);
                let total = 1.0 + 2.0 * up_to.clone().map(mass).sum::<f64>();
                2.0 * up_to.map(|x| x * x * mass(x)).sum::<f64>() / total
            }
            Self::DiscreteLaplace { b } => {
                let q = (-1.0 / b).exp();
                let gap = -(-1.0 / b).exp_m1();
                2.0 * q / (gap * gap)
            }
        }
    }

    /// The characteristic function at `t` in 0 to pi; real, positive and falling.
    pub(super) fn characteristic(self, t: f64) -> f64 {
        match self {
            Self::DiscreteGaussian { sigma } if sigma < 0.5 => {
                let mass = |x: f64| (-x * x / (2.0 * sigma * sigma)).exp();
                let up_to = (1..=8).map(f64::from);
                let total = 1.0 + 2.0 * up_to.clone().map(mass).sum::<f64>();
                (1.0 + 2.0 * up_to.map(|x| mass(x) * (t * x).cos()).sum::<f64>()) / total
            }
            Self::DiscreteGaussian { sigma } => {
                let bell = |t: f64| (-t * t * sigma * sigma / 2.0).exp();
                let turns = (-3..=3).map(|turn| TAU * f64::from(turn));
                turns.clone().map(|turn| bell(t + turn)).sum::<f64>() / turns.map(bell).sum::<f64>()
            }
            Self::DiscreteLaplace { b } => {
                let q = (-1.0 / b).exp();
                let gap = -(-1.0 / b).exp_m1();
                // 1 - 2 q cos t + q^2 = (1 - q)^2 + 4 q sin^2(t / 2), without cancellation.
                let half = (t / 2.0).sin();
                gap * gap / (gap * gap + 4.0 * q * half * half)
            }
        }
    }

    /// Whether the characteristic function of so many is negligible at `t` in 0 to pi, told without
    /// computing it: that of a bell is at most `2 exp(-t^2 sigma^2 / 2)`. `false` if this cannot tell.
    pub(super) fn vanishes(self, t: f64, count: f64) -> bool {
        match self {
            Self::DiscreteGaussian { sigma } => {
                count * (LN_2 - t * t * sigma * sigma / 2.0) < NEGLIGIBLE.ln()
            }
            Self::DiscreteLaplace { .. } => false,
        }
    }

    fn coarser(self, factor: f64) -> Self {
        match self {
            Self::DiscreteGaussian { sigma } => Self::DiscreteGaussian { sigma: sigma / factor },
            Self::DiscreteLaplace { b } => Self::DiscreteLaplace { b: b / factor },
        }
    }

    /// What is added to a circle's length for tails that fall slower than a bell's.
    pub(super) fn tail(self) -> f64 {
        match self {
            Self::DiscreteGaussian { .. } => 0.0,
            Self::DiscreteLaplace { b } => 40.0 * b,
        }
    }
}

/// The law of a sum of independent noises; symmetric about 0.
#[derive(Debug, Clone)]
pub struct NoiseLaw {
    variance: f64,
    /// One grid step in counts: 1, or a power of two for very wide noise.
    step: i64,
    /// Length of the circle.
    length: f64,
    /// `(t, phi(t))` at the frequencies above 0 and up to pi that matter.
    spectrum: Vec<(f64, f64)>,
}

impl NoiseLaw {
    /// The law of the sum of `count` noises of each kind.
    ///
    /// Beyond a standard deviation of 2,048 the grid is coarsened to steps of a power of two: the
    /// sum is then as good as continuous, and [`Self::half_width`] is rounded up to a whole step.
    #[must_use]
    pub fn of(parts: &[(Noise, usize)]) -> Self {
        let variance = sum(parts.iter().map(|(noise, count)| noise.variance() * real_of(*count)));
        let mut step = 1_i64;
        while variance.sqrt() > FINE * real(step) && step < 1 << 60 {
            step *= 2;
        }
        let parts: Vec<_> = parts
            .iter()
            .map(|(noise, count)| (noise.coarser(real(step)), real_of(*count)))
            .collect();
        let deviation = variance.sqrt() / real(step);
        let tail = parts.iter().map(|(noise, _)| noise.tail()).fold(0.0, f64::max);
        let length = (2.0 * (10.0 * deviation + tail) + 32.0).ceil();
        let mut spectrum = Vec::new();
        let mut index = 1.0_f64;
        while index <= length / 2.0 {
            let t = TAU * index / length;
            let log = sum(parts.iter().map(|(noise, count)| count * noise.characteristic(t).ln()));
            if log < NEGLIGIBLE.ln() {
                break;
            }
            // The frequency pi has no mirror image on the circle.
            let weight = if (t - PI).abs() < 1e-12 { 0.5 } else { 1.0 };
            spectrum.push((t, weight * log.exp()));
            index += 1.0;
        }
        Self { variance, step, length, spectrum }
    }

    /// The variance.
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
        self.within_steps(w / self.step)
    }

    fn within_steps(&self, steps: i64) -> f64 {
        let reach = real(steps) + 0.5;
        if 2.0 * reach >= self.length {
            return 1.0;
        }
        let kernel = |(t, phi): &(f64, f64)| 2.0 * phi * (reach * t).sin() / (t / 2.0).sin();
        ((2.0 * reach + sum(self.spectrum.iter().map(kernel))) / self.length).min(1.0)
    }

    /// The smallest `w` (rounded up to a whole step for very wide noise) with
    /// `P(|N| <= w) >= level`: a count's interval is its noisy value less and plus `w`.
    #[must_use]
    pub fn half_width(&self, level: f64) -> i64 {
        let (mut low, mut high) = (0_i64, 1_i64);
        while self.within_steps(high) < level && high < 1 << 40 {
            high *= 2;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.within_steps(middle) < level { low = middle + 1 } else { high = middle }
        }
        let rounded_up = if self.step == 1 { low } else { low.saturating_add(1) };
        rounded_up.saturating_mul(self.step)
    }
}

fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |total, value| total + value)
}

#[cfg(test)]
mod tests;
