//! The exact law of a rounded weighted sum of independent noises, and of sums of such figures.
//!
//! With `X = sum a_i N_i` and `Y` the nearest integer, `phi_Y(t) = sum_k phi_X(t + 2 pi k) B(t + 2 pi k)`
//! by Poisson summation, where `B` is the characteristic function of the rounding: `sin(t/2) / (t/2)`
//! for a uniform error, and `sin(t/2) / (S sin(t/(2S)))` for a sum of `1/S`, where `S` is odd. A sum of
//! cells has the product, and its intervals follow as in [`super::noise_law`].
//!
//! **Invariant:** an interval never covers less than its level under the declared noise.

use super::combine::LEVEL;
use super::noise_law::{FINE, NEGLIGIBLE, Noise};
use super::number::{real, real_of};
use std::f64::consts::{PI, TAU};

/// Deviations within which everything lies.
const REACH: f64 = 10.0;
/// Deviations of a normal law beyond which less than 2.5 % lie.
const NORMAL: f64 = 1.959_963_984_540_054;
/// From this deviation on, the error of rounding is uniform to one part in 10^30.
const SMOOTH: f64 = 2.0;

/// Turns among which the grids of two noises may meet.
const MEETING: i64 = 100;
/// What is left out of the law of a mean of two noises is below this.
const LEFT_OUT: f64 = 1e-3;

/// How a figure was rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rounding {
    /// From a multiple of one over this odd number.
    Parts(u32),
    /// From any number.
    Once,
    /// The difference of two that were rounded.
    Twice,
}

/// So many independent noises of one law, each multiplied by the same number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The law of one.
    pub noise: Noise,
    /// How many; a fraction for laws that can be divided.
    pub count: f64,
    /// The number that each is multiplied by.
    pub scale: f64,
}

/// The noise of one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// What is summed.
    pub parts: Vec<Part>,
    /// How the sum was rounded.
    pub rounding: Rounding,
}

impl Rounding {
    /// The characteristic function of the error.
    fn characteristic(self, t: f64) -> f64 {
        let half = t / 2.0;
        if half.abs() < 1e-9 {
            return 1.0;
        }
        match self {
            Self::Parts(parts) => {
                let parts = f64::from(parts);
                half.sin() / (parts * (half / parts).sin())
            }
            Self::Once => half.sin() / half,
            Self::Twice => (half.sin() / half).powi(2),
        }
    }

    fn variance(self) -> f64 {
        match self {
            Self::Parts(parts) => (1.0 - f64::from(parts).powi(-2)) / 12.0,
            Self::Once => 1.0 / 12.0,
            Self::Twice => 1.0 / 6.0,
        }
    }
}

impl Mixture {
    /// The variance before rounding.
    #[must_use]
    pub fn smooth_variance(&self) -> f64 {
        let of = |part: &Part| part.scale * part.scale * part.count * part.noise.variance();
        self.parts.iter().map(of).fold(0.0, |sum, variance| sum + variance)
    }

    /// The variance of the rounded figure.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let smooth = self.smooth_variance();
        if smooth.sqrt() >= SMOOTH {
            return smooth + self.rounding.variance();
        }
        // E Y^2 is the sum of (2 w + 1) P(|Y| > w).
        let law = Inverse::of(&[(self, 1)]);
        let mut variance = 0.0;
        for w in 0_i32.. {
            let beyond = 1.0 - law.within(f64::from(w));
            if beyond < 1e-12 || f64::from(w) > law.length {
                break;
            }
            variance += f64::from(2 * w + 1) * beyond;
        }
        variance
    }

    /// How far the 95 % interval of a sum reaches to both sides, over so many independent figures of
    /// each law.
    #[must_use]
    pub fn half_width(figures: &[(&Self, usize)]) -> i64 {
        let variance: f64 =
            figures.iter().map(|(figure, count)| figure.variance() * real_of(*count)).sum();
        if variance.sqrt() > FINE {
            return whole((NORMAL * variance.sqrt()).ceil() + 1.0);
        }
        let law = Inverse::of(figures);
        let is_exact = |(figure, _): &(&Self, usize)| matches!(figure.rounding, Rounding::Parts(_));
        let level = if figures.iter().all(is_exact) { LEVEL } else { LEVEL + LEFT_OUT };
        let (mut low, mut high) = (0_i64, whole(law.length));
        while low < high {
            let middle = low + (high - low) / 2;
            if law.within(real(middle)) < level { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The characteristic function of the rounded figure.
    fn characteristic(&self, t: f64, turns: i32) -> f64 {
        let at = |turn: i32| {
            let t = t + TAU * f64::from(turn);
            let log = self.parts.iter().map(|part| {
                part.count * part.noise.characteristic(folded(part.scale * t)).max(1e-300).ln()
            });
            log.fold(0.0, |sum, log| sum + log).exp() * self.rounding.characteristic(t)
        };
        (-turns..=turns).map(at).fold(0.0, |sum, term| sum + term)
    }

    /// Turns beyond which the characteristic function adds nothing.
    fn turns(&self) -> i32 {
        let enough = whole((REACH / self.smooth_variance().sqrt().max(0.01) / TAU).ceil() + 1.0);
        let turns = match self.rounding {
            Rounding::Parts(parts) => enough.min(i64::from(parts / 2)),
            // Where the grids of two noises nearly meet, their mean has a coarse grid of its own.
            Rounding::Once | Rounding::Twice => enough.max(MEETING),
        };
        i32::try_from(turns).unwrap_or(i32::MAX)
    }
}

/// A law by its characteristic function on a circle of integers.
struct Inverse {
    length: f64,
    spectrum: Vec<(f64, f64)>,
}

impl Inverse {
    fn of(figures: &[(&Mixture, usize)]) -> Self {
        let (mut variance, mut tail) = (0.0, 0.0_f64);
        for (figure, count) in figures {
            variance += (figure.smooth_variance() + figure.rounding.variance()) * real_of(*count);
            let tails = figure.parts.iter().map(|part| part.noise.tail() * part.scale.abs());
            tail = tails.fold(tail, f64::max);
        }
        let length = (2.0 * (REACH * variance.sqrt() + tail) + 32.0).ceil();
        let turns: Vec<i32> = figures.iter().map(|(figure, _)| figure.turns()).collect();
        let mut spectrum = Vec::new();
        let mut index = 1.0_f64;
        while index <= length / 2.0 {
            let t = TAU * index / length;
            let each = figures.iter().zip(&turns).map(|((figure, count), turns)| {
                figure.characteristic(t, *turns).powf_signed(*count)
            });
            let phi = each.fold(1.0, |product, phi| product * phi);
            if phi.abs() < NEGLIGIBLE {
                break;
            }
            // The frequency pi has no mirror image on the circle.
            let weight = if (t - PI).abs() < 1e-12 { 0.5 } else { 1.0 };
            spectrum.push((t, weight * phi));
            index += 1.0;
        }
        Self { length, spectrum }
    }

    /// `P(|Y| <= w)`.
    fn within(&self, w: f64) -> f64 {
        let reach = w + 0.5;
        if 2.0 * reach >= self.length {
            return 1.0;
        }
        let kernel = |(t, phi): &(f64, f64)| 2.0 * phi * (reach * t).sin() / (t / 2.0).sin();
        let sum = self.spectrum.iter().map(kernel).fold(0.0, |sum, term| sum + term);
        ((2.0 * reach + sum) / self.length).min(1.0)
    }
}

/// A whole power of a number that may be negative.
trait Power {
    fn powf_signed(self, count: usize) -> f64;
}

impl Power for f64 {
    fn powf_signed(self, count: usize) -> f64 {
        let size = self.abs().powf(real_of(count));
        if self < 0.0 && !count.is_multiple_of(2) { -size } else { size }
    }
}

/// The same angle within 0 to pi: characteristic functions here are even and have period 2 pi.
fn folded(t: f64) -> f64 {
    let rest = t.abs() % TAU;
    if rest > PI { TAU - rest } else { rest }
}

#[expect(clippy::cast_possible_truncation, reason = "far below 2^53")]
fn whole(value: f64) -> i64 {
    value.clamp(0.0, 1e15) as i64
}

#[cfg(test)]
mod tests;
