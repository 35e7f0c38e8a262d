//! One node's share of the noise: drawn exactly, on counts that are scaled by an odd integer.
//!
//! A discrete Gaussian share is opendp's measurement on the scaled counts. A Polya share is the
//! difference of two negative binomials of `1 / h` successes. Each of these is drawn by Polya's urn: a
//! geometric number of balls falls into `h` urns, each ball into an urn with a chance that grows with
//! the balls that are in it, and the share is what falls into the first urn. All urns together hold the
//! geometric number, so that `h` independent shares have the law of its difference: discrete Laplace.
//!
//! Sources: Kairouz, Liu and Steinke 2021 (shares of discrete Gaussians); Goryczka and Xiong 2017
//! (Polya shares); Johnson and Kotz 1977, chapter 4 (Polya's urn).

use super::{MechanismError, checked, draw, floor, gaussian, l2_ceil, laplace, measurement};
use fellestall_shared::privacy::{Epsilon, Loss};
use fellestall_shared::secure::noise::{Share, ShareNoise};
use opendp::traits::samplers::sample_uniform_uint_below;

/// Geometric numbers that are drawn at one time.
const BATCH: usize = 256;

/// `factor * count + share` for every cell.
///
/// # Errors
/// [`MechanismError`].
///
/// # Privacy
/// P2: what one honest share promises alone, [`ShareNoise::rho`] of 1, is at least the cost that opendp's
/// privacy map gives for it, and `h` such costs are the loss of the sum: both are checked before a draw.
/// Only the noised values are looked at afterwards.
pub(super) fn share(counts: &[i64], noise: &ShareNoise) -> Result<Vec<i64>, MechanismError> {
    let factor = i64::from(noise.factor());
    // What does not fit is far beyond a cell, and is refused as such after the noise.
    let scaled: Vec<i64> = counts.iter().map(|count| count.saturating_mul(factor)).collect();
    let values = match (noise.share(), noise.loss()) {
        (Share::DiscreteGaussian { sigma }, Loss::DiscreteGaussian { rho_micro }) => {
            let sensitivity = (l2_ceil(noise.bound()) * f64::from(noise.factor())).next_up();
            let honest = f64::from(noise.sharing().honest());
            let limit = noise.rho(1).min(honest * floor(rho_micro.value()));
            draw(gaussian(scaled.len()), &sensitivity, limit, sigma, &scaled)?.0
        }
        (Share::Polya { epsilon, l1, parts }, Loss::DiscreteLaplace { epsilon_micro })
            if epsilon == epsilon_micro && l1 == noise.bound().l1() =>
        {
            let shares = polya(scaled.len(), epsilon, l1, parts)?;
            scaled.iter().zip(shares).map(|(count, share)| count.saturating_add(share)).collect()
        }
        _ => return Err(MechanismError::Table),
    };
    checked(values, counts.len())
}

/// So many Polya shares: differences of what two geometric numbers of balls leave in the first of
/// `parts` urns.
fn polya(cells: usize, epsilon: Epsilon, l1: u32, parts: u32) -> Result<Vec<i64>, MechanismError> {
    let nominal = f64::from(l1) / epsilon.value();
    let limit = floor(epsilon.value());
    let (laplace, _) = measurement(laplace(BATCH), &i64::from(l1), limit, nominal)?;
    let zeros = vec![0; BATCH];
    // A discrete Laplace that is not negative is geometric.
    let mut balls: Vec<u64> = Vec::new();
    let mut urn = || loop {
        if let Some(balls) = balls.pop() {
            return first_urn(balls, parts.into());
        }
        let drawn = laplace.invoke(&zeros).map_err(|_| MechanismError::Random)?;
        balls.extend(drawn.into_iter().filter_map(|balls| u64::try_from(balls).ok()));
    };
    (0..cells).map(|_| Ok(urn()?.saturating_sub(urn()?))).collect()
}

/// How many of `balls` fall into the first of `urns`: ball `j + 1` with chance
/// `(in it + 1 / urns) / (j + 1)`.
fn first_urn(balls: u64, urns: u64) -> Result<i64, MechanismError> {
    let mut inside = 0_u64;
    for ball in 1..=balls {
        let [below, of] = [
            inside.checked_mul(urns).and_then(|chance| chance.checked_add(1)),
            ball.checked_mul(urns),
        ];
        let (below, of) = below.zip(of).ok_or(MechanismError::Magnitude)?;
        let place = sample_uniform_uint_below::<u64, 8>(of).map_err(|_| MechanismError::Random)?;
        if place < below {
            inside = inside.saturating_add(1);
        }
    }
    i64::try_from(inside).map_err(|_| MechanismError::Magnitude)
}
