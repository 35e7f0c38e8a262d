//! A generator with a seed, and noise drawn from tables of cumulated probabilities: for simulations
//! only.
//!
//! A draw is exact to a double's precision, which is enough to measure a variance and no good for a
//! release: a released draw is exact, has no seed, and is made at a node.
//!
//! Source: Steele, Lea and Flood 2014 (`SplitMix64`).

use crate::publish::noise_law::Noise;
use fellestall_shared::secure::noise::Share;

/// A stream of numbers that follow from a seed.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform on 0 to 1, 1 excluded, in steps of 2^-53.
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / 9_007_199_254_740_992.0
    }
}

/// A noise that can be drawn.
pub(super) struct Drawn {
    lowest: i64,
    /// The probability of each integer from `lowest` on and of all below it.
    cumulated: Vec<f64>,
    /// Whether a draw is the difference of two from the table.
    difference: bool,
}

impl Drawn {
    /// A node's own noise, or a curator's.
    pub(super) fn noise(noise: Noise) -> Self {
        match noise {
            Noise::DiscreteGaussian { sigma } => {
                let weight = |x: f64| (-x * x / (2.0 * sigma * sigma)).exp();
                Self::symmetric(9.0 * sigma + 9.0, weight)
            }
            Noise::DiscreteLaplace { b } => Self::symmetric(40.0 * b + 9.0, |x| (-x / b).exp()),
        }
    }

    /// One node's share, in scaled units.
    pub(super) fn share(share: Share) -> Self {
        match share {
            Share::DiscreteGaussian { sigma } => Self::noise(Noise::DiscreteGaussian { sigma }),
            Share::Polya { epsilon, l1, parts } => {
                let b = f64::from(l1) / epsilon.value();
                let (q, successes) = ((-1.0 / b).exp(), 1.0 / f64::from(parts));
                let mut mass = 1.0;
                let weights = integers(40.0 * b + 9.0).map(|j| {
                    let here = mass;
                    mass *= q * (j + successes) / (j + 1.0);
                    here
                });
                Self::table(0, weights.collect(), true)
            }
        }
    }

    fn symmetric(reach: f64, weight: impl Fn(f64) -> f64) -> Self {
        let half: Vec<f64> = integers(reach).map(weight).collect();
        let lowest = i64::try_from(half.len()).map_or(0, |count| 1 - count);
        let weights = half.iter().skip(1).rev().chain(&half).copied().collect();
        Self::table(lowest, weights, false)
    }

    fn table(lowest: i64, weights: Vec<f64>, difference: bool) -> Self {
        let total = weights.iter().fold(0.0, |sum, weight| sum + weight);
        let mut sum = 0.0;
        let cumulated = weights.into_iter().map(|weight| {
            sum += weight / total;
            sum
        });
        Self { lowest, cumulated: cumulated.collect(), difference }
    }

    /// One draw.
    pub(super) fn draw(&self, chance: &mut Chance) -> i64 {
        let mut one = || {
            let at = chance.uniform();
            let place = self.cumulated.partition_point(|below| *below <= at);
            i64::try_from(place.min(self.cumulated.len() - 1)).unwrap_or(0)
        };
        if self.difference { one() - one() } else { self.lowest + one() }
    }
}

/// The integers from 0 up to a limit.
fn integers(limit: f64) -> impl Iterator<Item = f64> {
    (0_u32..).map(f64::from).take_while(move |x| *x <= limit)
}
