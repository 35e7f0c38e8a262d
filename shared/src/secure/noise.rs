//! Noise in shares: how much each node adds, and what the sum, fewer shares and one share promise.
//!
//! With T reports at the least and c nodes that may collude or fail to add noise, `h = T - c` shares
//! are honest, and they alone give the full guarantee. A discrete Gaussian share is drawn on counts
//! scaled by an odd integer S; the sum of discrete Gaussians is not one, and the difference is
//! accounted for exactly. A Polya share needs no scaling: `h` of them are one discrete Laplace.
//!
//! Sources: Kairouz, Liu and Steinke 2021, proposition 14 (sums of discrete Gaussians); Canonne, Kamath
//! and Steinke 2020 (the discrete Gaussian is subgaussian); Bun and Steinke 2016 (zCDP); Goryczka and
//! Xiong 2017 (Polya shares of the discrete Laplace). SECURITY.md has the derivation.
//!
//! **Invariant:** a guarantee is never better than the loss that was asked for allows, and rounded
//! figures err on the safe side.

use crate::privacy::{Bound, Epsilon, Loss, Rho};
use std::f64::consts::PI;

/// The scale of one share in scaled units, at the least. From here on tau is below 10^-37, so that even
/// ten thousand cells of it are lost in the rounding of the smallest loss, and the scale follows from
/// operations that every machine rounds alike.
const LEAST_SIGMA: f64 = 3.0;
/// Covers the rounding of a formula in doubles: a few units in the last place, 2e-16 each.
const ROUNDING: f64 = 1.0 + 1e-14;
/// Steps of one unit in the last place that a scale may need above its nominal value.
const SCALE_STEPS: usize = 64;
/// The largest scale of a discrete Laplace that is shared: one draw takes as many steps.
const LARGEST_LAPLACE: f64 = 10_000.0;
/// Terms of a series of which any number gives a bound on the safe side.
const TERMS: u32 = 1_000_000;
/// The largest factor that counts are scaled by.
const LARGEST_FACTOR: u32 = 99_999;

/// How many reports a batch has at the least, and how many of their nodes may collude or fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    minimum: u32,
    tolerated: u32,
}

/// A sharing that leaves nobody to add noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("of the minimum number of reports, at least one must be neither colluding nor failing")]
pub struct BadSharing;

impl Sharing {
    /// A batch of at least `minimum` reports (T), of which `tolerated` (c) may collude or fail.
    ///
    /// # Errors
    /// [`BadSharing`] unless c is less than T.
    pub fn new(minimum: u32, tolerated: u32) -> Result<Self, BadSharing> {
        if tolerated < minimum { Ok(Self { minimum, tolerated }) } else { Err(BadSharing) }
    }

    /// Reports that a batch has at the least.
    #[must_use]
    pub fn minimum(self) -> u32 {
        self.minimum
    }

    /// Nodes that may collude or fail.
    #[must_use]
    pub fn tolerated(self) -> u32 {
        self.tolerated
    }

    /// Honest shares that are in every opened sum, h = T - c.
    #[must_use]
    pub fn honest(self) -> u32 {
        self.minimum.saturating_sub(self.tolerated).max(1)
    }
}

/// The law of one node's share, in scaled units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// Mass proportional to `exp(-x^2 / (2 sigma^2))`.
    DiscreteGaussian {
        /// The scale, in scaled units.
        sigma: f64,
    },
    /// The difference of two negative binomials of `1 / parts` successes each, at `exp(-1/b)`.
    Polya {
        /// Epsilon of the sum.
        epsilon: Epsilon,
        /// The L1 sensitivity; `b = l1 / epsilon`.
        l1: u32,
        /// So many shares make one discrete Laplace.
        parts: u32,
    },
}

/// The noise of one table that nodes share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShareNoise {
    loss: Loss,
    bound: Bound,
    cells: usize,
    sharing: Sharing,
    factor: u32,
    share: Share,
}

/// Why a table's noise cannot be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// A loss of nothing, or of everything.
    #[error("the privacy loss of a table is outside what can be accounted for")]
    Loss,
    /// So much noise of pure loss that drawing it would take too long.
    #[error("discrete Laplace noise of a scale above 10000 is not shared; ask for rho instead")]
    Scale,
    /// So little noise over so many nodes that counts would have to be scaled beyond reason.
    #[error(
        "the noise of each node would be too small; ask for a smaller loss, or fewer minimum nodes"
    )]
    Factor,
}

impl ShareNoise {
    /// The noise that gives a table of `cells` cells the loss asked for, as soon as the honest shares of
    /// `sharing` are in the sum.
    ///
    /// # Errors
    /// [`ShareError`].
    pub fn of(
        loss: Loss,
        bound: Bound,
        cells: usize,
        sharing: Sharing,
    ) -> Result<Self, ShareError> {
        loss.charge().ok_or(ShareError::Loss)?;
        let honest = sharing.honest();
        let made = |factor, share| Self { loss, bound, cells, sharing, factor, share };
        match loss {
            Loss::DiscreteLaplace { .. } if loss.nominal_scale(bound) > LARGEST_LAPLACE => {
                Err(ShareError::Scale)
            }
            Loss::DiscreteLaplace { epsilon_micro: epsilon } => {
                Ok(made(1, Share::Polya { epsilon, l1: bound.l1(), parts: honest }))
            }
            Loss::DiscreteGaussian { rho_micro } => {
                let root = f64::from(honest).sqrt();
                let nominal = loss.nominal_scale(bound);
                let factor = factor(LEAST_SIGMA * root / nominal).ok_or(ShareError::Factor)?;
                let mut sigma = f64::from(factor) * nominal / root * ROUNDING;
                for _ in 0..SCALE_STEPS {
                    let noise = made(factor, Share::DiscreteGaussian { sigma });
                    if noise.rho(honest) <= rho_micro.value().next_down() {
                        return Ok(noise);
                    }
                    sigma = sigma.next_up();
                }
                Err(ShareError::Factor)
            }
        }
    }

    /// The loss of the sum.
    #[must_use]
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// The contribution bound that the noise is made for.
    #[must_use]
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// How many cells the table has.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// How the noise is shared.
    #[must_use]
    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// Counts are multiplied by this odd number before noise is added.
    #[must_use]
    pub fn factor(&self) -> u32 {
        self.factor
    }

    /// The law of one share, in scaled units.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// What a table with so many honest shares in its sum costs a participant, in rho, rounded up;
    /// infinite for none. One honest share is a node's own.
    ///
    /// For discrete Gaussians, with scaled sensitivity D2, k shares and d cells:
    /// `tau = 10 sum_(j=1..k-1) exp(-2 pi^2 sigma^2 j / (j+1))` and `rho = D2^2/(2 k sigma^2) + tau d`:
    /// the first bound of proposition 14, at the order where it is weakest.
    /// `h` Polya shares or more give the epsilon asked for; less than `h` give
    /// [`Self::epsilon`]; either is covered by `epsilon^2 / 2`.
    #[must_use]
    pub fn rho(&self, honest: u32) -> f64 {
        if honest == 0 {
            return f64::INFINITY;
        }
        match (self.share, self.epsilon(honest)) {
            (Share::DiscreteGaussian { sigma }, _) => {
                let scale = f64::from(self.factor);
                let l2_squared = real(self.bound.l2_squared()) * scale * scale;
                let plain = l2_squared / (f64::from(honest) * sigma * sigma);
                (plain / 2.0 + tau(sigma, honest) * real_of(self.cells)) * ROUNDING
            }
            (Share::Polya { .. }, Some(epsilon)) => epsilon * epsilon / 2.0,
            (Share::Polya { .. }, None) => f64::INFINITY,
        }
    }

    /// The pure differential privacy that so many honest Polya shares give; `None` for Gaussian shares,
    /// which have none, and for no shares.
    ///
    /// The mass of `k` of `h` shares, k < h, is symmetric and log-convex on both sides of 0. So its ratio
    /// between neighbours is the largest between 0 and 1, and a change of L1 norm `l1` takes `l1` such
    /// steps at the most.
    #[must_use]
    pub fn epsilon(&self, honest: u32) -> Option<f64> {
        match self.share {
            Share::Polya { epsilon, parts, .. } if honest >= parts => Some(epsilon.value()),
            Share::Polya { epsilon, l1, parts } if honest > 0 => {
                let l1 = f64::from(l1);
                let successes = f64::from(honest) / f64::from(parts);
                Some(l1 * largest_step(epsilon.value() / l1, successes) * (1.0 + 1e-9))
            }
            _ => None,
        }
    }

    /// Pure differential privacy of one node's own share, if it has any: none for Gaussian shares.
    #[must_use]
    pub fn own_epsilon(&self) -> Option<f64> {
        self.epsilon(1)
    }

    /// [`Self::rho`] in millionths, rounded up, and the loss that was asked for from `h` shares on at the
    /// most; `None` if it is beyond every account.
    #[must_use]
    pub fn guarantee(&self, honest: u32) -> Option<Rho> {
        let micro = (self.rho(honest) * 1e6).ceil();
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number between 0 and 2^53"
        )]
        let found = (micro < 9e15).then(|| Rho::from_micro(micro as u64))?;
        let promised = self.loss.charge().filter(|_| honest >= self.sharing.honest());
        Some(promised.map_or(found, |promised| promised.min(found)))
    }
}

/// `ln(P(0) / P(1))` for the difference P of two negative binomials of `successes` (below 1) at
/// `q = exp(-rate)`; never too small.
///
/// With `p_0 = 1` and `p_(j+1) = p_j q (j + r) / (j + 1)`, the sums are `P(0) = sum p_j^2` and
/// `P(1) = sum p_j p_(j+1)`. The ratio of their terms falls with j, so that leaving out the end of both
/// makes the ratio of the sums larger.
fn largest_step(rate: f64, successes: f64) -> f64 {
    let (q, gap) = ((-rate).exp(), -(-rate).exp_m1());
    let (mut mass, mut difference, mut at_1) = (1.0_f64, 0.0_f64, 0.0_f64);
    for j in (0..TERMS).map(f64::from) {
        let next = mass * q * (j + successes) / (j + 1.0);
        // mass - next, without cancellation.
        difference += mass * mass * (j * gap + 1.0 - q * successes) / (j + 1.0);
        at_1 += mass * next;
        if mass * mass <= 1e-20 * at_1 {
            break;
        }
        mass = next;
    }
    (difference / at_1).ln_1p()
}

/// How far a sum of `shares` discrete Gaussians of scale sigma is from a discrete Gaussian
/// (Kairouz, Liu and Steinke 2021, proposition 14). Zero for a single share.
#[must_use]
pub fn tau(sigma: f64, shares: u32) -> f64 {
    let term = |j: f64| (-2.0 * PI * PI * sigma * sigma * j / (j + 1.0)).exp();
    // Terms fall with j: those after the hundredth are at most the hundredth.
    let exact = shares.saturating_sub(1).min(100);
    let rest = f64::from(shares.saturating_sub(1).saturating_sub(exact));
    10.0 * ((1..=exact).map(|j| term(f64::from(j))).sum::<f64>() + rest * term(100.0))
}

/// The smallest odd integer from `least` on.
fn factor(least: f64) -> Option<u32> {
    if !(least.is_finite() && least <= f64::from(LARGEST_FACTOR)) {
        return None;
    }
    (1..=LARGEST_FACTOR).step_by(2).find(|factor| f64::from(*factor) >= least)
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "below 2^53")]
fn real(value: u64) -> f64 {
    value as f64
}

fn real_of(value: usize) -> f64 {
    u32::try_from(value).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "test arithmetic on small numbers"
)]
mod tests;
