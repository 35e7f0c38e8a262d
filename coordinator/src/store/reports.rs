//! Reports of shared tables as they were sent, and what became of each.
//!
//! A report's signed bytes are evidence and stay. The leader's share beside them is kept until it has
//! entered a sum or the report was rejected, and no longer: after that no single report can be put
//! together from this store, whoever else is asked.
//!
//! **Invariant:** one question has one report for ever: the first that came. What became of it is
//! decided once.

use super::audit::{self, Event};
use super::releases::{Late, Upload};
use super::{Store, StoreError, number, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, ReleaseId, RoundId};
use fellestall_shared::secure::Bytes;
use fellestall_shared::wire::v1::Rejection;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// A report that comes, after it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    /// The digest of the question.
    pub release: ReleaseId,
    /// The digest of the task's payload.
    pub task: Digest,
    /// The round.
    pub round: RoundId,
    /// The node.
    pub node: NodeId,
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// The digest of the signed payload, in which the digest of the leader's share is.
    pub digest: Digest,
    /// The envelope, in JSON.
    pub envelope: Vec<u8>,
    /// The leader's share.
    pub leader_share: Bytes,
    /// When it came.
    pub received: Timestamp,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportState {
    /// It waits to be verified.
    Waiting,
    /// It is in the sum of a batch.
    Verified {
        /// The batch, from 1.
        batch: u32,
    },
    /// It is in no sum.
    Rejected {
        /// Why.
        reason: Rejection,
    },
}

/// A report without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// The digest of the question.
    pub release: ReleaseId,
    /// The node.
    pub node: NodeId,
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// What became of it.
    pub state: ReportState,
}

/// Each reason with the word that it is stored as.
const REASONS: [(Rejection, &str); 7] = [
    (Rejection::Signature, "signature"),
    (Rejection::Binding, "binding"),
    (Rejection::Sealed, "sealed"),
    (Rejection::Malformed, "malformed"),
    (Rejection::Proof, "proof"),
    (Rejection::Replayed, "replayed"),
    (Rejection::Opened, "opened"),
];

/// The word that a reason is stored as, and that staff read.
#[must_use]
pub fn word(reason: Rejection) -> &'static str {
    REASONS.iter().find(|(known, _)| *known == reason).map_or("malformed", |(_, word)| word)
}

fn line(row: &AnyRow) -> Result<ReportLine, StoreError> {
    let damaged = || StoreError::Damaged { column: "report.state" };
    let state = match row.try_get::<String, _>("state")?.as_str() {
        "waiting" => ReportState::Waiting,
        "verified" => ReportState::Verified { batch: number(row, "batch")? },
        "rejected" => {
            let stored: String = row.try_get("reason")?;
            let known = REASONS.iter().find(|(_, word)| *word == stored);
            ReportState::Rejected { reason: known.ok_or_else(damaged)?.0 }
        }
        _ => return Err(damaged()),
    };
    let release: Digest = parsed(row, "release")?;
    Ok(ReportLine {
        release: release.into(),
        node: parsed(row, "node")?,
        municipality: parsed(row, "municipality")?,
        state,
    })
}

/// The reports of a round, by municipality, without their bytes.
pub(super) async fn of_round(
    connection: &mut AnyConnection,
    round: &RoundId,
) -> Result<Vec<ReportLine>, StoreError> {
    let rows = sqlx::query(
        "SELECT report.release AS release, report.node AS node,
             report.municipality AS municipality, report.state AS state, report.reason AS reason,
             job.batch AS batch
         FROM report JOIN task ON task.task = report.task
         LEFT JOIN job ON job.task = report.task AND job.job = report.job
         WHERE task.round = $1 ORDER BY report.municipality",
    )
    .bind(round.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(line).collect()
}

async fn digest_of(
    connection: &mut AnyConnection,
    release: ReleaseId,
) -> Result<Option<Digest>, StoreError> {
    let row = sqlx::query("SELECT digest FROM report WHERE release = $1")
        .bind(release.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(|row| parsed(row, "digest")).transpose()
}

/// Writes that a report is in no sum.
pub(super) async fn reject(
    connection: &mut AnyConnection,
    release: ReleaseId,
    reason: Rejection,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rejected = sqlx::query(
        "UPDATE report SET state = 'rejected', reason = $1, leader_share = NULL
         WHERE release = $2 AND state = 'waiting'",
    )
    .bind(word(reason))
    .bind(release.to_string())
    .execute(&mut *connection)
    .await?
    .rows_affected();
    if rejected == 1 {
        let row = sqlx::query(
            "SELECT report.node AS node, task.round AS round FROM report
             JOIN task ON task.task = report.task WHERE report.release = $1",
        )
        .bind(release.to_string())
        .fetch_one(&mut *connection)
        .await?;
        let node: String = row.try_get("node")?;
        let round: String = row.try_get("round")?;
        let subject = format!("{node} {round} {}", word(reason));
        audit::append(connection, now, Event::ReportRejected, &subject).await?;
    }
    Ok(())
}

async fn insert(connection: &mut AnyConnection, new: &NewReport) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO report (release, task, node, municipality, digest, envelope, received,
             leader_share, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting')",
    )
    .bind(new.release.to_string())
    .bind(new.task.to_string())
    .bind(new.node.as_str())
    .bind(new.municipality.as_str())
    .bind(new.digest.to_string())
    .bind(new.envelope.as_slice())
    .bind(new.received.unix())
    .bind(new.leader_share.0.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Stores a report that was checked. The same again is recognised by the digest of its payload,
    /// which holds the digest of the leader's share.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails: then nothing is known, and the node asks again.
    pub async fn add_report(&self, new: &NewReport, late: Late) -> Result<Upload, StoreError> {
        if self.report_digest(new.release).await? == Some(new.digest) {
            return Ok(Upload::Stood);
        }
        let mut transaction = self.begin().await?;
        let round = self.share(&mut transaction, &new.round).await?;
        let closed = round.is_none_or(|round| round.closed.is_some());
        self.hold(&mut transaction, &new.node).await?;
        let subject = format!("{} {}", new.node, new.round);
        let upload = match digest_of(&mut transaction, new.release).await? {
            Some(stands) if stands == new.digest => Upload::Stood,
            Some(_) => {
                let event = Event::ReportConflict;
                audit::append(&mut transaction, new.received, event, &subject).await?;
                Upload::Conflict
            }
            None if closed && late == Late::Refused => Upload::Closed,
            None => {
                insert(&mut transaction, new).await?;
                let event = Event::ReportStored;
                audit::append(&mut transaction, new.received, event, &subject).await?;
                Upload::Stored
            }
        };
        transaction.commit().await?;
        Ok(upload)
    }

    /// The digest of the payload of the report that stands for a question.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn report_digest(&self, release: ReleaseId) -> Result<Option<Digest>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        digest_of(&mut connection, release).await
    }

    /// The reports of a round, by municipality, without their bytes.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn reports(&self, round: &RoundId) -> Result<Vec<ReportLine>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        of_round(&mut connection, round).await
    }
}
