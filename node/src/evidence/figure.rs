//! The figures of the evidence pack: what a privacy loss means for a guess, and what noise does to a
//! count.
//!
//! **Invariant:** whatever speaks for the protection is rounded against it.
//!
//! Sources: Bun and Steinke 2016 (zCDP: the tail of the privacy loss, and the Kullback-Leibler
//! divergence bounded by rho); Pinsker's and Bretagnolle and Huber's inequalities (total variation);
//! Canonne, Kamath and Steinke 2020 (discrete Gaussian).

use fellestall_shared::privacy::{Bound, Delta, Loss, Rho};
use serde::Serialize;

/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.96;

/// A privacy loss, and what it lets somebody find out at the most.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// In rho: exact, in decimal.
    pub rho: String,
    /// In millionths of rho.
    pub rho_micro: u64,
    /// As epsilon at the node's delta, rounded up.
    pub epsilon: f64,
    /// What the logarithm of the odds about one participant moves by at the most, but for a chance of
    /// delta: `rho + 2 sqrt(rho ln(1/delta))`, rounded up.
    pub odds: f64,
    /// Where a belief of 50 % ends at the most, but for a chance of delta: `e^odds / (1 + e^odds)`, in
    /// per cent, rounded up.
    pub belief_percent: f64,
    /// How often the best guess whether one participant is counted is right at the most, when chance
    /// alone gives 50 %: `(1 + TV) / 2` with `TV <= sqrt(rho / 2)` and `TV <= sqrt(1 - e^-rho)`, in per
    /// cent, rounded up.
    pub guess_percent: f64,
}

impl Cost {
    /// What a loss means at `delta`.
    #[must_use]
    pub fn of(rho: Rho, delta: Delta) -> Self {
        let value = rho.value();
        let odds = value + 2.0 * (value * -delta.value().ln()).sqrt();
        let variation = (value / 2.0).sqrt().min((1.0 - (-value).exp()).sqrt()).min(1.0);
        Self {
            rho: rho.to_string(),
            rho_micro: rho.micro(),
            epsilon: rho.epsilon_ceil(delta),
            odds: up(odds, 1000.0),
            belief_percent: up(100.0 / (1.0 + (-odds).exp()), 100.0),
            guess_percent: up(50.0 * (1.0 + variation), 100.0),
        }
    }
}

/// The loss of a person whom `times` municipalities hold: their losses add up.
#[must_use]
pub fn times(rho: Rho, times: u32) -> Rho {
    Rho::from_micro(rho.micro().saturating_mul(u64::from(times)))
}

/// The noise on each count of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Noise {
    /// Whether it is discrete Laplace noise, and discrete Gaussian noise otherwise.
    pub laplace: bool,
    /// Its scale, rounded down: sigma, or b for discrete Laplace.
    pub scale: f64,
    /// Its standard deviation, rounded down.
    pub deviation: f64,
    /// Half of a 95 % interval of one count, rounded up.
    pub half_width: f64,
    /// How often a count leaves as it is, in per cent, rounded up.
    pub unchanged_percent: f64,
    /// How often a true zero leaves as one or more, in per cent, rounded down.
    pub zero_shown_percent: f64,
}

impl Noise {
    /// The noise of a table with this loss and bound.
    #[must_use]
    pub fn of(loss: Loss, bound: Bound) -> Self {
        let scale = loss.nominal_scale(bound);
        let (laplace, deviation, unchanged) = match loss {
            Loss::DiscreteGaussian { .. } => (false, scale, 1.0 / gaussian_mass(scale)),
            Loss::DiscreteLaplace { .. } => {
                let p = (-1.0 / scale).exp();
                (true, (2.0 * p).sqrt() / (1.0 - p), (1.0 - p) / (1.0 + p))
            }
        };
        Self {
            laplace,
            scale: down(scale, 1000.0),
            deviation: down(deviation, 1000.0),
            half_width: up(Z * deviation, 1.0),
            unchanged_percent: up(100.0 * unchanged, 10.0),
            zero_shown_percent: down(50.0 * (1.0 - unchanged), 10.0),
        }
    }
}

/// The sum of `exp(-k^2 / (2 sigma^2))` over all integers k.
fn gaussian_mass(sigma: f64) -> f64 {
    // The integral is the same to the last digit from here on.
    if sigma > 100.0 {
        return sigma * std::f64::consts::TAU.sqrt();
    }
    let term = |k: i32| (-f64::from(k).powi(2) / (2.0 * sigma * sigma)).exp();
    1.0 + 2.0 * (1..=1000).map(term).sum::<f64>()
}

fn down(value: f64, steps: f64) -> f64 {
    (value * steps).floor() / steps
}

fn up(value: f64, steps: f64) -> f64 {
    (value * steps).ceil() / steps
}
