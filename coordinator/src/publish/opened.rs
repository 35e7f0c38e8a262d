//! The opened sums of a round's shared tables: what both servers gave to them, and what fits.
//!
//! **Invariant:** no figure is made from opened sums that hold other reports than the releases in the
//! publication, or fewer reports than the study's minimum, or that their two halves do not make.

use super::{BatchCertificate, PublishError, ReleaseCertificate};
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::round::Round;
use fellestall_shared::secure::Checksum;
use fellestall_shared::secure::vdaf::Vdaf;
use fellestall_shared::secure::{Bytes, Layout, Task, report_id};
use fellestall_shared::signed::{Envelope, VerifyingKey};
use fellestall_shared::wire::v1::{OpenedBatch, TaskDocument};

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

impl OpenedSum {
    /// What it contributes to the certificate.
    #[must_use]
    pub fn certificate(&self) -> BatchCertificate {
        BatchCertificate {
            batch: self.batch,
            reports: self.reports,
            leader_share: self.leader_share.clone(),
            helper: self.helper.clone(),
        }
    }
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
    /// A release of a node that the task does not name.
    #[error(
        "municipality {municipality} is in the publication, and the task does not name its node"
    )]
    Participant {
        /// The municipality.
        municipality: MunicipalityNumber,
    },
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
    /// Other reports than releases.
    #[error("the opened batches hold {reports} reports, the publication {releases} releases")]
    Reports {
        /// Reports in all batches.
        reports: u64,
        /// Releases in the publication.
        releases: usize,
    },
    /// Reports of other nodes than those whose releases are in the publication.
    #[error("the opened batches hold the reports of other nodes than the publication's")]
    Checksum,
    /// Not signed by the helper of the study, or for another task, batch or number of reports.
    #[error(
        "the helper's half of batch {batch} is not signed by the study's helper, or is another"
    )]
    Helper {
        /// The batch.
        batch: u32,
    },
    /// Two halves that do not make a sum, or another than was passed.
    #[error("the two halves of batch {batch} do not make its sum")]
    Halves {
        /// The batch.
        batch: u32,
    },
}

impl From<OpenedError> for PublishError {
    fn from(error: OpenedError) -> Self {
        Self::Opened(error)
    }
}

/// Opens the batches of a certificate anew, and checks that they hold exactly the reports of these
/// releases; nothing for a study without shared tables.
///
/// # Errors
/// [`OpenedError`]: the first thing that does not fit.
pub fn open(
    round: &Round,
    task: Option<&Envelope>,
    batches: &[BatchCertificate],
    releases: &[ReleaseCertificate],
    coordinator: &VerifyingKey,
) -> Result<Vec<OpenedSum>, OpenedError> {
    let study = round.study();
    let shared = study.layout().zip(study.document().aggregation.as_ref());
    let Some((layout, aggregation)) = shared else {
        let none = batches.is_empty() && task.is_none();
        return if none { Ok(Vec::new()) } else { Err(OpenedError::NotShared) };
    };
    let task = self::task(round, task, coordinator)?;
    check_numbers(round, batches, releases.len())?;
    let mut checksum = Checksum::NONE;
    for release in releases {
        let municipality = &release.municipality;
        let named = task.participant(municipality).is_some_and(|participant| {
            participant.node == release.node && participant.release_key == release.release_key
        });
        if !named {
            return Err(OpenedError::Participant { municipality: municipality.clone() });
        }
        checksum = checksum.with(&report_id(round.question(municipality)));
    }
    let mut sums = Vec::with_capacity(batches.len());
    let mut found = Checksum::NONE;
    for batch in batches {
        let helper = helper(batch, &task, &aggregation.helper.signing_key)?;
        let own = Checksum::try_from(&helper.checksum);
        found = found.and(own.map_err(|_| OpenedError::Helper { batch: batch.batch })?);
        sums.push(join(batch, &helper.share, layout)?);
    }
    if found == checksum { Ok(sums) } else { Err(OpenedError::Checksum) }
}

/// Checks opened sums before they are published: they are those of their two halves.
///
/// # Errors
/// [`OpenedError`]: the first thing that does not fit.
pub fn check(
    round: &Round,
    task: Option<&Envelope>,
    sums: &[OpenedSum],
    releases: &[ReleaseCertificate],
    coordinator: &VerifyingKey,
) -> Result<(), OpenedError> {
    let batches: Vec<BatchCertificate> = sums.iter().map(OpenedSum::certificate).collect();
    let opened = open(round, task, &batches, releases, coordinator)?;
    let other = sums.iter().zip(&opened).find(|(sum, opened)| sum.values != opened.values);
    other.map_or(Ok(()), |(sum, _)| Err(OpenedError::Halves { batch: sum.batch }))
}

fn check_numbers(
    round: &Round,
    batches: &[BatchCertificate],
    releases: usize,
) -> Result<(), OpenedError> {
    if batches.is_empty() {
        return Err(OpenedError::Missing);
    }
    if !batches.is_sorted_by(|one, next| one.batch < next.batch) {
        return Err(OpenedError::Order);
    }
    let minimum = round.study().document().minimum_nodes;
    if let Some(few) = batches.iter().find(|batch| batch.reports < minimum) {
        let (batch, reports) = (few.batch, few.reports);
        return Err(OpenedError::TooFewReports { batch, reports, minimum });
    }
    let reports: u64 = batches.iter().map(|batch| u64::from(batch.reports)).sum();
    if u64::try_from(releases) == Ok(reports) {
        Ok(())
    } else {
        Err(OpenedError::Reports { reports, releases })
    }
}

fn helper(
    batch: &BatchCertificate,
    task: &Task,
    key: &VerifyingKey,
) -> Result<OpenedBatch, OpenedError> {
    let refused = || OpenedError::Helper { batch: batch.batch };
    let opened = batch.helper.clone().verify::<OpenedBatch>(key).map_err(|_| refused())?;
    let same = opened.task == task.digest()
        && opened.batch == batch.batch
        && opened.count == batch.reports;
    if same { Ok(OpenedBatch::clone(&opened)) } else { Err(refused()) }
}

/// Joins both halves of a batch.
fn join(
    batch: &BatchCertificate,
    helper: &Bytes,
    layout: &Layout,
) -> Result<OpenedSum, OpenedError> {
    let BatchCertificate { batch: number, reports, leader_share, helper: signed } = batch;
    let refused = || OpenedError::Halves { batch: *number };
    let vdaf = Vdaf::of(layout).map_err(|_| refused())?;
    let leader = vdaf.aggregate(&leader_share.0).map_err(|_| refused())?;
    let helper = vdaf.aggregate(&helper.0).map_err(|_| refused())?;
    let sums = vdaf.open(&leader, &helper, *reports).map_err(|_| refused())?;
    let values = sums.into_iter().map(|sum| layout.value(sum, *reports)).collect::<Option<_>>();
    Ok(OpenedSum {
        batch: *number,
        reports: *reports,
        values: values.ok_or_else(refused)?,
        leader_share: leader_share.clone(),
        helper: signed.clone(),
    })
}

/// The task of the round, from its signed document.
fn task(
    round: &Round,
    envelope: Option<&Envelope>,
    coordinator: &VerifyingKey,
) -> Result<Task, OpenedError> {
    let envelope = envelope.ok_or(OpenedError::Task)?.clone();
    let document = envelope.verify::<TaskDocument>(coordinator).map_err(|_| OpenedError::Task)?;
    Task::new(&document, round).map_err(|_| OpenedError::Task)
}
