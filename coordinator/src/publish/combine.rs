//! Sums over releases, with the noise that is in them.
//!
//! A node that sends false values shifts a cell by what it sends, and a release with a value beyond
//! [`CELL_MAGNITUDE`](fellestall_shared::limits::CELL_MAGNITUDE) is not accepted: so much one bad
//! node can do to a cell, and its signature says which one it was.
//!
//! **Invariant:** a sum holds every accepted value as it was sent; nothing is clamped, rounded or
//! left out.

use super::PublishError;
use super::noise_law::Noise;
use super::number::Fixed;
use fellestall_shared::ids::StatisticId;
use fellestall_shared::privacy::Loss;
use fellestall_shared::round::AcceptedRelease;
use fellestall_shared::study::Table;

/// The level of every interval.
pub const LEVEL: f64 = 0.95;
/// The normal law's two-sided 95 % point.
const NORMAL: f64 = 1.959_963_984_540_054;

/// One table summed over nodes.
#[derive(Debug, Clone)]
pub struct Summed<'a> {
    /// The table.
    pub table: &'a Table,
    /// The sums, in row-major order.
    pub values: Vec<i64>,
    /// The noise of each of them; independent between cells.
    pub noise: CellNoise,
}

/// What is known of the noise of each cell of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CellNoise {
    /// The variance.
    pub variance: f64,
    /// The 95 % interval reaches so far to both sides.
    pub half_width: i64,
}

impl CellNoise {
    /// How many standard deviations a 95 % interval takes: the normal law's 1.96, or more where
    /// few or very small noises make a cell's exact interval wider than that.
    #[must_use]
    pub fn multiple(&self) -> f64 {
        if self.variance <= 0.0 {
            return NORMAL;
        }
        NORMAL.max(super::number::real(self.half_width) / self.variance.sqrt())
    }

    /// The variance as it is published; `None` if it is beyond every figure.
    #[must_use]
    pub fn published(&self) -> Option<(Fixed, Fixed)> {
        Some((Fixed::nearest(self.variance)?, Fixed::nearest(self.variance.sqrt())?))
    }
}

/// The noise that one node adds for itself to each cell of a table.
pub(super) fn noise(loss: Loss, table: &Table) -> Noise {
    let scale = loss.nominal_scale(table.statistic.bound());
    match loss {
        Loss::DiscreteGaussian { .. } => Noise::DiscreteGaussian { sigma: scale },
        Loss::DiscreteLaplace { .. } => Noise::DiscreteLaplace { b: scale },
    }
}

/// The sums of each table over releases of one round; integers, so their order does not matter. Empty
/// for a table that no node releases.
///
/// # Errors
/// [`PublishError::Magnitude`] if a sum does not fit, which no accepted releases can bring about.
pub fn sums<'r>(
    tables: &[Table],
    releases: impl Iterator<Item = &'r AcceptedRelease>,
) -> Result<Vec<Vec<i64>>, PublishError> {
    let cells = |table: &Table| table.local.map_or(0, |_| table.statistic.cells());
    let mut sums: Vec<Vec<i64>> = tables.iter().map(|table| vec![0; cells(table)]).collect();
    for release in releases {
        let local = sums.iter_mut().zip(tables).filter(|(_, table)| table.local.is_some());
        for ((sum, table), released) in local.zip(&release.document().tables) {
            add(sum, &released.values).ok_or_else(|| too_large(table.statistic.id()))?;
        }
    }
    Ok(sums)
}

fn add(sum: &mut [i64], values: &[i64]) -> Option<()> {
    for (total, value) in sum.iter_mut().zip(values) {
        *total = total.checked_add(*value)?;
    }
    (sum.len() == values.len()).then_some(())
}

pub(super) fn too_large(statistic: &StatisticId) -> PublishError {
    PublishError::Magnitude { statistic: statistic.clone() }
}
