//! D17: figures of a cohort and of the cohort without one participant, as when somebody has withdrawn
//! between two questions. What the two say together is protected by the sum of what they were charged.
//!
//! **Invariant:** bounds are Clopper and Pearson's (1934) at alpha = 1e-6 over all of them together, at
//! thresholds that were set before anything was drawn.

use super::goodness::beta_tail;
use super::{bound, gaussian, noise};
use fellestall_shared::privacy::{Delta, Rho};

/// What each of the two releases costs: sigma is 2.
const RHO_MICRO: u64 = 125_000;
/// Draws of each release in each world.
const DRAWS: usize = 50_000;
/// The delta of the claim.
const DELTA: f64 = 1e-6;
/// The thresholds.
const THRESHOLDS: [i64; 4] = [1, 3, 6, 9];
/// Alpha of one bound: 1e-6 over two statistics, four thresholds, and a bound on each of two chances.
const ALPHA: f64 = 1e-6 / 16.0;

/// The counts that two releases tell of, with the participant and without.
struct Worlds {
    with: [i64; 2],
    without: [i64; 2],
}

/// Somebody counted in the first release alone.
const WITHDREW: Worlds = Worlds { with: [1, 0], without: [0, 0] };
/// Somebody counted in both.
const STAYED: Worlds = Worlds { with: [1, 1], without: [0, 0] };

/// What is made of the figures of two releases.
type Statistic = fn(i64, i64) -> i64;

/// One statistic over two releases, drawn many times.
fn drawn(counts: [i64; 2], of: Statistic) -> Vec<i64> {
    let [first, second] = counts.map(|count| {
        noise(vec![count; DRAWS], bound(1, 1, 1), gaussian(RHO_MICRO)).expect("noise").values
    });
    first.into_iter().zip(second).map(|(first, second)| of(first, second)).collect()
}

/// A lower bound of a chance that was hit `hits` times of `n`.
fn at_least(hits: usize, n: usize) -> f64 {
    let (hits, misses) = (hits as f64, (n - hits) as f64);
    if hits == 0.0 { 0.0 } else { root(|p| beta_tail(hits, misses + 1.0, p) - ALPHA) }
}

/// An upper bound of it.
fn at_most(hits: usize, n: usize) -> f64 {
    1.0 - at_least(n - hits, n)
}

/// Where an increasing function of 0 to 1 crosses 0.
fn root(of: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if of(middle) < 0.0 { low = middle } else { high = middle }
    }
    low
}

/// The greatest epsilon that the draws prove the two worlds to differ by, at [`DELTA`].
fn proven(with: &[i64], without: &[i64]) -> f64 {
    let beyond = |draws: &[i64], t: i64| draws.iter().filter(|draw| **draw >= t).count();
    let at = |t| {
        let (with_hits, without_hits) = (beyond(with, t), beyond(without, t));
        let likely = at_least(with_hits, with.len()) - DELTA;
        (likely / at_most(without_hits, without.len())).max(1.0).ln()
    };
    THRESHOLDS.into_iter().map(at).fold(0.0, f64::max)
}

/// Epsilon of what the ledger is charged for both releases.
fn claimed() -> f64 {
    let both = Rho::from_micro(RHO_MICRO).plus(Rho::from_micro(RHO_MICRO)).expect("a sum");
    both.epsilon_ceil(Delta::MICRO)
}

#[test]
fn d17_two_figures_that_differ_by_one_participant_are_protected_by_the_sum_charged() {
    let statistics: [(Worlds, Statistic); 2] =
        [(WITHDREW, |first, second| first - second), (STAYED, |first, second| first + second)];
    for (worlds, of) in statistics {
        let proven = proven(&drawn(worlds.with, of), &drawn(worlds.without, of));
        println!("epsilon is at least {proven:.3}; charged for {:.3}", claimed());
        // The participant does make a difference, and the test sees it.
        assert!(proven > 0.0, "nothing was measured");
        assert!(proven <= claimed(), "at least {proven}, charged for {}", claimed());
    }
}

/// The test can fail: a second release that carries the noise of the first gives the participant away.
#[test]
fn d17_one_noise_for_two_figures_is_found() {
    let reused = |counts: [i64; 2]| {
        let noise = drawn([0, 0], |first, _| first);
        let of = |noise: i64| (counts[0] + noise) - (counts[1] + noise);
        noise.into_iter().map(of).collect::<Vec<_>>()
    };
    let proven = proven(&reused(WITHDREW.with), &reused(WITHDREW.without));
    assert!(proven > claimed(), "at least {proven}, charged for {}", claimed());
}

#[test]
fn bounds_of_a_chance_are_known() {
    // No hit of n: the upper bound is 1 - alpha^(1/n); all hits: the lower one is alpha^(1/n).
    let exact = ALPHA.powf(1.0 / 1000.0);
    assert!((at_most(0, 1000) - (1.0 - exact)).abs() < 1e-9);
    assert!((at_least(1000, 1000) - exact).abs() < 1e-9);
    assert!(at_least(0, 1000) <= 0.0 && at_most(1000, 1000) >= 1.0);
    // Half of n: the normal approximation, z = 5.29 for this alpha.
    let width = 5.29 * (0.25_f64 / 50_000.0).sqrt();
    assert!((at_most(25_000, 50_000) - 0.5 - width).abs() < 0.05 * width);
    assert!((0.5 - at_least(25_000, 50_000) - width).abs() < 0.05 * width);
}
