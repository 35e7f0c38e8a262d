//! The opened sums of a round's shared tables: what both servers gave to them, and what fits.
//!
//! **Invariant:** no figure is made from opened sums that hold other reports than the releases in the
//! publication, or fewer reports than the study's minimum.

use super::PublishError;
use fellestall_shared::round::Round;
use fellestall_shared::secure::{Bytes, Task};
use fellestall_shared::signed::{Envelope, VerifyingKey};
use fellestall_shared::wire::v1::TaskDocument;

/// The sum of one batch of reports, as the leader opened it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSum {
    /// The batch, from 1.
    pub batch: u32,
    /// How many reports are in it.
    pub reports: u32,
    /// The scaled sums of all cells of the shared tables, in the order of the study's `Layout`: with
    /// the offsets taken off, not divided by the factor.
    pub values: Vec<i64>,
    /// The leader's share of the sum.
    pub leader_share: Bytes,
    /// The helper's signed `OpenedBatch`.
    pub helper: Envelope,
}

/// Why opened sums are not those of a publication.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenedError {
    /// A study with shared tables, and no opened sum.
    #[error("the study has shared tables, and no batch of their reports was opened")]
    Missing,
    /// A study without shared tables.
    #[error("a batch of reports was opened, and the study has no shared tables")]
    NotShared,
    /// No task, or one that is not the round's.
    #[error("the signed task does not belong to this round")]
    Task,
    /// Batches out of order, or one twice.
    #[error("the opened batches are not in order, each once")]
    Order,
    /// Too few reports in a batch.
    #[error("batch {batch} was opened with {reports} reports, the study demands {minimum}")]
    TooFewReports {
        /// The batch.
        batch: u32,
        /// Reports in it.
        reports: u32,
        /// The study's minimum.
        minimum: u32,
    },
    /// Not one sum for each cell of the shared tables.
    #[error("batch {batch} has {found} sums, the shared tables have {expected} cells")]
    Length {
        /// The batch.
        batch: u32,
        /// Sums in it.
        found: usize,
        /// Cells of the shared tables.
        expected: usize,
    },
    /// Other reports than releases.
    #[error("the opened batches hold {reports} reports, the publication {releases} releases")]
    Reports {
        /// Reports in all batches.
        reports: u64,
        /// Releases in the publication.
        releases: usize,
    },
}

impl From<OpenedError> for PublishError {
    fn from(error: OpenedError) -> Self {
        Self::Opened(error)
    }
}

/// Checks the opened sums of a publication over so many releases.
///
/// # Errors
/// [`OpenedError`]: the first thing that does not fit.
pub fn check(
    round: &Round,
    task: Option<&Envelope>,
    sums: &[OpenedSum],
    releases: usize,
    coordinator: &VerifyingKey,
) -> Result<(), OpenedError> {
    let Some(layout) = round.study().layout() else {
        let none = sums.is_empty() && task.is_none();
        return if none { Ok(()) } else { Err(OpenedError::NotShared) };
    };
    self::task(round, task, coordinator)?;
    if sums.is_empty() {
        return Err(OpenedError::Missing);
    }
    if !sums.is_sorted_by(|one, next| one.batch < next.batch) {
        return Err(OpenedError::Order);
    }
    let minimum = round.study().document().minimum_nodes;
    let mut total = 0_u64;
    for OpenedSum { batch, reports, values, .. } in sums {
        let (batch, reports) = (*batch, *reports);
        if reports < minimum {
            return Err(OpenedError::TooFewReports { batch, reports, minimum });
        }
        let (found, expected) = (values.len(), layout.length());
        if found != expected {
            return Err(OpenedError::Length { batch, found, expected });
        }
        total = total.saturating_add(u64::from(reports));
    }
    if u64::try_from(releases) == Ok(total) {
        Ok(())
    } else {
        Err(OpenedError::Reports { reports: total, releases })
    }
}

/// The task of the round, from its signed document.
///
/// # Errors
/// [`OpenedError::Task`].
pub fn task(
    round: &Round,
    envelope: Option<&Envelope>,
    coordinator: &VerifyingKey,
) -> Result<Task, OpenedError> {
    let envelope = envelope.ok_or(OpenedError::Task)?.clone();
    let document = envelope.verify::<TaskDocument>(coordinator).map_err(|_| OpenedError::Task)?;
    Task::new(&document, round).map_err(|_| OpenedError::Task)
}
