//! Changes: what is said of them, and how often the noise alone is taken for one.

use super::change::Presented;
use super::{Change, Measured, Verdict, change};
use crate::present::{TableKind, TableNoise};
use crate::publish::Fixed;
use crate::publish::noise_law::{Noise, NoiseLaw};
use crate::publish::table_law::TableLaw;
use fellestall_shared::privacy::{Epsilon, Loss, Rho};

fn fixed(value: f64) -> Option<Fixed> {
    Fixed::nearest(value)
}

fn noise(loss: Loss, scale: f64) -> TableNoise {
    TableNoise {
        loss: Some(loss),
        charge_micro: Rho::from_micro(125_000),
        l0: 1,
        l1: 1,
        l2_squared: 1,
        scale: fixed(scale),
        shared: None,
    }
}

fn gaussian() -> TableNoise {
    noise(Loss::DiscreteGaussian { rho_micro: Rho::from_micro(125_000) }, 2.0)
}

fn laplace() -> TableNoise {
    noise(Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(500_000) }, 2.0)
}

fn law(noise: &TableNoise) -> Noise {
    match noise.law() {
        Some(TableLaw::Local(noise)) => noise,
        _ => panic!("each node's own noise"),
    }
}

/// A count of this value that carries so many noises, as it is presented.
fn count(noise: &TableNoise, value: f64, noises: u32) -> Measured {
    let deviation = fixed((f64::from(noises) * law(noise).variance()).sqrt());
    let presented = Presented {
        raw: fixed(value),
        lower: fixed((value - 9.0).max(0.0)),
        upper: fixed((value + 9.0).max(0.0)),
        deviation,
    };
    Measured::of(TableKind::Counts, noise, presented).expect("a figure")
}

fn rate(raw: f64, lower: f64, upper: f64) -> Measured {
    let presented =
        Presented { raw: fixed(raw), lower: fixed(lower), upper: fixed(upper), deviation: None };
    Measured::of(TableKind::Rates, &gaussian(), presented).expect("a figure")
}

fn covers_zero(change: &Change) -> bool {
    change.lower95.micro() <= 0 && change.upper95.micro() >= 0
}

#[test]
fn no_real_change_is_said_exactly_when_the_interval_covers_zero() {
    let mut said = [0_u32; 3];
    for noise in [gaussian(), laplace()] {
        for before in 0..40_u32 {
            for (now, noises) in (0..40_u32).zip([1, 5, 19, 4].into_iter().cycle()) {
                let before = count(&noise, f64::from(before), 7);
                let change =
                    change(count(&noise, f64::from(now), noises), before).expect("a change");
                let no_change = change.verdict == Verdict::NoRealChange;
                assert_eq!(no_change, covers_zero(&change), "{change:?}");
                let (place, sign) = match change.verdict {
                    Verdict::NoRealChange => (0, 0),
                    Verdict::Higher => (1, 1),
                    Verdict::Lower => (2, -1),
                };
                assert!(sign == 0 || change.difference.micro().signum() == sign);
                said[place] += 1;
            }
        }
    }
    assert!(said.iter().all(|times| *times > 50), "{said:?}");
}

#[test]
fn the_variances_of_two_rounds_add() {
    let noise = gaussian();
    let change = change(count(&noise, 30.0, 9), count(&noise, 10.0, 16)).expect("a change");
    // 25 noises of standard deviation 2: 10 in all.
    let half = (change.upper95.value() - change.lower95.value()) / 2.0;
    assert!((19.0..=20.0).contains(&half), "{half}");
    assert_eq!(change.difference, fixed(20.0).expect("a number"));
    // With the noise of one round alone 12 would be the half width, and 15 a change.
    let alone = NoiseLaw::of(&[(law(&noise), 9)]).half_width(0.95);
    let hidden = super::change(count(&noise, 25.0, 9), count(&noise, 10.0, 16)).expect("a change");
    assert!(alone < 15 && hidden.verdict == Verdict::NoRealChange);
}

/// Random numbers that are the same each time (`SplitMix64`, Steele and others 2014).
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = u32::try_from((bits ^ (bits >> 31)) >> 32).expect("32 bits");
        (f64::from(high) + 0.5) / 4_294_967_296.0
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// One discrete noise, by its inverse distribution.
    fn draw(&mut self, noise: Noise) -> f64 {
        let mass = |x: f64| match noise {
            Noise::DiscreteGaussian { sigma } => (-x * x / (2.0 * sigma * sigma)).exp(),
            Noise::DiscreteLaplace { b } => (-x.abs() / b).exp(),
        };
        let domain = || (-80..=80).map(f64::from);
        let mut left = self.unit() * domain().map(mass).sum::<f64>();
        domain()
            .find(|x| {
                left -= mass(*x);
                left <= 0.0
            })
            .unwrap_or(80.0)
    }
}

/// How far below its expectation a share of `n` draws may fall by chance: alpha below 1e-6.
fn allowance(share: f64, n: f64) -> f64 {
    4.9 * (share * (1.0 - share) / n).sqrt()
}

/// The interval of a change holds the true change in 95 % of rounds or more, for either mechanism and
/// for one municipality as for many.
#[test]
fn intervals_of_changes_cover_what_they_say() {
    const ROUNDS: u32 = 4_000;
    for (seed, noise) in [(1, gaussian()), (2, laplace())] {
        for (now, before) in [(1_u32, 1_u32), (3, 1), (8, 9)] {
            let mut luck = Chance(seed * 100 + u64::from(now));
            let (truth_now, truth_before) = (12.0, 5.0);
            let mut covered = 0_u32;
            for _ in 0..ROUNDS {
                let mut count_of = |truth: f64, noises: u32| {
                    let drawn = (0..noises).map(|_| luck.draw(law(&noise))).sum::<f64>();
                    count(&noise, truth + drawn, noises)
                };
                let new = count_of(truth_now, now);
                let change = change(new, count_of(truth_before, before)).expect("a change");
                let truth = truth_now - truth_before;
                let within = change.lower95.value() <= truth && truth <= change.upper95.value();
                covered += u32::from(within);
            }
            let share = f64::from(covered) / f64::from(ROUNDS);
            let least = 0.95 - allowance(0.95, f64::from(ROUNDS));
            assert!(share >= least, "seed {seed}, {now} and {before}: {share}");
            let law = NoiseLaw::of(&[(law(&noise), (now + before) as usize)]);
            assert!(law.within(law.half_width(0.95)) >= 0.95, "exactly");
        }
    }
}

/// Of rates, with intervals as narrow and as wide as those of a few and of many municipalities.
#[test]
fn intervals_of_changed_rates_cover_what_they_say() {
    const ROUNDS: u32 = 20_000;
    let (now, before) = (0.7, 0.65);
    for (seed, spread) in [(1_u64, 0.02), (2, 0.08), (3, 0.15)] {
        let mut luck = Chance(seed);
        let mut covered = 0_u32;
        for _ in 0..ROUNDS {
            let mut drawn = |truth: f64| {
                let raw = truth + spread * luck.normal();
                let half = 1.96 * spread;
                rate(raw, (raw - half).clamp(0.0, 1.0), (raw + half).clamp(0.0, 1.0))
            };
            let new = drawn(now);
            let change = change(new, drawn(before)).expect("a change");
            let truth = now - before;
            let within = change.lower95.value() <= truth && truth <= change.upper95.value();
            covered += u32::from(within);
        }
        let share = f64::from(covered) / f64::from(ROUNDS);
        let least = 0.95 - allowance(0.95, f64::from(ROUNDS));
        assert!(share >= least, "seed {seed}: {share}");
    }
}

#[test]
fn a_lopsided_interval_stays_lopsided_and_a_moved_limit_narrows_nothing() {
    let change = super::change(rate(0.6, 0.5, 0.8), rate(0.5, 0.3, 0.6)).expect("a change");
    let (below, above) = (0.1 - change.lower95.value(), change.upper95.value() - 0.1);
    assert!((below - 0.1_f64.hypot(0.1)).abs() < 1e-5, "{below}");
    assert!((above - 0.2_f64.hypot(0.2)).abs() < 1e-5, "{above}");
    // The interval of 0.95 was 0.75 to 1.15; what is shown of it ends at 1.
    let moved = super::change(rate(0.95, 0.75, 1.0), rate(0.5, 0.49, 0.51)).expect("a change");
    assert!(moved.upper95.value() - 0.45 > 0.199, "{moved:?}");
    // So for a unit in per cent.
    let moved = super::change(rate(95.0, 75.0, 100.0), rate(50.0, 49.0, 51.0)).expect("a change");
    assert!(moved.upper95.value() - 45.0 > 19.9, "{moved:?}");
}

#[test]
fn without_an_interval_there_is_no_change() {
    let nothing = Presented { raw: fixed(3.0), lower: None, upper: None, deviation: None };
    for kind in [TableKind::Counts, TableKind::Rates, TableKind::Survival, TableKind::Means] {
        assert_eq!(Measured::of(kind, &gaussian(), nothing), None);
        let unknown = Presented { raw: None, deviation: fixed(1.0), ..nothing };
        assert_eq!(Measured::of(kind, &gaussian(), unknown), None);
    }
}
