//! Noise in shares: how much each node adds, and what the sum, fewer shares and one share promise.
//!
//! With T reports at the least and c nodes that may collude or fail to add noise, `h = T - c` shares
//! are honest, and they alone give the full guarantee. A discrete Gaussian share is drawn on counts
//! scaled by an odd integer S; the sum of discrete Gaussians is not one, and the difference is
//! accounted for exactly. A Polya share needs no scaling: `h` of them are one discrete Laplace.
//!
//! Sources: Kairouz, Liu and Steinke 2021, proposition 14 (sums of discrete Gaussians); Bun and
//! Steinke 2016 (zCDP); Goryczka and Xiong 2017 (Polya shares of the discrete Laplace).
//!
//! **Invariant:** a guarantee is never better than the loss that was asked for allows, and rounded
//! figures err on the safe side.

use crate::privacy::{Bound, Epsilon, Loss, Rho};
use std::f64::consts::PI;

/// The scale of one share in scaled units, at the least: from here on the sum of discrete Gaussians is
/// a discrete Gaussian to one part in 10^16.
const LEAST_SIGMA: f64 = 2.0;
/// Steps of one unit in the last place that a scale may need above its nominal value.
const SCALE_STEPS: usize = 4_096;
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
    /// So little noise over so many nodes that counts would have to be scaled beyond reason.
    #[error(
        "the noise of each node would be too small; ask for a smaller loss, or more minimum reports"
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
            Loss::DiscreteLaplace { epsilon_micro: epsilon } => {
                Ok(made(1, Share::Polya { epsilon, l1: bound.l1(), parts: honest }))
            }
            Loss::DiscreteGaussian { rho_micro } => {
                let root = f64::from(honest).sqrt();
                let nominal = loss.nominal_scale(bound);
                let factor = factor(LEAST_SIGMA * root / nominal).ok_or(ShareError::Factor)?;
                let mut sigma = f64::from(factor) * nominal / root;
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

    /// What a table with so many honest shares in its sum costs a participant, in rho; infinite for none.
    ///
    /// For discrete Gaussians, with scaled sensitivities D1 and D2, k shares and d cells:
    /// `tau = 10 sum_(j=1..k-1) exp(-2 pi^2 sigma^2 j / (j+1))` and
    /// `rho = 1/2 min(D2^2/(k sigma^2) + tau d / 2, (D2/(sqrt(k) sigma) + tau sqrt(d))^2)`.
    /// For Polya shares the sum is at least as good as `k` of `h` parts; less than `h` of them give what
    /// one of them gives (see [`Self::own_epsilon`]), which `epsilon^2 / 2` covers.
    #[must_use]
    pub fn rho(&self, honest: u32) -> f64 {
        if honest == 0 {
            return f64::INFINITY;
        }
        match self.share {
            Share::DiscreteGaussian { sigma } => {
                let scale = f64::from(self.factor);
                let l2_squared = real(self.bound.l2_squared()) * scale * scale;
                let (k, d) = (f64::from(honest), real_of(self.cells));
                let tau = tau(sigma, honest);
                let plain = l2_squared / (k * sigma * sigma);
                let first = plain + tau * d / 2.0;
                let second = (plain.sqrt() + tau * d.sqrt()).powi(2);
                first.min(second) / 2.0
            }
            Share::Polya { epsilon, parts, .. } => {
                let epsilon =
                    if honest >= parts { epsilon.value() } else { self.polya_epsilon(honest) };
                epsilon * epsilon / 2.0
            }
        }
    }

    /// Pure differential privacy of one node's own share, if it has any: none for Gaussian shares.
    #[must_use]
    pub fn own_epsilon(&self) -> Option<f64> {
        match self.share {
            Share::DiscreteGaussian { .. } => None,
            Share::Polya { .. } => Some(self.polya_epsilon(1)),
        }
    }

    /// [`Self::rho`] in millionths, rounded up; `None` if it is beyond every account.
    #[must_use]
    pub fn guarantee(&self, honest: u32) -> Option<Rho> {
        let micro = (self.rho(honest) * 1e6).ceil();
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number between 0 and 2^53"
        )]
        (micro < 9e15).then(|| Rho::from_micro(micro as u64))
    }

    /// The largest step of the log-mass of `honest` Polya shares, times the L1 sensitivity. The mass is
    /// symmetric and its ratio between neighbours falls towards `exp(-1/b)`, so that the step from 0 to
    /// 1 is the largest.
    fn polya_epsilon(&self, honest: u32) -> f64 {
        let Share::Polya { epsilon, l1, parts } = self.share else { return f64::INFINITY };
        let l1 = f64::from(l1);
        let successes = f64::from(honest) / f64::from(parts);
        let q = (-epsilon.value() / l1).exp();
        // P(0) = sum p_j^2 and P(1) = sum p_j p_(j+1), with p_(j+1) = p_j q (j + r) / (j + 1).
        let (mut mass, mut at_0, mut at_1, mut j) = (1.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
        loop {
            let next = mass * q * (j + successes) / (j + 1.0);
            at_0 += mass * mass;
            at_1 += mass * next;
            if next * next <= 1e-18 * at_0 {
                break;
            }
            (mass, j) = (next, j + 1.0);
        }
        l1 * (at_0 / at_1).ln()
    }
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
