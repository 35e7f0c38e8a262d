//! The estimation finds the optimum, and small categories are not lifted as cutting off at 0 lifts them.

use super::*;
use crate::present::estimate::{Estimate, Measured, Released, estimate};
use crate::present::solver::{Problem, Sum};
use crate::present::structure::{Family, Margin, Structure};
use proptest::prelude::*;

/// Whether no step that keeps the sums and takes only from cells above 0 leads nearer to what was
/// measured. Every feasible direction is made of such steps, so that this is the optimum's condition
/// (Karush, Kuhn and Tucker).
fn is_optimal(problem: &Problem, found: &[f64], steps: &[Vec<(usize, f64)>]) -> bool {
    let gradient = |at: usize| problem.precision[at] * (found[at] - problem.measured[at]);
    steps.iter().all(|step| {
        let feasible =
            step.iter().all(|(at, by)| *at >= problem.bounded || *by > 0.0 || found[*at] > 1e-6);
        let slope: f64 = step.iter().map(|(at, by)| by * gradient(*at)).sum();
        !feasible || slope > -1e-4
    })
}

fn holds(problem: &Problem, found: &[f64]) -> bool {
    problem.sums.iter().all(|sum| {
        let plus: f64 = sum.plus.iter().map(|at| found[*at]).sum();
        let minus = sum.minus.map_or(0.0, |at| found[at]);
        (plus - minus - sum.value).abs() < 1e-5
    }) && found[..problem.bounded].iter().all(|cell| *cell >= 0.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn one_sum_is_met_at_the_least_weighted_distance(
        measured in proptest::collection::vec(-30.0_f64..30.0, 7),
        precision in proptest::collection::vec(0.01_f64..2.0, 7), total in 0_i64..60,
    ) {
        let sums = vec![Sum { plus: (0..7).collect(), minus: None, value: total as f64 }];
        let problem = Problem { measured, precision, bounded: 7, sums };
        let found = problem.solve();
        let swaps: Vec<_> = (0..7)
            .flat_map(|a| (0..7).map(move |b| vec![(a, 1.0), (b, -1.0)]))
            .filter(|step| step[0].0 != step[1].0)
            .collect();
        prop_assert!(holds(&problem, &found), "{found:?}");
        prop_assert!(is_optimal(&problem, &found, &swaps), "{found:?}");
    }

    #[test]
    fn sums_of_rows_and_columns_are_met_at_the_least_distance(
        measured in proptest::collection::vec(-30.0_f64..30.0, 10),
        truth in proptest::collection::vec(0_i64..9, 10),
    ) {
        // Two rows: every step that keeps the sums is made of rectangles.
        let mut sums: Vec<Sum> = (0..2)
            .map(|row| Sum {
                plus: (row * 5..row * 5 + 5).collect(),
                minus: None,
                value: truth[row * 5..][..5].iter().sum::<i64>() as f64,
            })
            .collect();
        sums.extend((0..5).map(|column| Sum {
            plus: vec![column, 5 + column],
            minus: None,
            value: (truth[column] + truth[5 + column]) as f64,
        }));
        let problem = Problem { measured, precision: vec![0.5; 10], bounded: 10, sums };
        let found = problem.solve();
        let rectangles: Vec<_> = (0..5)
            .flat_map(|a| (0..5).filter(move |b| *b != a).map(move |b| (a, b)))
            .map(|(a, b)| vec![(a, 1.0), (b, -1.0), (5 + a, -1.0), (5 + b, 1.0)])
            .collect();
        prop_assert!(holds(&problem, &found), "{found:?}");
        prop_assert!(is_optimal(&problem, &found, &rectangles), "{found:?}");
    }

    #[test]
    fn margins_that_were_measured_too_take_part_in_the_optimum(
        measured in proptest::collection::vec(-30.0_f64..30.0, 11), total in 0_i64..60,
        precision in proptest::collection::vec(0.05_f64..2.0, 3),
    ) {
        // Six cells, two rows, three columns: tables of three precisions.
        let precision = [vec![precision[0]; 6], vec![precision[1]; 2], vec![precision[2]; 3]].concat();
        let mut sums = vec![Sum { plus: (0..6).collect(), minus: None, value: total as f64 }];
        sums.extend((0..2).map(|row| {
            let plus = (row * 3..row * 3 + 3).collect();
            Sum { plus, minus: Some(6 + row), value: 0.0 }
        }));
        sums.extend((0..3).map(|column| {
            Sum { plus: vec![column, 3 + column], minus: Some(8 + column), value: 0.0 }
        }));
        let problem = Problem { measured, precision, bounded: 6, sums };
        let found = problem.solve();
        let moved = |cell: usize, by: f64| [(cell, by), (6 + cell / 3, by), (8 + cell % 3, by)];
        let swaps: Vec<_> = (0..6)
            .flat_map(|a| (0..6).map(move |b| (a, b)))
            .filter(|(a, b)| a != b)
            .map(|(a, b)| [moved(a, 1.0), moved(b, -1.0)].concat())
            .collect();
        prop_assert!(holds(&problem, &found), "{found:?}");
        prop_assert!(is_optimal(&problem, &found, &swaps), "{found:?}");
    }
}

/// One table of its own, with these municipal values.
fn alone(municipal: Vec<Vec<i64>>) -> (Released, Structure) {
    let cells = municipal[0].len();
    let national = (0..cells).map(|cell| municipal.iter().map(|own| own[cell]).sum()).collect();
    let (reported, municipalities) = (municipal.len(), municipal.len());
    let tables = vec![Measured { variance: 10.0, part: 10.0, national, municipal }];
    let families =
        vec![Family { table: 0, cells: (0..cells).collect(), margins: Vec::new(), total: 0 }];
    let structure = Structure { families, totals: 1, ..Structure::default() };
    (Released { tables, reported, municipalities }, structure)
}

#[test]
fn what_a_cell_cannot_take_below_zero_is_taken_off_the_others() {
    let (released, structure) = alone(vec![vec![5, -2, 4]]);
    let Estimate { national, municipal } = estimate(&released, &structure);
    assert_eq!(national, [[4, 0, 3]]);
    assert_eq!(municipal, [[[4, 0, 3]]]);
}

#[test]
fn a_total_that_two_tables_tell_weighs_each_by_its_precision() {
    // Sums of 60 over three cells and 30 over two, with variances 3 and 8: (60/3 + 30/8) / (1/3 + 1/8).
    let tables = vec![
        Measured { variance: 1.0, part: 1.0, national: vec![20, 20, 20], municipal: Vec::new() },
        Measured { variance: 4.0, part: 4.0, national: vec![15, 15], municipal: Vec::new() },
    ];
    let released = Released { tables, reported: 1, municipalities: 0 };
    let family = |table, cells| Family { table, cells, margins: Vec::new(), total: 0 };
    let structure = Structure {
        families: vec![family(0, vec![0, 1, 2]), family(1, vec![0, 1])],
        totals: 1,
        ..Structure::default()
    };
    let found = estimate(&released, &structure);
    assert_eq!(found.national, [vec![18, 17, 17], vec![26, 26]]);
}

#[test]
fn a_measured_margin_draws_the_finer_table_after_it() {
    let tables = vec![
        Measured {
            variance: 1.0,
            part: 1.0,
            national: vec![10, 10, 10, 10],
            municipal: Vec::new(),
        },
        Measured { variance: 1e-6, part: 1e-6, national: vec![30, 10], municipal: Vec::new() },
    ];
    let released = Released { tables, reported: 1, municipalities: 0 };
    let margins = vec![Margin { table: 1, parts: vec![vec![0, 1], vec![2, 3]] }];
    let families = vec![Family { table: 0, cells: vec![0, 1, 2, 3], margins, total: 0 }];
    let structure = Structure { families, totals: 1, ..Structure::default() };
    let found = estimate(&released, &structure);
    assert_eq!(found.national, [vec![15, 15, 5, 5], vec![30, 10]]);
}

/// Forty municipalities, eight categories: two common ones, one of a person here and there, five that
/// are empty. Over 200 rounds, what is the mean error of a small category's national figure?
#[test]
fn small_categories_are_lifted_far_less_than_by_cutting_off_at_zero() {
    const ROUNDS: usize = 200;
    let mut chance = Chance::new(20_260_601);
    let truth = |municipality: usize, cell: usize| match cell {
        0 => 4,
        1 => 2,
        2 => i64::from(municipality.is_multiple_of(10)),
        _ => 0,
    };
    let (mut cut, mut cut_nationally, mut ours, mut totals) = ([0.0; 8], [0.0; 8], [0.0; 8], 0.0);
    for _ in 0..ROUNDS {
        let draw = |municipality: usize, chance: &mut Chance| -> Vec<i64> {
            (0..8).map(|cell| truth(municipality, cell) + chance.gaussian(3.162)).collect()
        };
        let municipal: Vec<Vec<i64>> = (0..40).map(|own| draw(own, &mut chance)).collect();
        for cell in 0..8 {
            cut[cell] += municipal.iter().map(|own| own[cell].max(0) as f64).sum::<f64>();
            cut_nationally[cell] +=
                (municipal.iter().map(|own| own[cell]).sum::<i64>().max(0)) as f64;
        }
        let (released, structure) = alone(municipal);
        let found = estimate(&released, &structure);
        for (sum, value) in ours.iter_mut().zip(&found.national[0]) {
            *sum += *value as f64;
        }
        totals += found.national[0].iter().sum::<i64>() as f64;
    }
    let rounds = ROUNDS as f64;
    let exact = |cell: usize| (0..40).map(|own| truth(own, cell)).sum::<i64>() as f64;
    let bias = |sums: &[f64; 8]| -> Vec<f64> {
        (0..8).map(|cell| sums[cell] / rounds - exact(cell)).collect()
    };
    let (cut, cut_nationally, ours) = (bias(&cut), bias(&cut_nationally), bias(&ours));
    let total = totals / rounds - (0..8).map(exact).sum::<f64>();
    println!("each municipality cut off: {cut:.1?}");
    println!("the country cut off: {cut_nationally:.1?}");
    println!("estimated: {ours:.1?}, total {total:.2}");
    // The sum of 320 noises has a deviation of 57, its mean over 200 rounds one of 4.
    assert!(total.abs() < 20.0, "the total is off by {total}");
    for cell in 2..8 {
        assert!(ours[cell] < cut[cell] / 5.0, "{cell}: {} beside {}", ours[cell], cut[cell]);
        assert!(ours[cell] < cut_nationally[cell] + 0.5, "{cell}: {}", ours[cell]);
    }
}
