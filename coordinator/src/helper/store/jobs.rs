//! Jobs: reports that were verified together, and what was said of each.
//!
//! **Invariant:** one transaction uses up the reports, adds the good ones to the helper's half of the
//! sum and stores the answer; a report counts at most once in a task, whichever job or batch it is in.

use super::batches::{self, Batch};
use super::{HelperStore, Kept, blob};
use crate::helper::error::HelperError;
use crate::helper::verify::Looked;
use crate::store::audit::{self, Event};
use crate::store::{StoreError, parsed};
use data_encoding::HEXLOWER;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::secure::Bytes;
use fellestall_shared::secure::vdaf::{OutputShare, Vdaf};
use fellestall_shared::wire::v1::{JobResult, Outcome, Rejection};
use sqlx::{AnyConnection, Row};
use std::collections::BTreeSet;

/// A job that came.
#[derive(Debug, Clone, Copy)]
pub struct NewJob {
    /// The task.
    pub task: Digest,
    /// Its number, from 1.
    pub job: u32,
    /// The batch that it is for.
    pub batch: u32,
    /// The digest of the request's body.
    pub body: Digest,
    /// When it came.
    pub now: Timestamp,
}

impl NewJob {
    fn subject(&self) -> String {
        format!("{} job {}", self.task.short(), self.job)
    }
}

impl HelperStore {
    /// What a job that came before was answered with; `None` if it is new. Another one under its
    /// number is an alarm.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn job(&self, job: &NewJob) -> Result<Option<Kept>, StoreError> {
        let mut connection = self.store.pool.acquire().await?;
        let kept = stands(&mut connection, job).await?;
        drop(connection);
        if matches!(kept, Some(Kept::Conflict)) {
            let transaction = self.store.begin().await?;
            Self::conflict(transaction, Event::JobConflict, &job.subject(), job.now).await?;
        }
        Ok(kept)
    }

    /// The municipalities whose report for a task is used up.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn used(&self, task: Digest) -> Result<BTreeSet<MunicipalityNumber>, StoreError> {
        let rows = sqlx::query("SELECT municipality FROM used_report WHERE task = $1")
            .bind(task.to_string())
            .fetch_all(&self.store.pool)
            .await?;
        rows.iter().map(|row| parsed(row, "municipality")).collect()
    }

    /// Adds up and answers a job whose reports were looked at. If its batch is open by now, nothing of
    /// it is used.
    ///
    /// # Errors
    /// [`HelperError`] if the database fails: then nothing is known, and the leader asks again.
    pub async fn add_job(
        &self,
        job: &NewJob,
        looked: Vec<Looked>,
        vdaf: &Vdaf,
    ) -> Result<Kept, HelperError> {
        let mut transaction = self.begin_on(job.task).await?;
        if let Some(kept) = stands(&mut transaction, job).await? {
            if matches!(kept, Kept::Conflict) {
                Self::conflict(transaction, Event::JobConflict, &job.subject(), job.now).await?;
            }
            return Ok(kept);
        }
        let mut batch = batches::load(&mut transaction, job.task, job.batch, vdaf).await?;
        let mut outcomes = Vec::with_capacity(looked.len());
        for one in looked {
            outcomes.push(match one {
                _ if batch.opened => Err(Rejection::Opened),
                Looked::Refused(why) => Err(why),
                Looked::Used { municipality, id, verified } => {
                    if use_up(&mut transaction, job.task, &municipality, &id).await? {
                        count(&mut batch, &id, verified)?
                    } else {
                        Err(Rejection::Replayed)
                    }
                }
            });
        }
        if !batch.opened {
            batch.save(&mut transaction, job.task, job.batch).await?;
        }
        let answer = answer(outcomes)?;
        sqlx::query("INSERT INTO job (task, job, body, answer, done) VALUES ($1, $2, $3, $4, $5)")
            .bind(job.task.to_string())
            .bind(i64::from(job.job))
            .bind(job.body.to_string())
            .bind(answer.as_slice())
            .bind(job.now.unix())
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        audit::append(&mut transaction, job.now, Event::JobDone, &job.subject()).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(Kept::Answer(answer))
    }
}

async fn stands(connection: &mut AnyConnection, job: &NewJob) -> Result<Option<Kept>, StoreError> {
    let row = sqlx::query("SELECT body, answer FROM job WHERE task = $1 AND job = $2")
        .bind(job.task.to_string())
        .bind(i64::from(job.job))
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let same = row.try_get::<String, _>("body")? == job.body.to_string();
    Ok(Some(if same { Kept::Answer(blob(&row, "answer")?) } else { Kept::Conflict }))
}

/// Adds a report that was verified to its batch: the message for the leader, or why it is in no sum.
fn count(
    batch: &mut Batch,
    id: &[u8; 16],
    verified: Result<(OutputShare, Vec<u8>), Rejection>,
) -> Result<Result<Vec<u8>, Rejection>, HelperError> {
    let (half, message) = match verified {
        Ok(good) => good,
        Err(why) => return Ok(Err(why)),
    };
    batch.add(id, &half)?;
    Ok(Ok(message))
}

/// Uses a report up; false if it, or another one of its municipality, was used before.
async fn use_up(
    connection: &mut AnyConnection,
    task: Digest,
    municipality: &MunicipalityNumber,
    id: &[u8; 16],
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO used_report (task, municipality, report) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind(task.to_string())
    .bind(municipality.as_str())
    .bind(HEXLOWER.encode(id))
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

fn answer(outcomes: Vec<Result<Vec<u8>, Rejection>>) -> Result<Vec<u8>, HelperError> {
    let outcomes = outcomes.into_iter().map(|outcome| match outcome {
        Ok(message) => Outcome::Accepted { message: Bytes(message) },
        Err(reason) => Outcome::Rejected { reason },
    });
    let result = JobResult { outcomes: outcomes.collect() };
    Ok(serde_json::to_vec(&result).map_err(crate::api::error::ApiError::from)?)
}
