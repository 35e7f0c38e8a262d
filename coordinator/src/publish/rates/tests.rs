//! Retention as Fafo printed it, and Fieller's interval where the naive one fails.
#![expect(clippy::cast_precision_loss, reason = "test arithmetic on small numbers")]

use super::super::combine::{CellNoise, Summed};
use super::super::noise_law::{Noise, NoiseLaw};
use super::super::tests::intervals::Sampler;
use super::super::tests::{Federation, document, gaussian};
use super::{Ratio, rates};

#[test]
fn the_three_rules_give_the_printed_retention_of_both_cities() {
    let federation = Federation::new(&document(&[("S2", gaussian(50_000))]), 2);
    let table = &federation.round.study().tables()[0];
    let check = |values: [i64; 8], printed: [f64; 3]| {
        // A noise so small that the interval closes on the ratio.
        let noise = CellNoise { variance: 1e-9, half_width: 0 };
        let summed = Summed { table, values: values.to_vec(), noise };
        for (rate, printed) in rates(&summed).iter().zip(printed) {
            let figure = rate.figure.expect("a rate");
            assert!((figure.value.value() * 100.0 - printed).abs() < 0.05, "{}", rate.rate);
            assert!((figure.upper95.value() - figure.lower95.value()).abs() < 1e-4);
        }
    };
    // Bergen and Sandnes together: 25 and 10 in a first or later dwelling, one death in each.
    check([25, 10, 4, 2, 8, 2, 0, 0], [68.6, 71.4, 49.0]);
    // The same with people who never were settled, or of whom nothing is known: not in the rate.
    check([25, 10, 4, 2, 8, 2, 6, 3], [68.6, 71.4, 49.0]);
}

#[test]
fn no_rate_is_given_when_the_denominator_is_not_clearly_above_its_noise() {
    let noise = CellNoise { variance: 100.0, half_width: 20 };
    let ratio = |numerator, denominator| {
        let cells = (1, 4, 1);
        Ratio {
            numerator,
            denominator,
            numerator_cells: cells.0,
            denominator_cells: cells.1,
            shared_cells: cells.2,
        }
        .interval(&noise)
    };
    // The denominator's noise has standard deviation 20: the line is at 2 times it.
    assert!(ratio(10.0, 39.0).is_none());
    assert!(ratio(10.0, -200.0).is_none());
    assert!(ratio(0.0, 0.0).is_none());
    assert!(ratio(10.0, 41.0).is_some());
    let negative = ratio(-30.0, 200.0).expect("a rate");
    assert!(negative.value.value() < 0.0, "the unbiased value stays");
    assert!(negative.shown.value().abs() < 1e-12);
}

/// n = 8,000 rounds, of which more than half give a rate: standard error at most 0.35 points, so that
/// the band of 2 points is nearly 6 of them.
#[test]
fn fieller_covers_where_the_delta_method_does_not() {
    let noise = Noise::DiscreteGaussian { sigma: 13.8 };
    let law = NoiseLaw::of(&[(noise, 1)]);
    let cell = CellNoise { variance: law.variance(), half_width: law.half_width(0.95) };
    let mut sampler = Sampler::new(noise, 11);
    // 40 of 50 retained; the denominator is a sum of three cells, about twice its noise.
    let (inside, outside) = (40.0_f64, 10.0_f64);
    let truth = inside / (inside + outside);
    let (mut given, mut fieller, mut delta) = (0, 0, 0);
    for _ in 0..8_000 {
        let above = inside + sampler.draw() as f64;
        let below = above + outside + sampler.draw() as f64 + sampler.draw() as f64;
        let ratio = Ratio {
            numerator: above,
            denominator: below,
            numerator_cells: 1,
            denominator_cells: 3,
            shared_cells: 1,
        };
        let Some(figure) = ratio.interval(&cell) else { continue };
        given += 1;
        let inside = figure.lower95.value() <= truth && truth <= figure.upper95.value();
        fieller += usize::from(inside);
        let rate = above / below;
        let spread = ((1.0 - rate).powi(2) + 2.0 * rate * rate) * cell.variance;
        delta += usize::from((rate - truth).abs() <= 1.96 * spread.sqrt() / below);
    }
    assert!(given > 4_000, "{given}");
    let share = |count: usize| count as f64 / f64::from(given);
    assert!((share(fieller) - 0.95).abs() <= 0.02, "{}", share(fieller));
    assert!(share(delta) < 0.90, "{}", share(delta));
}
