//! The figures err on the side of whoever is protected.

use super::{Cost, Noise};
use fellestall_shared::privacy::{Bound, Delta, Epsilon, Loss, Rho};

fn cost(micro: u64) -> Cost {
    Cost::of(Rho::from_micro(micro), Delta::MICRO)
}

#[test]
fn nothing_spent_lets_nothing_be_inferred() {
    let nothing = cost(0);
    assert_eq!(nothing.rho, "0");
    for (figure, expected) in [
        (nothing.epsilon, 0.0),
        (nothing.odds, 0.0),
        (nothing.belief_percent, 50.0),
        (nothing.guess_percent, 50.0),
    ] {
        assert!((figure - expected).abs() < 1e-9, "{figure}");
    }
}

/// The chance of the best guess between two normal distributions of standard deviation 1 that are
/// `apart` from each other, from the integral of the density.
fn best_guess(apart: f64) -> f64 {
    let steps = 20_000;
    let width = apart / 2.0 / f64::from(steps);
    let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let integral: f64 =
        (0..steps).map(|step| density((f64::from(step) + 0.5) * width) * width).sum();
    0.5 + integral
}

/// A count with Gaussian noise of sigma = 1 / sqrt(2 rho) is what the bound has to cover: the two
/// distributions to tell apart are one apart, that is sqrt(2 rho) standard deviations.
#[test]
fn the_best_guess_is_never_better_than_what_is_said() {
    for micro in [1_000, 50_000, 125_000, 750_000, 2_000_000, 10_000_000] {
        let rho = Rho::from_micro(micro).value();
        let exact = 100.0 * best_guess((2.0 * rho).sqrt());
        let said = cost(micro).guess_percent;
        assert!(said >= exact && said <= exact + 15.0, "rho {rho}: {said} for {exact}");
    }
}

#[test]
fn a_belief_follows_from_the_odds_and_never_reads_as_less() {
    for micro in [1_000, 125_000, 750_000, 10_000_000] {
        let cost = cost(micro);
        let exact = 100.0 * cost.odds.exp() / (1.0 + cost.odds.exp());
        assert!(cost.belief_percent >= exact - 0.02 && cost.belief_percent <= 100.0);
        // The odds hold for the loss itself; epsilon at the delta is a tighter conversion.
        assert!(cost.odds >= cost.epsilon - 0.001);
    }
}

#[test]
fn noise_is_told_as_it_is_drawn() {
    let bound = Bound::new(1, 1, 1).expect("a bound");
    // Sigma 2: the mass at 0 is 1 / (sigma sqrt(2 pi)) but for a term below 10^-30.
    let gaussian = Loss::DiscreteGaussian { rho_micro: Rho::from_micro(125_000) };
    let noise = Noise::of(gaussian, bound);
    assert!((noise.deviation - 2.0).abs() < 1e-9 && !noise.laplace);
    assert!((noise.unchanged_percent - 20.0).abs() < 1e-9, "{}", noise.unchanged_percent);
    assert!((noise.zero_shown_percent - 40.0).abs() < 1e-9, "{}", noise.zero_shown_percent);
    assert!((noise.half_width - 4.0).abs() < 1e-9);
    // Epsilon 1: p = 1/e, the mass at 0 is (e - 1) / (e + 1) = 46.2 %.
    let laplace = Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(1_000_000) };
    let noise = Noise::of(laplace, bound);
    assert!((noise.unchanged_percent - 46.3).abs() < 1e-9 && noise.laplace);
    assert!((noise.deviation - 1.356).abs() < 1e-9, "{}", noise.deviation);
    // A large scale goes over into the integral without a step.
    let wide = |micro| {
        let loss = Loss::DiscreteGaussian { rho_micro: Rho::from_micro(micro) };
        Noise::of(loss, bound).unchanged_percent
    };
    assert!((wide(50) - wide(51)).abs() < 0.11);
}
