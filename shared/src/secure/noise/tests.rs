//! The account of shared noise against exact convolution: what a formula promises is measured on every
//! outcome.

use super::{LEAST_SIGMA, Share, ShareError, ShareNoise, Sharing, largest_step, tau};
use crate::privacy::{Bound, Epsilon, Loss, Rho};

fn gaussian(rho_micro: u64) -> Loss {
    Loss::DiscreteGaussian { rho_micro: Rho::from_micro(rho_micro) }
}

fn laplace(epsilon_micro: u64) -> Loss {
    Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(epsilon_micro) }
}

fn bound(cells: u32, per_cell: u32, total: u32) -> Bound {
    Bound::new(cells, per_cell, total).expect("a bound")
}

fn sharing(minimum: u32, tolerated: u32) -> Sharing {
    Sharing::new(minimum, tolerated).expect("a sharing")
}

fn noise(loss: Loss, minimum: u32, tolerated: u32) -> ShareNoise {
    ShareNoise::of(loss, bound(1, 1, 1), 1, sharing(minimum, tolerated)).expect("shared noise")
}

/// Masses on `-reach..=reach`.
fn masses(reach: i32, weight: impl Fn(f64) -> f64) -> Vec<f64> {
    let weights: Vec<f64> = (-reach..=reach).map(|x| weight(f64::from(x))).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// The discrete Gaussian, as far out as a double reaches: to 37 sigma.
fn discrete_gaussian(sigma: f64) -> Vec<f64> {
    masses((37.0 * sigma).min(5_000.0) as i32, |x| (-x * x / (2.0 * sigma * sigma)).exp())
}

fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate() {
        for (to, y) in out[i..].iter_mut().zip(b) {
            *to += x * y;
        }
    }
    out
}

fn sum(one: &[f64], shares: u32) -> Vec<f64> {
    (0..shares).fold(vec![1.0], |sum, _| convolve(&sum, one))
}

/// The Renyi divergence of an order from a law to itself shifted, over all outcomes that a double can
/// tell from nothing.
fn renyi(law: &[f64], shift: usize, order: f64) -> f64 {
    let kept = law.iter().zip(&law[shift..]).filter(|(p, q)| **p > 1e-280 && **q > 1e-280);
    let logs: Vec<f64> = kept.map(|(p, q)| order * p.ln() + (1.0 - order) * q.ln()).collect();
    let most = logs.iter().copied().fold(f64::MIN, f64::max);
    let moment: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    (most + moment.ln()) / (order - 1.0)
}

const ORDERS: [f64; 9] = [1.01, 1.1, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0];

/// What so many shares of this scale cost in rho, measured: the worst order.
fn measured(sigma: f64, shares: u32, shift: usize) -> f64 {
    let law = sum(&discrete_gaussian(sigma), shares);
    ORDERS.into_iter().map(|order| renyi(&law, shift, order) / order).fold(0.0, f64::max)
}

/// The losses of these tests: noise from half a person to five.
const RHOS: [u64; 4] = [20_000, 125_000, 500_000, 2_000_000];

#[test]
fn the_sum_of_honest_shares_costs_no_more_than_the_loss() {
    for rho in RHOS {
        for (minimum, tolerated) in [(1, 0), (2, 0), (3, 1), (5, 1), (9, 2)] {
            let noise = noise(gaussian(rho), minimum, tolerated);
            let Share::DiscreteGaussian { sigma } = noise.share() else { panic!("a Gaussian") };
            let honest = noise.sharing().honest();
            let loss = Rho::from_micro(rho).value();
            let found = measured(sigma, honest, noise.factor() as usize);
            // The measurement itself is rounded.
            assert!(found <= loss * (1.0 + 1e-9), "{found} for {loss}: {noise:?}");
            assert!(found >= loss * 0.999, "more noise than was asked for: {found} for {loss}");
            assert!(noise.rho(honest) <= loss && noise.rho(honest) > loss * (1.0 - 1e-12));
            assert_eq!(noise.guarantee(honest), Some(Rho::from_micro(rho)));
            // The test can fail: a tenth less of sigma costs a fifth more.
            let planted = measured(0.9 * sigma, honest, noise.factor() as usize);
            assert!(planted > loss * 1.1, "{planted} for {loss}");
        }
    }
}

#[test]
fn fewer_honest_shares_cost_what_is_said() {
    for rho in [125_000, 500_000] {
        let noise = noise(gaussian(rho), 6, 1);
        let Share::DiscreteGaussian { sigma } = noise.share() else { panic!("a Gaussian") };
        for honest in 1..=8 {
            let (found, said) =
                (measured(sigma, honest, noise.factor() as usize), noise.rho(honest));
            assert!(found <= said * (1.0 + 1e-9) && found >= 0.999 * said, "{found}, said {said}");
        }
        assert!((noise.rho(1) / noise.rho(5) - 5.0).abs() < 1e-9, "one share is a fifth");
        assert!(noise.rho(0).is_infinite() && noise.guarantee(0).is_none());
    }
}

/// Tau matters for small scales, which no study has: there it covers what the sum is off by.
#[test]
fn tau_covers_what_a_sum_of_gaussians_is_off_by() {
    for sigma in [0.5, 0.6, 0.8, 1.0, 1.5] {
        for shares in [2_u32, 3, 5, 9] {
            let law = sum(&discrete_gaussian(sigma), shares);
            let plain = 1.0 / (2.0 * f64::from(shares) * sigma * sigma);
            let tau = tau(sigma, shares);
            for order in ORDERS {
                let found = renyi(&law, 1, order);
                assert!(
                    found <= order * plain + tau,
                    "sigma {sigma}, {shares} at {order}: {found}"
                );
            }
        }
    }
    // Without tau the account would be wrong: that is what it is for.
    let law = sum(&discrete_gaussian(0.5), 2);
    let off = ORDERS.map(|order| renyi(&law, 1, order) - order / (2.0 * 2.0 * 0.25));
    assert!(off.into_iter().fold(f64::MIN, f64::max) > 0.0, "{off:?}");
}

#[test]
fn tau_is_its_formula_and_grows_with_shares() {
    let exact = |sigma: f64, shares: u32| {
        let term = |j: f64| (-2.0 * (std::f64::consts::PI * sigma).powi(2) * j / (j + 1.0)).exp();
        10.0 * (1..shares).map(|j| term(f64::from(j))).sum::<f64>()
    };
    assert!(tau(2.0, 0) <= 0.0 && tau(0.1, 1) <= 0.0);
    for sigma in [0.5, 1.0, 2.0] {
        for shares in [2, 10, 101] {
            let (found, exact) = (tau(sigma, shares), exact(sigma, shares));
            assert!((found / exact - 1.0).abs() < 1e-12, "{sigma} {shares}");
        }
        // Beyond a hundred terms it is a little more.
        for shares in [150, 3_000] {
            let (found, exact) = (tau(sigma, shares), exact(sigma, shares));
            assert!(found >= exact && found <= 1.3 * exact, "{found} for {exact}");
        }
        assert!(tau(sigma, 5) < tau(sigma, 6) && tau(2.0 * sigma, 5) < tau(sigma, 5));
    }
    // A table of ten thousand cells does not feel it.
    assert!(tau(LEAST_SIGMA, 100_000) * 1e4 < 1e-20);
}

/// Half of the masses of the difference of two negative binomials of `successes` at `q`, from 0 on.
fn polya(q: f64, successes: f64, reach: u32) -> Vec<f64> {
    let mut one = vec![(1.0 - q).powf(successes)];
    for j in (0..reach).map(f64::from) {
        one.push(one[one.len() - 1] * q * (j + successes) / (j + 1.0));
    }
    let at = |x: usize| one.iter().zip(&one[x..]).map(|(a, b)| a * b).sum::<f64>();
    (0..one.len()).map(at).collect()
}

fn mirrored(half: &[f64]) -> Vec<f64> {
    half.iter().skip(1).rev().chain(half).copied().collect()
}

#[test]
fn polya_shares_add_up_to_the_discrete_laplace() {
    for (b, parts) in [(0.5, 2_u32), (1.0, 3), (3.3, 5), (7.0, 4)] {
        let q = f64::exp(-1.0 / b);
        let law = sum(&mirrored(&polya(q, 1.0 / f64::from(parts), (30.0 * b) as u32)), parts);
        let middle = law.len() / 2;
        let total = (1.0 + q) / (1.0 - q);
        for x in 0..=(15.0 * b) as usize {
            let exact = q.powi(x as i32) / total;
            assert!((law[middle + x] / exact - 1.0).abs() < 1e-6, "b {b}, {parts} parts, at {x}");
        }
    }
}

/// The step from 0 to 1 is the largest, for every number of shares below all of them; the account is
/// that step, for as many steps as a participant can take.
#[test]
fn the_epsilon_of_few_polya_shares_is_that_of_the_largest_step() {
    for (epsilon, minimum) in [(2_000_000, 3_u32), (1_000_000, 5), (300_000, 8), (100_000, 4)] {
        let noise = noise(laplace(epsilon), minimum, 0);
        let b = 1e6 / epsilon as f64;
        for honest in 1..minimum {
            let successes = f64::from(honest) / f64::from(minimum);
            let law = polya(f64::exp(-1.0 / b), successes, (60.0 * b) as u32);
            let near = &law[..(20.0 * b) as usize];
            let steps: Vec<f64> = near.windows(2).map(|pair| (pair[0] / pair[1]).ln()).collect();
            let largest = steps.iter().copied().fold(0.0, f64::max);
            assert!(largest <= steps[0], "{honest} of {minimum}: not the first step");
            let said = noise.epsilon(honest).expect("Polya shares have one");
            assert!(said >= largest && said <= largest * (1.0 + 1e-6), "{said} for {largest}");
            assert!((noise.rho(honest) - said * said / 2.0).abs() < 1e-12);
        }
        assert_eq!(noise.epsilon(minimum), Some(epsilon as f64 / 1e6));
        assert_eq!(noise.own_epsilon(), noise.epsilon(1));
        assert_eq!(noise.guarantee(minimum), noise.loss().charge());
    }
}

/// A change of several units in several cells costs no more than that many largest steps.
#[test]
fn a_wider_contribution_costs_as_many_steps() {
    let sharing = sharing(5, 0);
    let noise = ShareNoise::of(laplace(1_500_000), bound(2, 2, 3), 4, sharing).expect("noise");
    let law = polya(f64::exp(-0.5), 0.2, 200);
    let at = |x: i64| law[x.unsigned_abs() as usize];
    let worst =
        |shift: i64| (-60..60).map(|x| (at(x) / at(x + shift)).ln()).fold(f64::MIN, f64::max);
    let said = noise.own_epsilon().expect("Polya shares have one");
    assert!(worst(2) + worst(1) <= said && worst(1) * 2.0 + worst(1) <= said * (1.0 + 1e-9));
}

#[test]
fn more_honest_shares_never_cost_more() {
    for loss in [gaussian(1), gaussian(125_000), gaussian(100_000_000), laplace(1_000_000)] {
        let noise = noise(loss, 20, 4);
        let costs: Vec<f64> = (0..=40).map(|honest| noise.rho(honest)).collect();
        assert!(costs.windows(2).all(|pair| pair[1] <= pair[0]), "{loss:?}: {costs:?}");
        assert_eq!(noise.guarantee(16), loss.charge());
    }
}

#[test]
fn noise_at_the_ends_of_what_may_be_asked_keeps_to_its_loss() {
    let bounds = [bound(1, 1, 1), bound(10_000, 10_000, 100_000_000), bound(6, 13, 78)];
    for rho in [1, 7, 1_000, 125_000, 100_000_000] {
        for bound in bounds {
            for (minimum, tolerated) in [(2, 0), (2, 1), (357, 71), (100_000, 0), (100_000, 99_999)]
            {
                let sharing = sharing(minimum, tolerated);
                let made = ShareNoise::of(gaussian(rho), bound, 10_000, sharing).expect("noise");
                let Share::DiscreteGaussian { sigma } = made.share() else { panic!("a Gaussian") };
                assert!(sigma >= LEAST_SIGMA && made.factor() % 2 == 1, "{made:?}");
                assert_eq!(
                    made.guarantee(sharing.honest()),
                    Some(Rho::from_micro(rho)),
                    "{made:?}"
                );
                // No more noise than was asked for, either.
                let whole = sigma * f64::from(sharing.honest()).sqrt() / f64::from(made.factor());
                assert!((whole / gaussian(rho).nominal_scale(bound) - 1.0).abs() < 1e-12);
            }
        }
    }
    for loss in [gaussian(0), gaussian(100_000_001), laplace(0)] {
        let made = ShareNoise::of(loss, bounds[0], 1, sharing(2, 0));
        assert_eq!(made, Err(ShareError::Loss));
    }
    let made = ShareNoise::of(laplace(99), bounds[0], 1, sharing(2, 0));
    assert_eq!(made, Err(ShareError::Scale));
    assert!(Sharing::new(5, 5).is_err() && Sharing::new(0, 0).is_err());
}

/// At every scale that is shared the account of one share ends, and is not too small.
#[test]
fn the_largest_step_is_bounded_in_time_and_on_the_safe_side() {
    for b in [0.01, 1.0, 100.0, 10_000.0] {
        for parts in [2.0, 357.0, 100_000.0] {
            for honest in [1.0, parts - 1.0] {
                let step = largest_step(1.0 / b, honest / parts);
                // All shares together have 1/b, and fewer have more.
                assert!(step.is_finite() && step >= 1.0 / b, "{b} {honest} of {parts}: {step}");
            }
        }
    }
}
