//! Jobs: which reports are verified together, written down before anything is sent.
//!
//! **Invariant:** a report is in one job, a job in one batch, and both enter the sum of the batch in
//! one transaction, once, however often the job is sent.

use super::reports;
use super::{Store, StoreError, number, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::ReleaseId;
use fellestall_shared::secure::Bytes;
use fellestall_shared::wire::v1::Rejection;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// A job that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// The digest of the task's payload.
    pub task: Digest,
    /// Its number, from 1.
    pub job: u32,
    /// The batch that it is for.
    pub batch: u32,
    /// The digest of what is sent.
    pub request: Digest,
}

/// A job to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// The digest of the task's payload.
    pub task: Digest,
    /// The batch that it is for.
    pub batch: u32,
    /// The digest of what is sent.
    pub request: Digest,
    /// Its reports, by release id.
    pub reports: Vec<ReleaseId>,
}

/// A report with what the leader verifies it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingReport {
    /// The digest of the question.
    pub release: ReleaseId,
    /// The envelope, in JSON.
    pub envelope: Vec<u8>,
    /// The leader's share.
    pub leader_share: Bytes,
}

/// The leader's half of the sum of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchSum {
    /// The leader's share of the sum; empty while nothing is in it.
    pub share: Bytes,
    /// Reports in it.
    pub count: u32,
    /// The exclusive or of the SHA-256 digests of their ids; empty while nothing is in it.
    pub checksum: Bytes,
}

/// The batch that takes the next reports: the first that nobody has claimed.
pub(super) async fn current_batch(
    connection: &mut AnyConnection,
    task: Digest,
) -> Result<u32, StoreError> {
    let row = sqlx::query(
        "SELECT COALESCE(MAX(batch), 0) AS batch FROM batch
         WHERE task = $1 AND claimed IS NOT NULL",
    )
    .bind(task.to_string())
    .fetch_one(connection)
    .await?;
    Ok(number(&row, "batch")?.saturating_add(1))
}

fn job(row: &AnyRow) -> Result<StoredJob, StoreError> {
    Ok(StoredJob {
        task: parsed(row, "task")?,
        job: number(row, "job")?,
        batch: number(row, "batch")?,
        request: parsed(row, "request")?,
    })
}

/// Jobs that are not done.
pub(super) async fn open_jobs(
    connection: &mut AnyConnection,
    task: Digest,
) -> Result<Vec<StoredJob>, StoreError> {
    let rows = sqlx::query(
        "SELECT task, job, batch, request FROM job WHERE task = $1 AND done IS NULL ORDER BY job",
    )
    .bind(task.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(job).collect()
}

/// The reports that wait for a job and whose release is stored, with the size of the leader's share, by
/// release id; a report without a release may never be counted.
pub(super) async fn waiting(
    connection: &mut AnyConnection,
    task: Digest,
    most: u32,
) -> Result<Vec<(ReleaseId, usize)>, StoreError> {
    let rows = sqlx::query(
        "SELECT report.release AS release, CAST(LENGTH(report.leader_share) AS BIGINT) AS bytes
         FROM report JOIN release ON release.release = report.release
         WHERE report.task = $1 AND report.state = 'waiting' AND report.job IS NULL
         ORDER BY report.release LIMIT $2",
    )
    .bind(task.to_string())
    .bind(i64::from(most))
    .fetch_all(connection)
    .await?;
    let line = |row| {
        let release: Digest = parsed(row, "release")?;
        let bytes = usize::try_from(row.try_get::<i64, _>("bytes")?);
        Ok((release.into(), bytes.map_err(|_| StoreError::Damaged { column: "leader_share" })?))
    };
    rows.iter().map(line).collect()
}

async fn insert(
    connection: &mut AnyConnection,
    new: &NewJob,
    now: Timestamp,
) -> Result<u32, StoreError> {
    let task = new.task.to_string();
    sqlx::query(
        "INSERT INTO batch (task, batch, accumulator, count, checksum)
         VALUES ($1, $2, $3, 0, $3) ON CONFLICT DO NOTHING",
    )
    .bind(task.as_str())
    .bind(i64::from(new.batch))
    .bind(&[][..])
    .execute(&mut *connection)
    .await?;
    let last = sqlx::query("SELECT COALESCE(MAX(job), 0) AS job FROM job WHERE task = $1")
        .bind(task.as_str())
        .fetch_one(&mut *connection)
        .await?;
    let job = number(&last, "job")?.saturating_add(1);
    sqlx::query("INSERT INTO job (task, job, batch, request, made) VALUES ($1, $2, $3, $4, $5)")
        .bind(task.as_str())
        .bind(i64::from(job))
        .bind(i64::from(new.batch))
        .bind(new.request.to_string())
        .bind(now.unix())
        .execute(&mut *connection)
        .await?;
    Ok(job)
}

impl Store {
    /// Jobs that were written down and are not done, in order.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn open_jobs(&self, task: Digest) -> Result<Vec<StoredJob>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        open_jobs(&mut connection, task).await
    }

    /// The batch that takes the next reports, and the first reports that wait for a job: so many that
    /// their shares are within `bytes` together, and one at least.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn next_reports(
        &self,
        task: Digest,
        most: u32,
        bytes: usize,
    ) -> Result<(u32, Vec<ReleaseId>), StoreError> {
        let mut connection = self.pool.acquire().await?;
        let batch = current_batch(&mut connection, task).await?;
        let (mut chosen, mut total) = (Vec::new(), 0_usize);
        for (release, size) in waiting(&mut connection, task, most).await? {
            total = total.saturating_add(size);
            if total > bytes && !chosen.is_empty() {
                break;
            }
            chosen.push(release);
        }
        Ok((batch, chosen))
    }

    /// The reports of a job, by release id.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn reports_of_job(&self, job: &StoredJob) -> Result<Vec<ReleaseId>, StoreError> {
        let rows =
            sqlx::query("SELECT release FROM report WHERE task = $1 AND job = $2 ORDER BY release")
                .bind(job.task.to_string())
                .bind(i64::from(job.job))
                .fetch_all(&self.pool)
                .await?;
        let line = |row| parsed::<Digest>(row, "release").map(ReleaseId::from);
        rows.iter().map(line).collect()
    }

    /// A report with the leader's share; `None` once what became of it is decided.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn waiting_report(
        &self,
        release: ReleaseId,
    ) -> Result<Option<WaitingReport>, StoreError> {
        let row = sqlx::query(
            "SELECT envelope, leader_share FROM report WHERE release = $1 AND state = 'waiting'",
        )
        .bind(release.to_string())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (envelope, share) = (row.try_get("envelope")?, row.try_get("leader_share")?);
        Ok(Some(WaitingReport { release, envelope, leader_share: Bytes(share) }))
    }

    /// Rejects reports that are in no job: the leader's own check failed.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn reject_reports(
        &self,
        task: Digest,
        rejected: &[(ReleaseId, Rejection)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        self.hold_task(&mut transaction, task).await?;
        for (release, reason) in rejected {
            reports::reject(&mut transaction, *release, *reason, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes a job down; `None` if one of its reports is in another by now, or its batch was claimed.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails: then nothing may be sent.
    pub async fn add_job(
        &self,
        new: &NewJob,
        now: Timestamp,
    ) -> Result<Option<StoredJob>, StoreError> {
        let mut transaction = self.begin().await?;
        self.hold_task(&mut transaction, new.task).await?;
        if current_batch(&mut transaction, new.task).await? != new.batch {
            return Ok(None);
        }
        let job = insert(&mut transaction, new, now).await?;
        for release in &new.reports {
            let taken = sqlx::query(
                "UPDATE report SET job = $1
                 WHERE release = $2 AND task = $3 AND state = 'waiting' AND job IS NULL",
            )
            .bind(i64::from(job))
            .bind(release.to_string())
            .bind(new.task.to_string())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if taken != 1 {
                return Ok(None);
            }
        }
        transaction.commit().await?;
        let NewJob { task, batch, request, .. } = *new;
        Ok(Some(StoredJob { task, job, batch, request }))
    }

    /// Ends a job: what became of each of its reports, and the sum of its batch that `add` makes from
    /// the one that stands. Gives whether it was not done before.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails, or what `add` answers: nothing changed.
    pub async fn finish_job<E: From<StoreError>>(
        &self,
        job: &StoredJob,
        outcomes: &[(ReleaseId, Option<Rejection>)],
        now: Timestamp,
        add: impl FnOnce(BatchSum) -> Result<BatchSum, E> + Send,
    ) -> Result<bool, E> {
        let mut transaction = self.begin().await?;
        self.hold_task(&mut transaction, job.task).await?;
        if !mark_done(&mut transaction, job, now).await? {
            return Ok(false);
        }
        let sum = add(batch_sum(&mut transaction, job).await?)?;
        write_sum(&mut transaction, job, &sum).await?;
        for (release, rejected) in outcomes {
            match rejected {
                Some(reason) => {
                    reports::reject(&mut transaction, *release, *reason, now).await?;
                }
                None => verified(&mut transaction, *release).await?,
            }
        }
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(true)
    }
}

async fn mark_done(
    connection: &mut AnyConnection,
    job: &StoredJob,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE job SET done = $1 WHERE task = $2 AND job = $3 AND done IS NULL")
            .bind(now.unix())
            .bind(job.task.to_string())
            .bind(i64::from(job.job))
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

async fn batch_sum(
    connection: &mut AnyConnection,
    job: &StoredJob,
) -> Result<BatchSum, StoreError> {
    let row = sqlx::query(
        "SELECT accumulator, count, checksum FROM batch WHERE task = $1 AND batch = $2",
    )
    .bind(job.task.to_string())
    .bind(i64::from(job.batch))
    .fetch_one(connection)
    .await?;
    Ok(BatchSum {
        share: Bytes(row.try_get("accumulator")?),
        count: number(&row, "count")?,
        checksum: Bytes(row.try_get("checksum")?),
    })
}

async fn write_sum(
    connection: &mut AnyConnection,
    job: &StoredJob,
    sum: &BatchSum,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE batch SET accumulator = $1, count = $2, checksum = $3
         WHERE task = $4 AND batch = $5",
    )
    .bind(sum.share.0.as_slice())
    .bind(i64::from(sum.count))
    .bind(sum.checksum.0.as_slice())
    .bind(job.task.to_string())
    .bind(i64::from(job.batch))
    .execute(connection)
    .await?;
    Ok(())
}

/// The leader's share is not needed any more: it is in the sum.
async fn verified(connection: &mut AnyConnection, release: ReleaseId) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE report SET state = 'verified', leader_share = NULL
         WHERE release = $1 AND state = 'waiting'",
    )
    .bind(release.to_string())
    .execute(connection)
    .await?;
    // It is in this job, and this job was not done.
    let damaged = StoreError::Damaged { column: "report.state" };
    if done.rows_affected() == 1 { Ok(()) } else { Err(damaged) }
}
