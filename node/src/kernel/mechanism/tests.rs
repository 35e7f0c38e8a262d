//! The noise against the distribution it is said to have, and the guards around it.
//!
//! **Invariant:** statistical tests use alpha = 1e-6 and the real random source; each is shown to
//! fail on a planted fault.

use super::{Asked, Local, MechanismError, apply};
use crate::kernel::ledger::{Budget, Ledger, TableGrant};
use crate::kernel::raw::Raw;
use fellestall_shared::limits::CELL_MAGNITUDE;
use fellestall_shared::privacy::{Bound, Epsilon, Loss, Rho};
use goodness::{Masses, chi_square_tail};

mod difference;
mod goodness;
mod share;
mod sums;

const ALPHA: f64 = 1e-6;

fn grant(rho: Rho) -> TableGrant {
    let all = Rho::from_micro(u64::MAX);
    let budget = Budget { lifetime: all, year: all, study: all };
    let (study, period) = ("core".parse().expect("an id"), "2026H1".parse().expect("a period"));
    let grant = Ledger::new(budget, &[]).debit(&study, period, rho).expect("room");
    grant.split(&[rho]).expect("one part").pop().expect("one part")
}

fn gaussian(rho_micro: u64) -> Loss {
    Loss::DiscreteGaussian { rho_micro: Rho::from_micro(rho_micro) }
}

fn laplace(epsilon_micro: u64) -> Loss {
    Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(epsilon_micro) }
}

fn bound(cells: u32, per_cell: u32, total: u32) -> Bound {
    Bound::new(cells, per_cell, total).expect("a bound")
}

/// A node's own noise alone.
fn own(loss: Loss) -> Asked {
    Asked { local: Some(loss), shared: None }
}

fn noise(cells: Vec<i64>, bound: Bound, loss: Loss) -> Result<Local, MechanismError> {
    let noised = apply(Raw::new(cells, bound), own(loss), grant(loss.charge().expect("a charge")))?;
    assert!(noised.shared.is_none(), "nobody asked for a share");
    Ok(noised.local.expect("it was asked for"))
}

/// `n` draws of noise, with the whole mechanism around them.
fn draws(loss: Loss, bound: Bound, n: usize) -> Vec<i64> {
    let mut draws = Vec::with_capacity(n);
    while draws.len() < n {
        let cells = vec![0; 10_000.min(n - draws.len())];
        draws.extend(noise(cells, bound, loss).expect("noise").values);
    }
    draws
}

/// The masses that a loss promises, from its nominal scale.
fn promised(loss: Loss, bound: Bound) -> Masses {
    let scale = loss.nominal_scale(bound);
    match loss {
        Loss::DiscreteGaussian { .. } => Masses::gaussian(scale),
        Loss::DiscreteLaplace { .. } => Masses::laplace(scale),
    }
}

/// The same kind of noise at 0.8 of the scale.
fn too_little(loss: Loss) -> Loss {
    match loss {
        Loss::DiscreteGaussian { rho_micro } => gaussian(rho_micro.micro() * 100 / 64),
        Loss::DiscreteLaplace { epsilon_micro } => laplace(epsilon_micro.micro() * 100 / 80),
    }
}

/// Losses and bounds with noise scales from a third to several hundred.
fn scales() -> Vec<(Loss, Bound)> {
    vec![
        (gaussian(5_000_000), bound(1, 1, 1)),
        (gaussian(125_000), bound(1, 1, 1)),
        (gaussian(20_000), bound(3, 1, 3)),
        (gaussian(20_000), bound(6, 13, 78)),
        (laplace(2_000_000), bound(1, 1, 1)),
        (laplace(300_000), bound(1, 1, 1)),
        (laplace(500_000), bound(6, 13, 78)),
    ]
}

fn check_distribution(n: usize) {
    for (loss, bound) in scales() {
        let masses = promised(loss, bound);
        let draws = draws(loss, bound, n);
        let p = masses.p_value(&draws);
        assert!(p > ALPHA, "{loss:?} {bound:?}: p = {p:e}, n = {n}");

        // The mean and the mean square lie within 4.9 standard errors (alpha = 1e-6, both sides).
        let n = draws.len() as f64;
        let mean = draws.iter().map(|x| *x as f64).sum::<f64>() / n;
        let square = draws.iter().map(|x| (*x as f64).powi(2)).sum::<f64>() / n;
        let (second, fourth) = (masses.moment(2), masses.moment(4));
        assert!(mean.abs() < 4.9 * (second / n).sqrt(), "{loss:?}: mean {mean}");
        let error = ((fourth - second * second) / n).sqrt();
        assert!((square - second).abs() < 4.9 * error + 1e-9 * second, "{loss:?}: {square}");
    }
}

/// D01, in every run: 10^5 draws at each of seven scales.
#[test]
fn d01_noise_has_the_exact_distribution() {
    check_distribution(100_000);
}

/// D01, long: 10^7 draws at each of seven scales; run with `--ignored`.
#[test]
#[ignore = "long: about a quarter of an hour of computing"]
fn d01_noise_has_the_exact_distribution_long() {
    check_distribution(10_000_000);
}

/// The test of D01 can fail: noise of 0.8 of the scale is rejected at every scale.
#[test]
fn d01_too_little_noise_is_found() {
    for (loss, bound) in scales() {
        let p = promised(loss, bound).p_value(&draws(too_little(loss), bound, 100_000));
        assert!(p < ALPHA, "{loss:?} {bound:?}: p = {p:e}");
    }
}

/// The test of D01 can fail: noise of the right variance and the wrong shape is rejected.
#[test]
fn d01_the_wrong_shape_is_found() {
    // b = 5 has variance 2 b^2 = 50, as sigma = 7.07 has.
    let laplace = draws(laplace(200_000), bound(1, 1, 1), 100_000);
    let p = promised(gaussian(10_000), bound(1, 1, 1)).p_value(&laplace);
    assert!(p < ALPHA, "p = {p:e}");
}

#[test]
fn the_tail_of_chi_square_is_known() {
    let close = |x, degrees, p: f64| {
        let found = chi_square_tail(x, degrees);
        assert!((found / p - 1.0).abs() < 1e-4, "{x} {degrees}: {found}");
    };
    // Two degrees of freedom are exponential: exp(-x / 2). The others are from printed tables.
    close(2.0, 2.0, (-1.0_f64).exp());
    close(30.0, 2.0, (-15.0_f64).exp());
    close(3.841_459, 1.0, 0.05);
    close(18.307_04, 10.0, 0.05);
    close(149.449_25, 100.0, 0.001);
}

/// The scale keeps to the loss in exact integer arithmetic, and exceeds it by rounding alone.
#[test]
fn the_scale_covers_the_loss_exactly() {
    for bound in [bound(1, 1, 1), bound(3, 1, 3), bound(5, 1, 5), bound(6, 13, 78), bound(3, 2, 5)]
    {
        for micro in [1, 3, 7, 100, 12_345, 99_999, 100_000, 333_333, 1_000_000] {
            for loss in [gaussian(micro), laplace(micro)] {
                let noised = match noise(vec![0; 3], bound, loss) {
                    Ok(noised) => noised,
                    // Noise of a scale near the limit of a cell does not fit into one.
                    Err(error) => panic!("{loss:?} {bound:?}: {error}"),
                };
                let (mantissa, exponent) = binary(noised.scale);
                let (cost, limit) = match loss {
                    // L2^2 / (2 scale^2) <= rho
                    Loss::DiscreteGaussian { .. } => (
                        shifted(u128::from(bound.l2_squared()) * 1_000_000, 2 * exponent),
                        2 * u128::from(micro) * mantissa * mantissa,
                    ),
                    // L1 / scale <= epsilon
                    Loss::DiscreteLaplace { .. } => (
                        shifted(u128::from(bound.l1()) * 1_000_000, exponent),
                        u128::from(micro) * mantissa,
                    ),
                };
                assert!(cost <= limit, "{loss:?} {bound:?}: {}", noised.scale);
                let nominal = loss.nominal_scale(bound);
                assert!((noised.scale / nominal - 1.0).abs() < 1e-12, "{loss:?} {bound:?}");
            }
        }
    }
}

/// A positive number as `mantissa / 2^exponent`, exactly.
fn binary(number: f64) -> (u128, u32) {
    let bits = number.to_bits();
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    let exponent = 1075 - i64::try_from(bits >> 52).expect("positive");
    (u128::from(mantissa), u32::try_from(exponent).expect("below 2^53"))
}

fn shifted(number: u128, by: u32) -> u128 {
    assert!(number.leading_zeros() >= by, "the arithmetic of this test is too narrow");
    number << by
}

/// D11: at the ends of the integers nothing wraps and nothing saturates: there is no release.
#[test]
fn d11_values_beyond_a_cell_fail_closed() {
    for extreme in [i64::MAX, i64::MIN, CELL_MAGNITUDE + 10_000, -CELL_MAGNITUDE - 10_000] {
        for loss in [gaussian(500_000), laplace(1_000_000)] {
            let noised = noise(vec![0, extreme, 0], bound(1, 1, 1), loss);
            assert_eq!(noised.err(), Some(MechanismError::Magnitude));
        }
    }
}

#[test]
fn a_loss_above_its_grant_draws_nothing() {
    let raw = Raw::new(vec![0; 4], bound(1, 1, 1));
    let noised = apply(raw, own(gaussian(500_001)), grant(Rho::from_micro(500_000)));
    assert_eq!(noised.err(), Some(MechanismError::Grant));
}

#[test]
fn a_loss_of_nothing_draws_nothing() {
    let raw = Raw::new(vec![0; 4], bound(1, 1, 1));
    let noised = apply(raw, own(gaussian(0)), grant(Rho::from_micro(500_000)));
    assert_eq!(noised.err(), Some(MechanismError::Loss));
}

#[test]
fn every_draw_is_new() {
    // Two tables of 1,000 cells with sigma 10 agree with probability below 10^-1500.
    let draw = || noise(vec![5; 1000], bound(1, 1, 1), gaussian(5_000)).expect("noise").values;
    assert_ne!(draw(), draw());
}

/// Noise is added to what was counted, and to nothing else.
#[test]
fn counts_are_the_centre_of_the_noise() {
    let cells: Vec<i64> = (0..1000).map(|cell| cell * 1000).collect();
    // Sigma is 0.07: a draw other than 0 has probability below 10^-40.
    let noised = noise(cells.clone(), bound(1, 1, 1), gaussian(100_000_000)).expect("noise");
    assert_eq!(noised.values, cells);
}
