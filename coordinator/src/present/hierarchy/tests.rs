//! Against generalised least squares by brute force.

use super::*;
use crate::publish::noise_law::Noise;
use crate::publish::table_law::{SharedLaw, TableLaw};
use crate::publish::{Combined, Fixed};

/// Solves a linear system by elimination with pivots.
fn solve(mut rows: Vec<Vec<f64>>, mut right: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let size = rows.len();
    for at in 0..size {
        let pivot = (at..size).max_by(|a, b| rows[*a][at].abs().total_cmp(&rows[*b][at].abs()));
        let pivot = pivot.unwrap();
        rows.swap(at, pivot);
        right.swap(at, pivot);
        for row in 0..size {
            if row == at {
                continue;
            }
            let by = rows[row][at] / rows[at][at];
            for matrix in [&mut rows, &mut right] {
                let own = matrix[at].clone();
                for (value, own) in matrix[row].iter_mut().zip(own) {
                    *value -= by * own;
                }
            }
        }
    }
    for (at, row) in right.iter_mut().enumerate() {
        for value in row {
            *value /= rows[at][at];
        }
    }
    right
}

/// `(X' W X)^-1` and the estimate, for parts that are each measured and whose sum is measured too.
fn least_squares(
    parts: &[f64],
    variances: &[f64],
    sum: f64,
    of_sum: f64,
) -> (Vec<f64>, Vec<Vec<f64>>) {
    let size = parts.len();
    let mut normal = vec![vec![1.0 / of_sum; size]; size];
    for (at, variance) in variances.iter().enumerate() {
        normal[at][at] += 1.0 / variance;
    }
    let identity =
        (0..size).map(|row| (0..size).map(|at| f64::from(u8::from(row == at))).collect());
    let covariance = solve(normal, identity.collect());
    let right: Vec<f64> = parts
        .iter()
        .zip(variances)
        .map(|(part, variance)| part / variance + sum / of_sum)
        .collect();
    let estimate = covariance.iter().map(|row| row.iter().zip(&right).map(|(a, b)| a * b).sum());
    (estimate.collect(), covariance)
}

#[test]
fn the_formulas_of_parts_and_covariances_are_those_of_generalised_least_squares() {
    let (parts, variances) = ([10.0, -3.0, 25.0, 7.5, 0.0], [4.0, 9.0, 2.5, 16.0, 1.0]);
    let (sum, of_sum) = (52.0, 0.7);
    let (estimate, covariance) = least_squares(&parts, &variances, sum, of_sum);
    let all: f64 = variances.iter().sum::<f64>() + of_sum;
    let difference = sum - parts.iter().sum::<f64>();
    for (c, v) in variances.iter().enumerate() {
        assert!((estimate[c] - (parts[c] + v / all * difference)).abs() < 1e-9);
        for (d, w) in variances.iter().enumerate() {
            let own = if c == d { *v } else { 0.0 };
            assert!((covariance[c][d] - (own - v * w / all)).abs() < 1e-9);
        }
    }
    let local = all - of_sum;
    let mean = (sum / of_sum + parts.iter().sum::<f64>() / local) / (1.0 / of_sum + 1.0 / local);
    assert!((estimate.iter().sum::<f64>() - mean).abs() < 1e-9);
    let of_mean: f64 = covariance.iter().flatten().sum();
    assert!((of_mean - 1.0 / (1.0 / of_sum + 1.0 / local)).abs() < 1e-9);
}

/// Seven municipalities in counties of two, two and three: whole figures, their sums and variances.
#[test]
fn regions_add_up_to_the_country_and_have_the_variance_of_least_squares() {
    let own = Noise::DiscreteGaussian { sigma: 4.0 };
    let shared = SharedLaw {
        noise: Noise::DiscreteGaussian { sigma: 3.0 },
        count: 7.0,
        factor: 5,
        reports: 7,
    };
    let weight = Fixed::nearest(7.0 * 16.0 / (7.0 * 16.0 + shared.variance())).unwrap();
    let municipal: Vec<Vec<i64>> = [[12, 0], [-4, 3], [7, 9], [0, 0], [33, -8], [5, 1], [2, 2]]
        .map(|own| own.to_vec())
        .to_vec();
    let local: Vec<i64> = (0..2).map(|cell| municipal.iter().map(|own| own[cell]).sum()).collect();
    let opened = vec![312, 12];
    let combined = Some(Combined { local: local.clone(), weight });
    let published = PublishedShared { factor: 5, reports: 7, opened: opened.clone(), combined };
    let found = consistent(&municipal, &published).unwrap();
    for cell in 0..2 {
        let parts: Vec<f64> =
            municipal.iter().map(|own| crate::present::estimate::real(own[cell])).collect();
        let sum = crate::present::estimate::real(opened[cell]) / 5.0;
        let (exact, _) = least_squares(&parts, &[16.0; 7], sum, shared.variance());
        for run in [0..7, 0..2, 2..4, 4..7, 5..6] {
            let whole: i64 = found[run.clone()].iter().map(|own| own[cell]).sum();
            let exact: f64 = exact[run].iter().sum();
            assert!((crate::present::estimate::real(whole) - exact).abs() < 1.0 + 1e-3);
        }
        let national = crate::publish::shared::weighed(opened[cell], 5, local[cell], weight);
        assert_eq!(Some(found.iter().map(|own| own[cell]).sum()), national);
    }
    let law = TableLaw::Both { local: own, shared, weight };
    let (_, covariance) = least_squares(&[0.0; 7], &[16.0; 7], 0.0, shared.variance());
    for nodes in [1, 3, 7_usize] {
        let exact: f64 = covariance[..nodes].iter().flat_map(|row| &row[..nodes]).sum();
        let rounding = if nodes == 7 { 1.0 / 12.0 } else { 1.0 / 6.0 };
        let found = law.variance(nodes);
        assert!((found - exact - rounding).abs() < 0.02 * exact, "{nodes}: {found}, {exact}");
    }
}

#[test]
fn a_table_that_nobody_saw_has_no_parts() {
    let published = PublishedShared { factor: 5, reports: 7, opened: vec![1], combined: None };
    assert_eq!(consistent(&[vec![1]], &published), None);
}
