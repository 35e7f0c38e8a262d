//! The laws of rounded sums of shares, and of their combination with nodes' own noises, against every
//! outcome and its probability.

use super::super::{CombinedLaw, Noise, NoiseLaw, ShareLaw};
use super::{convolve, mass};
use fellestall_shared::privacy::{Bound, Epsilon, Loss, Rho};
use fellestall_shared::secure::noise::{Share, ShareNoise, Sharing};
use std::collections::BTreeMap;

fn gaussian(rho_micro: u64) -> Loss {
    Loss::DiscreteGaussian { rho_micro: Rho::from_micro(rho_micro) }
}

fn laplace(epsilon_micro: u64) -> Loss {
    Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(epsilon_micro) }
}

fn shared(loss: Loss, minimum: u32, tolerated: u32) -> ShareNoise {
    let bound = Bound::new(1, 1, 1).expect("a bound");
    let sharing = Sharing::new(minimum, tolerated).expect("a sharing");
    ShareNoise::of(loss, bound, 10, sharing).expect("shared noise")
}

/// The masses of a sum of so many shares, in scaled units, by brute force.
fn scaled(noise: &ShareNoise, reports: usize) -> Vec<f64> {
    let one = match noise.share() {
        Share::DiscreteGaussian { sigma } => {
            mass(Noise::DiscreteGaussian { sigma }, (12.0 * sigma) as i32)
        }
        Share::Polya { epsilon, l1, parts } => {
            let (b, r) = (f64::from(l1) / epsilon.value(), 1.0 / f64::from(parts));
            let q = (-1.0 / b).exp();
            let mut half = vec![(1.0 - q).powf(r)];
            for j in 0..(40.0 * b) as i32 {
                half.push(half[j as usize] * q * (f64::from(j) + r) / f64::from(j + 1));
            }
            let reversed: Vec<f64> = half.iter().rev().copied().collect();
            convolve(&half, &reversed)
        }
    };
    (0..reports).fold(vec![1.0], |sum, _| convolve(&sum, &one))
}

/// Values with their masses, about 0.
fn values(masses: &[f64]) -> impl Iterator<Item = (i64, f64)> + Clone + '_ {
    let reach = (masses.len() / 2) as i64;
    (-reach..).zip(masses.iter().copied()).filter(|(_, mass)| *mass > 1e-18)
}

/// The nearest integer to a fraction with an odd denominator.
fn rounded(value: i64, of: i64) -> i64 {
    let nearest = (value as f64 / of as f64).round() as i64;
    assert!((value - nearest * of).abs() * 2 < of, "no tie, and nothing nearer");
    nearest
}

/// What a law says, beside what every outcome with its probability says.
fn check(
    outcomes: &BTreeMap<i64, f64>,
    variance: f64,
    within: &dyn Fn(i64) -> f64,
    half_width: i64,
) {
    let exact: f64 = outcomes.iter().map(|(n, mass)| (n * n) as f64 * mass).sum();
    assert!((variance - exact).abs() < 1e-8 * exact.max(1.0), "variance {variance}, not {exact}");
    let mut smallest = None;
    for w in 0..60 {
        let inside: f64 = outcomes.range(-w..=w).map(|(_, mass)| mass).sum();
        assert!((within(w) - inside).abs() < 1e-9, "{} within {w}, not {inside}", within(w));
        if inside >= 0.95 {
            smallest = smallest.or(Some(w));
        }
    }
    assert_eq!(Some(half_width), smallest);
}

fn kinds() -> Vec<(ShareNoise, u32)> {
    vec![
        (shared(gaussian(125_000), 4, 1), 4),
        (shared(gaussian(125_000), 4, 1), 7),
        (shared(gaussian(500_000), 16, 0), 19),
        (shared(gaussian(5_000_000), 4, 0), 5),
        (shared(gaussian(60_000_000), 3, 0), 3),
        (shared(gaussian(8_000), 3, 1), 3),
        (shared(laplace(1_000_000), 4, 0), 5),
        (shared(laplace(400_000), 9, 2), 9),
    ]
}

#[test]
fn a_rounded_sum_of_shares_has_the_law_of_every_outcome() {
    for (noise, reports) in kinds() {
        let law = ShareLaw::of(&noise, reports);
        let mut outcomes = BTreeMap::new();
        for (z, mass) in values(&scaled(&noise, reports as usize)) {
            assert_eq!(law.count(z), rounded(z, noise.factor().into()));
            *outcomes.entry(law.count(z)).or_insert(0.0) += mass;
        }
        check(&outcomes, law.variance(), &|w| law.within(w), law.half_width(0.95));
    }
}

#[test]
fn a_combined_figure_has_the_law_of_every_outcome() {
    let locals = [
        (Noise::DiscreteGaussian { sigma: 2.0 }, 4),
        (Noise::DiscreteGaussian { sigma: 0.4 }, 3),
        (Noise::DiscreteLaplace { b: 1.5 }, 3),
    ];
    let mut weights = std::collections::BTreeSet::new();
    for (noise, reports) in kinds() {
        let masses = scaled(&noise, reports as usize);
        for local in locals {
            let one = mass(local.0, 50);
            let own = (0..local.1).fold(vec![1.0], |sum, _| convolve(&sum, &one));
            let shared = ShareLaw::of(&noise, reports);
            let law = CombinedLaw::of(&NoiseLaw::of(&[local]), &shared);
            let (k, of) = law.weight();
            weights.insert(k);
            let mut outcomes = BTreeMap::new();
            for (zs, mass_s) in values(&masses).filter(|(_, mass)| *mass > 1e-13) {
                for (zl, mass_l) in values(&own).filter(|(_, mass)| *mass > 1e-13) {
                    let n = law.count(zs, zl).expect("a figure");
                    *outcomes.entry(n).or_insert(0.0) += mass_s * mass_l;
                }
            }
            let s = i64::from(noise.factor());
            assert_eq!(law.count(7 * s, -3), Some(rounded(7 * s * k - 3 * s * (of - k), s * of)));
            check(&outcomes, law.variance(), &|w| law.within(w), law.half_width(0.95));
        }
    }
    assert!(weights.len() > 10, "one weight proves little: {weights:?}");
}

/// The combination is never much worse than the better of the two, and near the optimum.
#[test]
fn a_combined_figure_is_better_than_its_parts() {
    for (noise, reports) in kinds() {
        for sigma in [0.5, 1.0, 3.0, 20.0] {
            let local = NoiseLaw::of(&[(Noise::DiscreteGaussian { sigma }, reports as usize)]);
            let shared = ShareLaw::of(&noise, reports);
            let combined = CombinedLaw::of(&local, &shared);
            let optimum = 1.0 / (1.0 / local.variance() + 1.0 / shared.variance());
            // The weight in 63 parts costs a per cent at the most. Rounding adds a twelfth, or an
            // eighth where the weight is near a half and the figure near the middle of two integers.
            let found = combined.variance();
            assert!(found <= 1.01 * optimum + 0.126, "{found}, {optimum}: {noise:?}, {sigma}");
        }
    }
}

#[test]
fn very_wide_noise_is_close_to_the_normal_law_and_never_narrower() {
    for (rho, sigma) in [(1, 700.0), (1, 5_000.0), (2, 100_000.0)] {
        let shared = ShareLaw::of(&shared(gaussian(rho), 100, 20), 100);
        let local = NoiseLaw::of(&[(Noise::DiscreteGaussian { sigma }, 4)]);
        let law = CombinedLaw::of(&local, &shared);
        let (k, of) = law.weight();
        let share = k as f64 / of as f64;
        let variance =
            share * share * shared.variance() + (1.0 - share) * (1.0 - share) * local.variance();
        let normal = 1.959_963_984_540_054 * variance.sqrt();
        let width = law.half_width(0.95) as f64;
        assert!(width >= normal && width <= normal + 2.0, "{width} for {normal}");
    }
}

#[test]
fn no_reports_are_no_noise() {
    let law = ShareLaw::of(&shared(gaussian(125_000), 4, 1), 0);
    assert_eq!(law.half_width(0.95), 0);
    assert!(law.variance().abs() < 1e-12);
}
