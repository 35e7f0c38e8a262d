//! The law of a rounded weighted sum of independent noises, and of sums of such figures.
//!
//! With `X = sum a_i N_i` and `Y` the nearest integer, `phi_Y(t) = sum_k phi_X(t + 2 pi k) B(t + 2 pi k)`
//! by Poisson summation, where `B` is the characteristic function of the rounding. If X is a multiple of
//! `1/P`, P odd, then `B = sin(t/2) / (P sin(t/(2P)))`, k runs over P turns, and nothing is left out. A sum
//! of cells has the product, and its intervals follow as in [`super::noise_law`].
//!
//! Of the turns, few matter: X has the lattices of its noises, and a turn adds something where all of
//! them come round at once.
//!
//! **Invariant:** the interval of a figure that was rounded once never covers less than its level under
//! the declared noise. A part of a mean, rounded twice, has one that is widened for what its law leaves
//! out.

use super::combine::LEVEL;
use super::noise_law::{FINE, NEGLIGIBLE, Noise};
use super::number::{real, real_of};
use std::collections::BTreeSet;
use std::f64::consts::{PI, TAU};

/// Deviations within which everything lies.
const REACH: f64 = 10.0;
/// Deviations of a normal law within which 95 % lie.
const NORMAL: f64 = 1.959_963_984_540_054;
/// Deviations of a Laplace law within which 95 % lie, `ln(20) / sqrt(2)`; sums of more have fewer.
const LAPLACE: f64 = 2.118_4;
/// From this deviation on, the error in rounding one noise is uniform to one part in 10^30.
const SMOOTH: f64 = 2.0;
/// From this deviation on, a figure's variance is told by what is rounded: the rest is below one part in
/// 10^5.
const WIDE: f64 = 64.0;
/// Turns within which the lattices of two noises are looked for; what lies further adds less than 10^-5.
const FURTHEST: u32 = 20_000;
/// The same for a figure that was rounded twice, where it adds less than [`LEFT_OUT`].
const FURTHEST_TWICE: u32 = 1_000;
/// Turns at which what is rounded has less than this add nothing together.
const MEETING: f64 = 1e-12;
/// What is left out of the law of a figure that was rounded twice is below this.
const LEFT_OUT: f64 = 1e-3;

/// How a figure was rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rounding {
    /// From a multiple of one over this odd number.
    Parts(u32),
    /// The difference of two that were rounded, from any numbers.
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
            Self::Twice => (half.sin() / half).powi(2),
        }
    }

    fn variance(self) -> f64 {
        match self {
            Self::Parts(parts) => (1.0 - f64::from(parts).powi(-2)) / 12.0,
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
        let (smooth, is_one) = (self.smooth_variance(), self.parts.len() == 1);
        let enough = if is_one || self.rounding == Rounding::Twice { SMOOTH } else { WIDE };
        if smooth.sqrt() >= enough {
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
        let of = |figure: &Self| figure.smooth_variance() + figure.rounding.variance();
        let variance: f64 =
            figures.iter().map(|(figure, count)| of(figure) * real_of(*count)).sum();
        if variance.sqrt() > FINE {
            let mut parts = figures.iter().flat_map(|(figure, _)| &figure.parts);
            let has_tails = parts.any(|part| part.noise.tail() > 0.0);
            let multiple = if has_tails { LAPLACE } else { NORMAL };
            return whole((multiple * variance.sqrt()).ceil() + 1.0);
        }
        let law = Inverse::of(figures);
        let left_out = figures.iter().map(|(figure, _)| figure.left_out()).fold(0.0, f64::max);
        let level = LEVEL + left_out;
        let (mut low, mut high) = (0_i64, whole(law.length));
        while low < high {
            let middle = low + (high - low) / 2;
            if law.within(real(middle)) < level { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// What its law leaves out, at the most.
    fn left_out(&self) -> f64 {
        match self.rounding {
            Rounding::Twice => LEFT_OUT,
            Rounding::Parts(parts) if self.parts.len() > 1 && parts / 2 > FURTHEST => 1e-5,
            Rounding::Parts(_) => 0.0,
        }
    }

    /// The characteristic function of what is rounded.
    fn smooth(&self, t: f64) -> f64 {
        let ends = |part: &Part| part.noise.vanishes(folded(part.scale * t), part.count);
        if self.parts.iter().any(ends) {
            return 0.0;
        }
        let log = self.parts.iter().map(|part| {
            part.count * part.noise.characteristic(folded(part.scale * t)).max(1e-300).ln()
        });
        log.fold(0.0, |sum, log| sum + log).exp()
    }

    /// The characteristic function of the rounded figure.
    fn characteristic(&self, t: f64, turns: &BTreeSet<i32>) -> f64 {
        let at = |turn: &i32| {
            let t = t + TAU * f64::from(*turn);
            self.smooth(t) * self.rounding.characteristic(t)
        };
        turns.iter().map(at).fold(0.0, |sum, term| sum + term)
    }

    /// The turns that add to the characteristic function: about 0, and about those where the lattices
    /// of all parts meet.
    fn turns(&self) -> BTreeSet<i32> {
        let near = (REACH / self.smooth_variance().sqrt().max(0.01) / TAU).ceil() + 1.0;
        let near = i32::try_from(whole(near)).unwrap_or(i32::MAX);
        let (parts, last) = match self.rounding {
            Rounding::Parts(parts) => (parts / 2, (parts / 2).min(FURTHEST)),
            Rounding::Twice => (u32::MAX, FURTHEST_TWICE),
        };
        let meets = |turn: &u32| *turn == 0 || self.smooth(TAU * f64::from(*turn)) > MEETING;
        let last = if self.parts.len() > 1 { last } else { 0 };
        let meeting = (0..=last).filter(meets).filter_map(|turn| i32::try_from(turn).ok());
        let about = meeting.flat_map(|turn| (turn - near..=turn + near).flat_map(|at| [at, -at]));
        about.filter(|turn| turn.unsigned_abs() <= parts).collect()
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
        let turns: Vec<BTreeSet<i32>> = figures.iter().map(|(figure, _)| figure.turns()).collect();
        let mut spectrum = Vec::new();
        let mut index = 1.0_f64;
        while index <= length / 2.0 {
            let t = TAU * index / length;
            let each = figures.iter().zip(&turns).map(|((figure, count), turns)| {
                figure.characteristic(t, turns).powf_signed(*count)
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
