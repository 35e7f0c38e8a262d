//! From opened sums to whole figures: divided by the factor, and weighed with the local sums.
//!
//! A count is multiplied by an odd factor before shares of noise are added, so that the opened sum over
//! the factor is never halfway between two integers: the rounded figure has a symmetric error. A table
//! with noise of each node's own too has two independent unbiased sums, and its figure is their mean,
//! each weighed by one over its variance (the best of all unbiased combinations). The weight is a
//! multiple of 1/125, which is odd too and short in decimals, so that the mean is never halfway either;
//! what it is off by costs less than a hundredth of the variance.
//!
//! **Invariant:** integer arithmetic from integers and a weight of three decimals, so that every machine
//! finds the same figure.

use super::number::Fixed;
use super::opened::OpenedSum;
use fellestall_shared::secure::SharedTable;

/// Millionths in 1.
const WHOLE: i128 = 1_000_000;
/// A weight is a multiple of one over this odd number.
pub const WEIGHTS: u32 = 125;

/// The opened sums of all batches together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Reports in them.
    pub reports: u32,
    /// The scaled sums of all cells of the shared tables.
    pub values: Vec<i64>,
}

impl Opened {
    /// Adds up batches; `None` if they do not fit each other, or a sum does not fit a figure.
    #[must_use]
    pub fn of(batches: &[OpenedSum]) -> Option<Self> {
        let length = batches.first()?.values.len();
        let mut all = Self { reports: 0, values: vec![0; length] };
        for batch in batches {
            all.reports = all.reports.checked_add(batch.reports)?;
            if batch.values.len() != length {
                return None;
            }
            for (sum, value) in all.values.iter_mut().zip(&batch.values) {
                *sum = sum.checked_add(*value)?;
            }
        }
        Some(all)
    }

    /// The sums of one table's cells.
    #[must_use]
    pub fn table(&self, table: &SharedTable) -> Option<&[i64]> {
        self.values.get(table.start..table.start.checked_add(table.cells)?)
    }
}

/// The integer nearest to an opened sum over its factor.
#[must_use]
pub fn nearest(opened: i64, factor: u32) -> Option<i64> {
    rounded(opened.into(), factor.into())
}

/// The integer nearest to the weighed mean of an opened sum over its factor and a local sum.
#[must_use]
pub fn weighed(opened: i64, factor: u32, local: i64, weight: Fixed) -> Option<i64> {
    running(opened, factor, local, weight, (local, 1), 1)
}

/// What falls to the first `nodes` of `all` nodes in that mean, rounded to the nearest integer, where
/// `part` is their own local sum and each node's noise is as large as another's: each then takes one
/// part in `all` of the difference between the two sums.
#[must_use]
pub fn running(
    opened: i64,
    factor: u32,
    local: i64,
    weight: Fixed,
    (part, nodes): (i64, u32),
    all: u32,
) -> Option<i64> {
    let (factor, weight) = (i128::from(factor), i128::from(weight.micro()));
    let difference = i128::from(opened) - factor * i128::from(local);
    let adjusted = weight.checked_mul(i128::from(nodes))?.checked_mul(difference)?;
    let denominator = WHOLE * factor * i128::from(all);
    rounded(denominator.checked_mul(part.into())?.checked_add(adjusted)?, denominator)
}

/// The weight of an opened sum beside a local one, from the variances of their noises.
#[must_use]
pub fn weight(local: f64, opened: f64) -> Option<Fixed> {
    let parts = f64::from(WEIGHTS);
    Fixed::nearest((parts * local / (local + opened)).round() / parts).map(Fixed::within_unit)
}

/// The nearest integer to a ratio, away from zero if there are two.
fn rounded(numerator: i128, denominator: i128) -> Option<i64> {
    let twice = numerator.checked_abs()?.checked_mul(2)?.checked_add(denominator)?;
    let size = twice.checked_div(denominator.checked_mul(2)?)?;
    i64::try_from(size * numerator.signum()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_nearest_integer_and_its_error_is_symmetric() {
        for factor in [1_u32, 3, 17, 99] {
            for opened in -500_i64..=500 {
                let found = nearest(opened, factor).expect("small");
                let off = (opened - found * i64::from(factor)).abs();
                assert!(2 * off < i64::from(factor), "{opened} / {factor}");
                assert_eq!(nearest(-opened, factor), Some(-found));
            }
        }
    }

    #[test]
    fn a_weight_of_all_or_nothing_takes_one_sum_alone() {
        let weight = |share| Fixed::nearest(share).expect("a weight");
        assert_eq!(weighed(51, 5, 100, weight(1.0)), Some(10));
        assert_eq!(weighed(51, 5, 100, weight(0.0)), Some(100));
        // 0.75 * 10.2 + 0.25 * 100 = 32.65.
        assert_eq!(weighed(51, 5, 100, weight(0.75)), Some(33));
        assert_eq!(super::weight(30.0, 10.0), Some(weight(0.752)));
    }

    #[test]
    fn parts_run_up_to_the_whole() {
        let weight = Fixed::nearest(0.9).expect("a weight");
        let own = [7, -3, 12, 0, 5];
        let local: i64 = own.iter().sum();
        let mut part = 0;
        for (nodes, value) in (1..).zip(own) {
            part += value;
            let found = running(155, 5, local, weight, (part, nodes), 5).expect("small");
            // The difference of 10 is shared out: 1.8 for each.
            let exact = f64::from(i32::try_from(part).expect("small")) + 1.8 * f64::from(nodes);
            assert!((f64::from(i32::try_from(found).expect("small")) - exact).abs() <= 0.5);
        }
        let whole = running(155, 5, local, weight, (local, 5), 5);
        assert_eq!(whole, weighed(155, 5, local, weight));
    }
}
