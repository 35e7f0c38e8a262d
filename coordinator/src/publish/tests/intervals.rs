//! Coverage of the truth by published intervals over repeated rounds, with a seeded exact sampler.
//!
//! Each round draws the noise of nineteen nodes in every cell; n = 4,000 rounds, fixed seeds. The
//! coverage of one rate then has a standard error of 0.35 points, so that an honest one leaves the
//! band of 2 points with probability (alpha) below 1e-7; tables pool 4 cells and more.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    reason = "test arithmetic on small numbers"
)]

use super::super::noise_law::Noise;
use super::*;

const ROUNDS: usize = 4_000;
const NODES: u32 = 19;

/// A seeded sampler by inversion of the exact cumulative mass (`SplitMix64`, Steele et al. 2014).
pub(in super::super) struct Sampler {
    state: u64,
    reach: i64,
    cumulative: Vec<f64>,
}

impl Sampler {
    pub fn new(noise: Noise, seed: u64) -> Self {
        let (reach, weight): (i64, Box<dyn Fn(f64) -> f64>) = match noise {
            Noise::DiscreteGaussian { sigma } => (
                (12.0 * sigma).ceil() as i64 + 2,
                Box::new(move |x: f64| (-x * x / (2.0 * sigma * sigma)).exp()),
            ),
            Noise::DiscreteLaplace { b } => {
                ((40.0 * b).ceil() as i64 + 2, Box::new(move |x: f64| (-x.abs() / b).exp()))
            }
        };
        let weights: Vec<f64> = (-reach..=reach).map(|x| weight(x as f64)).collect();
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let cumulative = weights
            .iter()
            .map(|weight| {
                sum += weight / total;
                sum
            })
            .collect();
        Self { state: seed, reach, cumulative }
    }

    pub fn draw(&mut self) -> i64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        let at = self.cumulative.partition_point(|sum| *sum <= uniform);
        (at as i64).min(2 * self.reach) - self.reach
    }

    pub fn sum(&mut self, count: u32) -> i64 {
        (0..count).map(|_| self.draw()).sum()
    }
}

/// The true counts: about nineteen participants in each of nineteen municipalities.
fn truth(statistic: &str, cells: usize) -> Vec<i64> {
    match statistic {
        "S2" => vec![180, 60, 40, 20, 40, 12, 10, 3],
        "S4" => vec![280, 50, 5, 40, 4, 220, 70, 9, 75, 5, 130, 80, 14, 150, 5],
        _ => {
            (0..cells).map(|cell| if cell % 3 == 2 { 0 } else { 80 / (cell as i64 + 1) }).collect()
        }
    }
}

fn compose_again(federation: &Federation, first: &Publication, sums: Vec<Vec<i64>>) -> Publication {
    let parts = compose::Parts {
        version: 1,
        published: first.published,
        coverage: first.coverage.clone(),
        sums,
        opened: None,
        municipal: Vec::new(),
        certificate: first.certificate.clone(),
    };
    compose::compose(&federation.round, parts).unwrap()
}

fn check_coverage(study: &StudyDocument, seed: u64) {
    let federation = Federation::new(study, NODES);
    let first = publish(federation.input(federation.everyone(|_, _, _| 0))).unwrap().publication;
    let tables = federation.round.study().tables();
    let truths: Vec<Vec<i64>> = tables
        .iter()
        .map(|table| truth(table.statistic.id().as_str(), table.statistic.cells()))
        .collect();
    let exact = compose_again(&federation, &first, truths.clone());
    let mut samplers: Vec<Sampler> = tables
        .iter()
        .zip(seed..)
        .map(|(table, seed)| Sampler::new(combine::noise(table.local.unwrap(), table), seed))
        .collect();
    let mut cells = vec![(0_usize, 0_usize); tables.len()];
    let mut rates = vec![(0_usize, 0_usize); exact.rates.len()];
    for _ in 0..ROUNDS {
        let sums = truths
            .iter()
            .zip(&mut samplers)
            .map(|(truth, sampler)| truth.iter().map(|value| value + sampler.sum(NODES)).collect())
            .collect();
        let published = compose_again(&federation, &first, sums);
        for ((table, truth), (covered, all)) in published.tables.iter().zip(&truths).zip(&mut cells)
        {
            for (cell, truth) in table.cells.iter().zip(truth) {
                *covered += usize::from((cell.lower95..=cell.upper95).contains(truth));
                *all += 1;
            }
        }
        for ((rate, exact), (covered, given)) in
            published.rates.iter().zip(&exact.rates).zip(&mut rates)
        {
            let Some(figure) = rate.figure else { continue };
            let truth = exact.numerator as f64 / exact.denominator as f64;
            let inside = figure.lower95.value() <= truth && truth <= figure.upper95.value();
            *covered += usize::from(inside);
            *given += 1;
        }
    }
    for (table, (covered, all)) in tables.iter().zip(&cells) {
        let share = *covered as f64 / *all as f64;
        assert!((share - 0.95).abs() <= 0.02, "{}: {share} of {all}", table.statistic.id());
    }
    for (rate, (covered, given)) in exact.rates.iter().zip(&rates) {
        // A denominator six times its noise falls under the line once in 10,000 rounds or so.
        assert!(*given > ROUNDS - ROUNDS / 100, "{}: given {given} times", rate.rate);
        let share = *covered as f64 / *given as f64;
        assert!((share - 0.95).abs() <= 0.02, "{}: {share}", rate.rate);
    }
}

#[test]
fn intervals_of_every_core_table_and_rate_cover_the_truth_in_95_percent_of_rounds() {
    check_coverage(&core(), 1);
}

#[test]
fn so_they_do_under_discrete_laplace_noise() {
    let loss = Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(400_000) };
    check_coverage(&document(&[("S2", loss), ("S5", loss)]), 100);
}

#[test]
fn the_sampler_has_the_law_that_it_is_used_for() {
    // n = 200,000; mean and variance within 6 standard errors (alpha below 1e-8).
    let noise = Noise::DiscreteGaussian { sigma: 3.1 };
    let mut sampler = Sampler::new(noise, 7);
    let draws: Vec<f64> = (0..200_000).map(|_| sampler.draw() as f64).collect();
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let variance = draws.iter().map(|draw| draw * draw).sum::<f64>() / n;
    assert!(mean.abs() < 6.0 * (noise.variance() / n).sqrt(), "{mean}");
    let error = noise.variance() * (2.0 / n).sqrt();
    assert!((variance - noise.variance()).abs() < 6.0 * error, "{variance}");
}
