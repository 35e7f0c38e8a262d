//! What one server alone sees does not depend on the counts: a chi-square test over bytes.
//!
//! Each test has alpha = 1e-6 for each of the two cases and for their difference. The two cases are
//! the furthest apart that there are: every count zero, and every count the largest.

use super::{ID, KEY, Vdaf, task};

/// Reports of each case.
const REPORTS: usize = 40;
/// `chi2.isf(1e-6, 255)`: what 256 equally likely values exceed once in a million.
const HIGHEST: f64 = 377.3;

/// How often each byte came.
type Histogram = [f64; 256];

fn histogram<'a>(parts: impl IntoIterator<Item = &'a Vec<u8>>) -> Histogram {
    let mut counts = [0.0; 256];
    for byte in parts.into_iter().flatten() {
        counts[usize::from(*byte)] += 1.0;
    }
    counts
}

/// The statistic of one sample against equally likely bytes.
fn against_chance(sample: &Histogram) -> f64 {
    let expected = sample.iter().sum::<f64>() / 256.0;
    assert!(expected >= 5.0, "too few bytes for the test: {expected} of each");
    sample.iter().map(|seen| (seen - expected).powi(2) / expected).sum()
}

/// The statistic of two samples against one another.
fn against_each_other(one: &Histogram, other: &Histogram) -> f64 {
    let (all_one, all_other): (f64, f64) = (one.iter().sum(), other.iter().sum());
    let ratio = (all_other / all_one).sqrt();
    let cells = one.iter().zip(other).filter(|(a, b)| **a + **b > 0.0);
    cells.map(|(a, b)| (a * ratio - b / ratio).powi(2) / (a + b)).sum()
}

/// What each party sees of the reports of one vector, over many reports.
#[derive(Default)]
struct Seen {
    public: Vec<Vec<u8>>,
    leaders: Vec<Vec<u8>>,
    helpers: Vec<Vec<u8>>,
    to_helper: Vec<Vec<u8>>,
    to_leader: Vec<Vec<u8>>,
    leaders_half: Vec<Vec<u8>>,
    helpers_half: Vec<Vec<u8>>,
}

fn seen(entries: &[u128], bits: u32) -> Seen {
    let vdaf = Vdaf::new(entries.len(), bits).unwrap();
    let mut seen = Seen::default();
    for _ in 0..REPORTS {
        let shares = vdaf.split(task(), &ID, entries).ok().unwrap();
        let started = vdaf.leader_start(&KEY, task(), &ID, &shares.public, &shares.leader);
        let (state, verifier) = started.ok().unwrap();
        let (public, helper) = (&shares.public, &shares.helper);
        let finished = vdaf.helper_finish(&KEY, task(), &ID, public, helper, &verifier);
        let (half, message) = finished.ok().unwrap();
        for (half, halves) in [
            (state.finish(&message).ok().unwrap(), &mut seen.leaders_half),
            (half, &mut seen.helpers_half),
        ] {
            let mut sum = vdaf.nothing();
            sum.add(&half).unwrap();
            halves.push(sum.to_bytes());
        }
        seen.public.push(shares.public);
        seen.leaders.push(shares.leader);
        seen.helpers.push(shares.helper);
        seen.to_helper.push(verifier);
        seen.to_leader.push(message);
    }
    seen
}

fn check(what: &str, nothing: &[Vec<u8>], most: &[Vec<u8>]) {
    let (nothing, most) = (histogram(nothing), histogram(most));
    for (case, value) in [
        ("counts of zero", against_chance(&nothing)),
        ("the largest counts", against_chance(&most)),
        ("the two cases", against_each_other(&nothing, &most)),
    ] {
        assert!(value < HIGHEST, "{what} differs from chance for {case}: chi-square {value}");
    }
}

#[test]
fn what_one_server_sees_does_not_depend_on_the_counts() {
    let (nothing, most) = (seen(&[0; 60], 20), seen(&[(1 << 20) - 1; 60], 20));
    check("the public share", &nothing.public, &most.public);
    check("the leader's share", &nothing.leaders, &most.leaders);
    check("the helper's share", &nothing.helpers, &most.helpers);
    check("the leader's message", &nothing.to_helper, &most.to_helper);
    check("the leader's half", &nothing.leaders_half, &most.leaders_half);
    check("the helper's half", &nothing.helpers_half, &most.helpers_half);
    // 32 bytes each: the two cases together have enough.
    let messages: Vec<_> = nothing.to_leader.iter().chain(&most.to_leader).cloned().collect();
    assert!(against_chance(&histogram(&messages)) < HIGHEST);
}

/// The test would see a share that leaks: one that is masked in all bytes but a few.
#[test]
fn a_share_that_leaks_is_found() {
    let (nothing, mut most) = (seen(&[0; 60], 20), seen(&[(1 << 20) - 1; 60], 20));
    // One byte in fifteen is as the largest count makes it, and not as chance does.
    for byte in most.leaders_half.iter_mut().flatten().step_by(15) {
        *byte |= 0x0f;
    }
    let (one, other) = (histogram(&nothing.leaders_half), histogram(&most.leaders_half));
    assert!(against_chance(&other) > HIGHEST);
    assert!(against_each_other(&one, &other) > HIGHEST);
    assert!(against_chance(&one) < HIGHEST);
}
