//! The law against brute-force convolution.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "test arithmetic on small numbers"
)]

use super::{Noise, NoiseLaw};

/// The mass of one noise on `-reach..=reach`, straight from its definition.
fn mass(noise: Noise, reach: i32) -> Vec<f64> {
    let weight = |x: f64| match noise {
        Noise::DiscreteGaussian { sigma } => (-x * x / (2.0 * sigma * sigma)).exp(),
        Noise::DiscreteLaplace { b } => (-x.abs() / b).exp(),
    };
    let weights: Vec<f64> = (-reach..=reach).map(|x| weight(f64::from(x))).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            out[i + j] += x * y;
        }
    }
    out
}

fn check(parts: &[(Noise, usize)], reach: i32) {
    let mut exact = vec![1.0];
    for (noise, count) in parts {
        let one = mass(*noise, reach);
        for _ in 0..*count {
            exact = convolve(&exact, &one);
        }
    }
    let law = NoiseLaw::of(parts);
    let centre = exact.len() / 2;
    let variance: f64 =
        exact.iter().enumerate().map(|(i, p)| (i as f64 - centre as f64).powi(2) * p).sum();
    assert!((law.variance() - variance).abs() < 1e-6 * variance.max(1e-9), "{parts:?}: variance");
    let mut cumulative = exact[centre];
    let mut smallest = (cumulative >= 0.95).then_some(0);
    for w in 1..=centre.min(400) {
        assert!((law.within(w as i64 - 1) - cumulative).abs() < 1e-9, "{parts:?}: at {}", w - 1);
        cumulative += exact[centre - w] + exact[centre + w];
        if smallest.is_none() && cumulative >= 0.95 {
            smallest = Some(w);
        }
    }
    assert_eq!(Some(law.half_width(0.95) as usize), smallest, "{parts:?}");
}

#[test]
fn the_law_is_that_of_brute_force_convolution() {
    let gaussian = |sigma| Noise::DiscreteGaussian { sigma };
    let laplace = |b| Noise::DiscreteLaplace { b };
    for sigma in [0.2, 0.45, 0.51, 0.8, 1.0, 2.9, 3.1, 7.5] {
        check(&[(gaussian(sigma), 1)], 90);
        check(&[(gaussian(sigma), 5)], 90);
    }
    for b in [0.1, 0.7, 1.0, 3.3] {
        check(&[(laplace(b), 1)], 140);
        check(&[(laplace(b), 4)], 140);
    }
    check(&[(gaussian(1.3), 3), (laplace(2.0), 2), (gaussian(0.6), 1)], 100);
    check(&[(gaussian(3.16), 19)], 40);
}

#[test]
fn no_node_means_no_noise() {
    let law = NoiseLaw::of(&[]);
    assert_eq!(law.half_width(0.95), 0);
    assert!(law.variance().abs() < f64::EPSILON);
}

#[test]
fn a_coarse_grid_is_close_to_the_continuous_law_and_never_narrower() {
    // The sum of Gaussians of this width is a normal law to far below 1e-12.
    for sigma in [900.0, 20_000.0, 3e6, 1e9] {
        let law = NoiseLaw::of(&[(Noise::DiscreteGaussian { sigma }, 10)]);
        let normal = 1.959_963_984_540_054 * law.standard_deviation();
        let width = law.half_width(0.95) as f64;
        assert!(width >= normal - 0.5 && width <= normal * 1.002, "{sigma}: {width} {normal}");
    }
    // One wide discrete Laplace is as good as the continuous one: P(|N| <= w) = 1 - exp(-w / b).
    for b in [1_000.0, 50_000.0, 1e7] {
        let law = NoiseLaw::of(&[(Noise::DiscreteLaplace { b }, 1)]);
        let continuous = b * 20_f64.ln();
        let width = law.half_width(0.95) as f64;
        assert!(width >= continuous - 1.0 && width <= continuous * 1.002, "{b}: {width}");
    }
}

#[test]
fn coverage_is_never_below_its_level_and_one_less_is() {
    for sigma in [0.3, 1.0, 3.2, 40.0] {
        for nodes in [2, 19, 357] {
            let law = NoiseLaw::of(&[(Noise::DiscreteGaussian { sigma }, nodes)]);
            let width = law.half_width(0.95);
            assert!(law.within(width) >= 0.95 && law.within(width - 1) < 0.95);
        }
    }
}
