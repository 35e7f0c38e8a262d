//! One vector for all shared tables of a study: which entry is which cell, and how it is coded.
//!
//! An entry is `factor * count + share of the noise + offset`, with `offset = 2^(bits - 1)`, so that
//! negative values fit. `bits` is large enough for the largest count that the study allows for and
//! forty times the scale of a share; the proof holds every entry within `0..2^bits`.
//!
//! **Invariant:** a function of the study alone: both servers and every node compute the same.

use super::noise::{Share, ShareError, ShareNoise, Sharing};
use crate::ids::StatisticId;
use crate::limits::SHARED_CELLS;
use crate::privacy::{Bound, Loss};
use crate::statistic::Statistic;
use crate::wire::v1::Aggregation;

/// Scales of a share that fit beside the largest count: beyond lies less than one in 10^300.
const SCALES: f64 = 40.0;
/// Bits of one entry, at the most.
const BITS: u32 = 40;

/// One shared table of a study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharedTable {
    /// The noise that nodes share.
    pub noise: ShareNoise,
    /// Where its cells begin in the vector.
    pub start: usize,
    /// How many cells it has.
    pub cells: usize,
}

/// How a study's shared tables make one vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    length: usize,
    bits: u32,
    sharing: Sharing,
}

/// Why shared tables make no vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLayout {
    /// Nobody is left to add noise.
    #[error("tolerated must be less than minimum_nodes: otherwise nobody is left to add noise")]
    Sharing,
    /// A largest count of nothing, or beyond sense.
    #[error("largest_count must be 1 to 1000000")]
    LargestCount,
    /// More cells than one report may have.
    #[error("the shared tables of a study have {SHARED_CELLS} cells together at the most")]
    Cells,
    /// The noise cannot be shared.
    #[error("the noise of {statistic} cannot be shared")]
    Noise {
        /// Which statistic.
        statistic: StatisticId,
        /// Why.
        #[source]
        source: ShareError,
    },
    /// Entries too large for a proof.
    #[error("an entry would need more than {BITS} bits: lower largest_count or the loss")]
    Bits,
}

impl Layout {
    /// Lays out the shared tables, in the order of the study.
    ///
    /// # Errors
    /// [`BadLayout`].
    pub fn of(
        aggregation: &Aggregation,
        minimum_nodes: u32,
        tables: &[(&Statistic, Loss)],
    ) -> Result<(Self, Vec<SharedTable>), BadLayout> {
        let sharing =
            Sharing::new(minimum_nodes, aggregation.tolerated).map_err(|_| BadLayout::Sharing)?;
        if !(1..=1_000_000).contains(&aggregation.largest_count) {
            return Err(BadLayout::LargestCount);
        }
        let (mut length, mut largest) = (0_usize, 0.0_f64);
        let mut shared = Vec::with_capacity(tables.len());
        for (statistic, loss) in tables {
            let cells = statistic.cells();
            let noise = noise(statistic, *loss, statistic.bound(), sharing)?;
            shared.push(SharedTable { noise, start: length, cells });
            length = length.saturating_add(cells);
            let count = f64::from(aggregation.largest_count) * f64::from(noise.factor());
            largest = largest.max(count + SCALES * scale(noise.share()));
        }
        if length > SHARED_CELLS {
            return Err(BadLayout::Cells);
        }
        // Twice the largest value must fit: half of the range is for negative ones.
        let bits = (2..=BITS).find(|bits| 2.0_f64.powi(bits.cast_signed() - 1) > largest);
        let bits = bits.ok_or(BadLayout::Bits)?;
        Ok((Self { length, bits, sharing }, shared))
    }

    /// Entries of one report.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Bits of one entry.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// How the noise is shared.
    #[must_use]
    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// What is added to every entry so that it is not negative.
    #[must_use]
    pub fn offset(&self) -> i64 {
        1_i64 << (self.bits.saturating_sub(1))
    }

    /// A noised value as an entry; `None` if it does not fit.
    #[must_use]
    pub fn entry(&self, value: i64) -> Option<u128> {
        let entry = value.checked_add(self.offset())?;
        let entry = u128::try_from(entry).ok()?;
        (entry < 1_u128 << self.bits).then_some(entry)
    }

    /// A sum of `reports` entries as a sum of values; `None` if it is none.
    #[must_use]
    pub fn value(&self, sum: u128, reports: u32) -> Option<i64> {
        let offsets = i128::from(self.offset()).checked_mul(i128::from(reports))?;
        i64::try_from(i128::try_from(sum).ok()?.checked_sub(offsets)?).ok()
    }
}

fn noise(
    statistic: &Statistic,
    loss: Loss,
    bound: Bound,
    sharing: Sharing,
) -> Result<ShareNoise, BadLayout> {
    ShareNoise::of(loss, bound, statistic.cells(), sharing)
        .map_err(|source| BadLayout::Noise { statistic: statistic.id().clone(), source })
}

fn scale(share: Share) -> f64 {
    match share {
        Share::DiscreteGaussian { sigma } => sigma,
        // The tails of a Laplace fall as exp(-x/b).
        Share::Polya { epsilon, l1, .. } => 20.0 * f64::from(l1) / epsilon.value(),
    }
}

#[cfg(test)]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "test arithmetic on small numbers"
)]
mod tests;
