//! The law of a national figure that is made of two: the sum of the nodes' own noisy tables, and the
//! opened sum of shared ones. Each is weighted by the inverse of its variance.
//!
//! The weight of the shared sum is `k / K`, K odd; the figure is `(k opened + (K - k) S local) / (K S)`,
//! rounded to the nearest integer. It never ties, since `K S` is odd. With Zs and Zl the two noises,
//! `P(|N| <= w) = sum_z P(Zl = z) P(|k Zs + (K - k) S z| <= w K S + (K S - 1) / 2)`, which is summed up
//! as it stands. Where that would take too long, for standard deviations of hundreds, the figure is as
//! good as continuous; its interval is then one unit wider than the continuous one, many times what
//! that can be off by.
//!
//! **Invariant:** an interval never covers less than its level under the declared noises.

use super::share::{ShareLaw, nearest, smallest, sum_of_squares};
use super::{NoiseLaw, real, sum};
use std::f64::consts::{PI, TAU};

/// Weights are so many parts; odd.
const PARTS: i64 = 63;
/// Standard deviation of a figure, in whole units, up to which its law is summed up exactly.
const EXACT: f64 = 256.0;
/// Waves times masses of one exact law, at the most.
const WORK: usize = 30_000_000;
/// Standard deviations beyond which there is nothing.
const REACH: f64 = 12.0;

/// The law of the noise in a combined figure; symmetric about 0.
#[derive(Debug, Clone)]
pub struct CombinedLaw {
    weight: i64,
    factor: i64,
    variance: f64,
    /// `P(|N| <= w)` for w from 0 on; above the last it is 1.
    exact: Option<Vec<f64>>,
    waves: Vec<(f64, f64)>,
    length: f64,
}

impl CombinedLaw {
    /// The law of the combination of nodes' own noises with a sum of shares, over the same nodes.
    #[must_use]
    pub fn of(local: &NoiseLaw, shared: &ShareLaw) -> Self {
        let factor = shared.factor;
        let unrounded = shared.scaled.variance() / (real(factor) * real(factor));
        let weight = weight(local.variance(), unrounded);
        let share = real(weight) / real(PARTS);
        let variance = share * share * unrounded + (1.0 - share) * (1.0 - share) * local.variance();
        let mut law = Self {
            weight,
            factor,
            // Rounding to a whole number adds no more, and is replaced by what it does add.
            variance: variance + 1.0 / 8.0,
            exact: None,
            waves: Vec::new(),
            length: 0.0,
        };
        law.exact = law.summed_up(local, shared, variance.sqrt());
        if let Some(within) = &law.exact {
            law.variance = sum_of_squares(|w| at(within, w));
        } else {
            law.smooth(local, shared, variance.sqrt());
        }
        law
    }

    /// The weight of the shared sum, as numerator and denominator; the rest is the local sum's.
    #[must_use]
    pub fn weight(&self) -> (i64, i64) {
        (self.weight, PARTS)
    }

    /// The combined figure of an opened sum of scaled values and a sum of local ones; `None` if it is
    /// beyond every figure.
    #[must_use]
    pub fn count(&self, opened: i64, local: i64) -> Option<i64> {
        let local = local.checked_mul(self.factor)?.checked_mul(PARTS - self.weight)?;
        let sum = opened.checked_mul(self.weight)?.checked_add(local)?;
        Some(nearest(sum, self.factor * PARTS))
    }

    /// The variance of the figure's noise.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// The standard deviation.
    #[must_use]
    pub fn standard_deviation(&self) -> f64 {
        self.variance.sqrt()
    }

    /// `P(|N| <= w)`; for very wide noise, that of the continuous law one unit further in.
    #[must_use]
    pub fn within(&self, w: i64) -> f64 {
        if let Some(within) = &self.exact {
            return at(within, w);
        }
        let reach = real(w - 1);
        if w < 1 {
            return 0.0;
        }
        if 2.0 * reach >= self.length {
            return 1.0;
        }
        let kernel = |(t, phi): &(f64, f64)| 4.0 * phi * (reach * t).sin() / t;
        ((2.0 * reach + sum(self.waves.iter().map(kernel))) / self.length).min(1.0)
    }

    /// The smallest `w` with `P(|N| <= w) >= level`.
    #[must_use]
    pub fn half_width(&self, level: f64) -> i64 {
        smallest(|w| self.within(w) >= level)
    }

    /// `P(|N| <= w)` for all w that matter, or `None` if that takes too long.
    fn summed_up(&self, local: &NoiseLaw, shared: &ShareLaw, deviation: f64) -> Option<Vec<f64>> {
        if deviation > EXACT {
            return None;
        }
        let (weight, rest) = (self.weight, (PARTS - self.weight).checked_mul(self.factor)?);
        let own = if rest == 0 { vec![1.0] } else { masses(local)? };
        let scaled = if weight == 0 { vec![1.0] } else { masses(&shared.scaled)? };
        let (own_reach, scaled_reach) = (middle(&own)?, middle(&scaled)?);
        // P(Zs <= x) for x from -reach on.
        let below: Vec<f64> = scaled
            .iter()
            .scan(0.0, |sum, mass| {
                *sum += mass;
                Some(*sum)
            })
            .collect();
        let up_to = |x: i64| match usize::try_from(x.saturating_add(scaled_reach)) {
            Ok(x) => below.get(x).or(below.last()).copied().unwrap_or(0.0),
            Err(_) => 0.0,
        };
        let odd = self.factor * PARTS;
        let mut within = Vec::new();
        loop {
            let w = i64::try_from(within.len()).ok()?;
            let reach = w * odd + (odd - 1) / 2;
            let term = |(z, mass): (i64, &f64)| {
                let inside = if weight == 0 {
                    f64::from(u8::from((rest * z).abs() <= reach))
                } else {
                    let highest = (reach - rest * z).div_euclid(weight);
                    let lowest = -(reach + rest * z).div_euclid(weight);
                    (up_to(highest) - up_to(lowest - 1)).max(0.0)
                };
                mass * inside
            };
            let total = sum((-own_reach..).zip(&own).map(term)).min(1.0);
            within.push(total);
            if 1.0 - total < 1e-12 || real(w) > REACH * 4.0 * EXACT {
                return Some(within);
            }
        }
    }

    /// The waves of the law as a continuous one: up to where one of the two noises is no longer smooth.
    fn smooth(&mut self, local: &NoiseLaw, shared: &ShareLaw, deviation: f64) {
        let share = real(self.weight) / real(PARTS);
        let (own, scaled) = (1.0 - share, share / real(self.factor));
        self.length = (4.0 * REACH * deviation).ceil();
        let frequencies = (1..1_u32 << 22).map(|index| TAU * f64::from(index) / self.length);
        let smooth = frequencies.take_while(|t| own.max(scaled) * t < PI);
        let waves = smooth.map(|t| (t, shared.scaled.smooth(scaled * t) * local.smooth(own * t)));
        self.waves = waves.take_while(|(_, phi)| *phi > 1e-15).collect();
    }
}

/// The weight of the shared sum, in parts: the inverse of its variance over both inverses.
fn weight(local: f64, shared: f64) -> i64 {
    let share = if local + shared > 0.0 { local / (local + shared) } else { 1.0 };
    let parts = 0..=PARTS;
    let off = |weight: &i64| (real(*weight) / real(PARTS) - share).abs();
    parts.min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(PARTS)
}

fn at(within: &[f64], w: i64) -> f64 {
    usize::try_from(w).map_or(0.0, |w| within.get(w).copied().unwrap_or(1.0))
}

fn middle(masses: &[f64]) -> Option<i64> {
    i64::try_from(masses.len() / 2).ok()
}

/// The masses of a law from the lowest integer that matters to the highest, or `None` if there are too
/// many.
fn masses(law: &NoiseLaw) -> Option<Vec<f64>> {
    if law.step != 1 || law.variance.sqrt() > 1e6 {
        return None;
    }
    let reach = (1..1_i64 << 30).find(|reach| 2.0 * real(*reach) + 1.0 >= law.length)?;
    let count = usize::try_from(reach).ok()?;
    if count.checked_mul(law.spectrum.len())? > WORK {
        return None;
    }
    let half: Vec<f64> = (0..=reach).map(|x| law.mass(x)).collect();
    Some(half.iter().skip(1).rev().chain(&half).copied().collect())
}
