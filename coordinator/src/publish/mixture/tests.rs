//! The law against brute-force convolution.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "test arithmetic on small numbers"
)]

use super::super::noise_law::Noise;
use super::{Mixture, Part, Rounding};
use std::collections::BTreeMap;

/// The mass of one noise on `-reach..=reach`, straight from its definition.
fn mass(noise: Noise, reach: i32) -> Vec<(i32, f64)> {
    let weight = |x: f64| match noise {
        Noise::DiscreteGaussian { sigma } => (-x * x / (2.0 * sigma * sigma)).exp(),
        Noise::DiscreteLaplace { b } => (-x.abs() / b).exp(),
    };
    let total: f64 = (-reach..=reach).map(|x| weight(f64::from(x))).sum();
    (-reach..=reach).map(|x| (x, weight(f64::from(x)) / total)).collect()
}

/// Sums of `count` draws.
fn sums(noise: Noise, count: usize, reach: i32) -> BTreeMap<i32, f64> {
    let one = mass(noise, reach);
    let mut all = BTreeMap::from([(0, 1.0)]);
    for _ in 0..count {
        let mut next: BTreeMap<i32, f64> = BTreeMap::new();
        for (sum, p) in &all {
            for (x, q) in &one {
                *next.entry(sum + x).or_default() += p * q;
            }
        }
        all = next.into_iter().filter(|(_, p)| *p > 1e-16).collect();
    }
    all
}

fn nearest(numerator: i64, denominator: i64) -> i64 {
    let size = (2 * numerator.abs() + denominator) / (2 * denominator);
    size * numerator.signum()
}

/// The law of the sum of `cells` figures with this mass.
fn summed(one: &BTreeMap<i64, f64>, cells: usize) -> BTreeMap<i64, f64> {
    let mut all = BTreeMap::from([(0, 1.0)]);
    for _ in 0..cells {
        let mut next: BTreeMap<i64, f64> = BTreeMap::new();
        for (sum, p) in &all {
            for (x, q) in one {
                *next.entry(sum + x).or_default() += p * q;
            }
        }
        all = next;
    }
    all
}

fn check(mixture: &Mixture, exact: &BTreeMap<i64, f64>, cells: usize, tolerance: f64) {
    let exact = summed(exact, cells);
    let variance: f64 = exact.iter().map(|(x, p)| (*x as f64).powi(2) * p).sum();
    let found = mixture.variance() * cells as f64;
    assert!((found - variance).abs() < tolerance * variance.max(1.0), "{found} beside {variance}");
    let within = |w: i64| exact.range(-w..=w).map(|(_, p)| p).sum::<f64>();
    let half = Mixture::half_width(&[(mixture, cells)]);
    assert!(within(half) > 0.95 - tolerance && within(half - 1) < 0.95 + tolerance, "{half}");
}

#[test]
fn opened_sums_over_a_factor_have_the_law_of_brute_force_convolution() {
    for (sigma, reports, factor) in [(2.0, 5, 3), (3.0, 4, 17), (2.5, 3, 1), (3.0, 2, 5)] {
        let noise = Noise::DiscreteGaussian { sigma };
        let mut exact: BTreeMap<i64, f64> = BTreeMap::new();
        for (sum, p) in sums(noise, reports, (9.0 * sigma) as i32) {
            *exact.entry(nearest(sum.into(), factor)).or_default() += p;
        }
        let part = Part { noise, count: reports as f64, scale: 1.0 / factor as f64 };
        let rounding = Rounding::Parts(u32::try_from(factor).unwrap());
        let mixture = Mixture { parts: vec![part], rounding };
        for cells in [1, 2, 5] {
            check(&mixture, &exact, cells, 1e-9);
        }
    }
}

/// Polya shares: six of four are one and a half discrete Laplace, whose mass is a recurrence.
#[test]
fn more_polya_shares_than_needed_have_their_own_law() {
    let (b, successes) = (2.0_f64, 1.5_f64);
    let q = (-1.0 / b).exp();
    let mut one = vec![(1.0 - q).powf(successes)];
    for j in 0..200 {
        let last = one[j];
        one.push(last * q * (j as f64 + successes) / (j as f64 + 1.0));
    }
    let mut exact: BTreeMap<i64, f64> = BTreeMap::new();
    for (i, p) in (0..).zip(&one) {
        for (j, r) in (0..).zip(&one) {
            *exact.entry(i - j).or_default() += p * r;
        }
    }
    let part = Part { noise: Noise::DiscreteLaplace { b }, count: successes, scale: 1.0 };
    let mixture = Mixture { parts: vec![part], rounding: Rounding::Parts(1) };
    check(&mixture, &exact, 1, 1e-9);
    check(&mixture, &exact, 2, 1e-9);
}

/// With weights of thousandths, the mean of both sums lies on a fine grid.
#[test]
fn the_weighed_mean_of_both_sums_has_its_law() {
    let own = Noise::DiscreteGaussian { sigma: 2.2 };
    let share = Noise::DiscreteGaussian { sigma: 2.0 };
    for (weight, factor) in [(771_i64, 3_i64), (913, 7)] {
        let (local, opened) = (sums(own, 3, 18), sums(share, 3, 16));
        let mut exact: BTreeMap<i64, f64> = BTreeMap::new();
        for (l, p) in &local {
            for (o, q) in &opened {
                let top = weight * i64::from(*o) + (1_000 - weight) * factor * i64::from(*l);
                *exact.entry(nearest(top, 1_000 * factor)).or_default() += p * q;
            }
        }
        let share_of = weight as f64 / 1_000.0;
        let parts = vec![
            Part { noise: own, count: 3.0, scale: 1.0 - share_of },
            Part { noise: share, count: 3.0, scale: share_of / factor as f64 },
        ];
        let mixture = Mixture { parts, rounding: Rounding::Once };
        check(&mixture, &exact, 1, 2e-3);
        check(&mixture, &exact, 3, 2e-3);
    }
}
