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

/// The mean of both sums, weighed by multiples of 1/125: about a half too, where the two lattices meet
/// in the middle between integers and the error of rounding is larger than a uniform one.
#[test]
fn the_weighed_mean_of_both_sums_has_its_law() {
    let bell = |sigma| Noise::DiscreteGaussian { sigma };
    let tails = Noise::DiscreteLaplace { b: 1.2 };
    let cases = [
        (bell(2.2), bell(2.0), 3, 96, 3),
        (bell(2.2), bell(2.0), 3, 114, 7),
        (bell(1.6), bell(1.6), 3, 62, 1),
        (bell(1.6), bell(1.6), 3, 63, 1),
        (bell(0.4), bell(3.0), 2, 31, 15),
        (bell(0.7), bell(3.0), 4, 83, 9),
        (tails, tails, 2, 63, 1),
        (tails, bell(3.0), 2, 100, 5),
        (bell(2.0), bell(3.0), 3, 125, 5),
        (bell(2.0), bell(3.0), 3, 0, 5),
    ];
    for (own, share, nodes, weight, factor) in cases {
        let (local, opened) = (sums(own, nodes, 40), sums(share, nodes, 40));
        let mut exact: BTreeMap<i64, f64> = BTreeMap::new();
        for (l, p) in &local {
            for (o, q) in &opened {
                let top = weight * i64::from(*o) + (125 - weight) * factor * i64::from(*l);
                *exact.entry(nearest(top, 125 * factor)).or_default() += p * q;
            }
        }
        let (share_of, count) = (weight as f64 / 125.0, nodes as f64);
        let parts = vec![
            Part { noise: own, count, scale: 1.0 - share_of },
            Part { noise: share, count, scale: share_of / factor as f64 },
        ];
        let rounding = Rounding::Parts(u32::try_from(125 * factor).unwrap());
        let mixture = Mixture { parts, rounding };
        check(&mixture, &exact, 1, 1e-9);
        check(&mixture, &exact, 3, 1e-9);
    }
}

/// Beyond the fine grid an interval is that of the limiting law, or wider.
#[test]
fn very_wide_noise_is_close_to_its_limit_and_never_narrower() {
    let half = |noise: Noise, count: f64| {
        let part = Part { noise, count, scale: 1.0 };
        Mixture::half_width(&[(&Mixture { parts: vec![part], rounding: Rounding::Parts(1) }, 1)])
    };
    for sigma in [2_100.0, 5_000.0, 100_000.0] {
        let found = half(Noise::DiscreteGaussian { sigma }, 4.0) as f64;
        let normal = 1.959_963_984_540_054 * 2.0 * sigma;
        assert!(found >= normal && found <= normal + 2.0, "{found} for {normal}");
    }
    // One Laplace reaches further than a normal law of its variance: ln 20 times b.
    for b in [2_000.0, 9_000.0] {
        let found = half(Noise::DiscreteLaplace { b }, 1.0) as f64;
        let exact = 20.0_f64.ln() * b;
        assert!(found >= exact && found <= exact * 1.001 + 2.0, "{found} for {exact}");
    }
}

#[test]
fn no_noise_is_no_interval() {
    let part = Part { noise: Noise::DiscreteGaussian { sigma: 5.0 }, count: 0.0, scale: 0.2 };
    let mixture = Mixture { parts: vec![part], rounding: Rounding::Parts(5) };
    assert_eq!(Mixture::half_width(&[(&mixture, 1)]), 0);
    assert!(mixture.variance() < 1e-12);
}
