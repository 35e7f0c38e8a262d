use super::{Difference, Noisy, lies_in, of_counts, of_estimates};
use crate::publish::noise_law::Noise;
use crate::publish::table_law::TableLaw;

/// A generator of uniform numbers, so that a run can be repeated: `SplitMix64` (Steele 2014).
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let bits = u32::try_from((z ^ (z >> 31)) >> 32).expect("32 bits");
        (f64::from(bits) + 0.5) / 4_294_967_296.0
    }
}

/// A table of the law of a noise, from which to draw.
struct Drawn {
    noise: Noise,
    steps: Vec<(f64, i32)>,
}

impl Drawn {
    fn of(noise: Noise) -> Self {
        let mass = |x: i32| match noise {
            Noise::DiscreteGaussian { sigma } => (-f64::from(x * x) / (2.0 * sigma * sigma)).exp(),
            Noise::DiscreteLaplace { b } => (-f64::from(x.abs()) / b).exp(),
        };
        let total: f64 = (-400..=400).map(mass).sum();
        let mut reached = 0.0;
        let steps = (-400..=400).map(|x| {
            reached += mass(x) / total;
            (reached, x)
        });
        Self { noise, steps: steps.collect() }
    }

    fn sum(&self, draws: u32, uniform: &mut Uniform) -> f64 {
        let one = |uniform: &mut Uniform| {
            let u = uniform.next();
            let place = self.steps.partition_point(|(reached, _)| *reached < u);
            self.steps.get(place).map_or(0, |(_, x)| *x)
        };
        (0..draws).map(|_| f64::from(one(uniform))).sum()
    }

    fn figure(&self, value: f64, draws: u32) -> (Noisy, TableLaw) {
        let variance = self.noise.variance() * f64::from(draws);
        // As it is published: the deviation with six decimals.
        let deviation = (variance.sqrt() * 1e6).round() / 1e6;
        (Noisy { value, variance: deviation * deviation }, TableLaw::Local(self.noise))
    }
}

const ROUNDS: u32 = 4_000;
const SEED: u64 = 20_260_701;

/// How often in `ROUNDS` the interval covers the true difference of two figures: `own` draws of noise
/// each and `shared` draws in both.
fn covered(noise: Noise, own: (u32, u32), shared: u32) -> u32 {
    let drawn = Drawn::of(noise);
    let mut uniform = Uniform(SEED);
    let (first, second) = (40.0, 31.0);
    let mut covered = 0;
    for _ in 0..ROUNDS {
        let common = drawn.sum(shared, &mut uniform);
        let a = first + common + drawn.sum(own.0, &mut uniform);
        let b = second + common + drawn.sum(own.1, &mut uniform);
        let (a, b) = (drawn.figure(a, own.0 + shared), drawn.figure(b, own.1 + shared));
        let found = of_counts(a, b, noise.variance() * f64::from(shared));
        covered += u32::from(found.lower <= first - second && first - second <= found.upper);
    }
    covered
}

/// The fewest of `ROUNDS` that an interval of 95 % covers, but for one run in a million: 0.95 n less
/// 4.9 standard deviations.
const FEWEST: u32 = 3_732;
/// The most, likewise, of an interval that is not wider than it has to be: 0.965 n and 4.9 standard
/// deviations. A discrete law reaches its level in steps, and these are small here.
const MOST: u32 = 3_918;

#[test]
fn the_interval_covers_what_it_says_for_counts_that_share_noise_and_for_those_that_do_not() {
    let gaussian = Noise::DiscreteGaussian { sigma: 4.0 };
    let laplace = Noise::DiscreteLaplace { b: 3.0 };
    for (noise, own, shared) in [
        (gaussian, (8, 8), 0),
        (gaussian, (1, 12), 0),
        // A total and its part: all of the part's noise is in the total.
        (gaussian, (10, 0), 2),
        // The country and a municipality, of two overlapping categories.
        (laplace, (6, 1), 3),
        (laplace, (1, 1), 0),
    ] {
        let covered = covered(noise, own, shared);
        let range = FEWEST..=MOST;
        assert!(range.contains(&covered), "{noise:?} {own:?} {shared}: {covered}, seed {SEED}");
    }
}

#[test]
fn adding_the_variances_of_a_total_and_its_part_would_be_wrong() {
    let drawn = Drawn::of(Noise::DiscreteGaussian { sigma: 4.0 });
    let (total, part) = (drawn.figure(60.0, 12), drawn.figure(20.0, 9));
    let shared = drawn.noise.variance() * 9.0;
    let width = |found: Difference| found.upper - found.lower;
    let right = of_counts(total, part, shared);
    assert!(right.is_nested && width(right) < 0.5 * width(of_counts(total, part, 0.0)));
}

#[test]
fn a_difference_within_the_noise_is_not_said_to_be_real() {
    let figure = |value: f64| Noisy { value, variance: 4.0 };
    assert!(!of_estimates(figure(10.0), figure(12.0)).is_more_than_noise());
    assert!(of_estimates(figure(10.0), figure(20.0)).is_more_than_noise());
    assert!(of_estimates(figure(20.0), figure(10.0)).is_more_than_noise());
}

#[test]
fn a_region_lies_in_its_county_and_the_country_and_in_nothing_else() {
    for (inner, outer, expected) in [
        ("4601", "0", true),
        ("46", "0", true),
        ("4601", "46", true),
        ("46R", "46", true),
        ("4601", "46R", false),
        ("4601", "11", false),
        ("46", "4601", false),
        ("11", "46", false),
    ] {
        assert_eq!(lies_in(inner, outer), expected, "{inner} in {outer}");
    }
}
