//! Batches: claimed once, opened once.
//!
//! **Invariant:** after a batch was claimed its sum never changes: what the helper is told of it is
//! what was checked, however often it is told.

use super::audit::{self, Event};
use super::rounds::{self, RoundContents};
use super::{Store, StoreError, jobs, moment_or_none, number, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::secure::Bytes;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// A batch with the leader's half of its sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBatch {
    /// The digest of the task's payload.
    pub task: Digest,
    /// The batch, from 1.
    pub batch: u32,
    /// The leader's share of the sum.
    pub share: Bytes,
    /// Reports in it.
    pub count: u32,
    /// The exclusive or of the SHA-256 digests of their ids.
    pub checksum: Bytes,
    /// When it was claimed: since then it takes no more.
    pub claimed: Option<Timestamp>,
    /// What it was opened with.
    pub opened: Option<OpenedWith>,
}

/// What a batch was opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedWith {
    /// The helper's signed half, in JSON.
    pub helper: Vec<u8>,
    /// The sums of all cells, scaled and with noise.
    pub values: Vec<i64>,
}

/// What became of an attempt to claim the batch that takes reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// This batch is to be opened, now or before.
    Claimed(StoredBatch),
    /// Something waits to be verified first.
    Unfinished,
    /// Nothing is to be opened.
    Nothing,
}

fn batch(row: &AnyRow) -> Result<StoredBatch, StoreError> {
    let damaged = |_| StoreError::Damaged { column: "batch.sums" };
    let opened = match row.try_get::<Option<String>, _>("sums")? {
        None => None,
        Some(sums) => {
            let values = serde_json::from_str(&sums).map_err(damaged)?;
            Some(OpenedWith { helper: row.try_get("opened")?, values })
        }
    };
    Ok(StoredBatch {
        task: parsed(row, "task")?,
        batch: number(row, "batch")?,
        share: Bytes(row.try_get("accumulator")?),
        count: number(row, "count")?,
        checksum: Bytes(row.try_get("checksum")?),
        claimed: moment_or_none(row, "claimed")?,
        opened,
    })
}

/// The batches of a round, in order.
pub(super) async fn of_round(
    connection: &mut AnyConnection,
    round: &RoundId,
) -> Result<Vec<StoredBatch>, StoreError> {
    let rows = sqlx::query(
        "SELECT batch.task AS task, batch.batch AS batch, batch.accumulator AS accumulator,
             batch.count AS count, batch.checksum AS checksum, batch.claimed AS claimed,
             batch.opened AS opened, batch.sums AS sums
         FROM batch JOIN task ON task.task = batch.task
         WHERE task.round = $1 ORDER BY batch.batch",
    )
    .bind(round.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(batch).collect()
}

impl Store {
    /// The batches of a round, in order.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn batches(&self, round: &RoundId) -> Result<Vec<StoredBatch>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        of_round(&mut connection, round).await
    }

    /// Claims the batch that takes reports, if `check` says of all that came so far that it is to be
    /// opened; a batch that was claimed and not opened is given as it is. The round is held meanwhile:
    /// nothing enters and nothing is published.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails, or what `check` answers: nothing changed.
    pub async fn claim_batch<E: From<StoreError>>(
        &self,
        round: &RoundId,
        task: Digest,
        now: Timestamp,
        check: impl FnOnce(&RoundContents, &StoredBatch) -> Result<bool, E> + Send,
    ) -> Result<Claim, E> {
        let mut transaction = self.begin_first().await?;
        self.lock(&mut transaction, round).await?;
        self.hold_task(&mut transaction, task).await?;
        let contents = rounds::contents(&mut transaction, round).await?;
        let claimed =
            contents.batches.iter().find(|batch| batch.claimed.is_some() && batch.opened.is_none());
        if let Some(claimed) = claimed {
            return Ok(Claim::Claimed(claimed.clone()));
        }
        let is_unfinished = !jobs::open_jobs(&mut transaction, task).await?.is_empty()
            || !jobs::waiting(&mut transaction, task, 1).await?.is_empty();
        if is_unfinished {
            return Ok(Claim::Unfinished);
        }
        let Some(free) = contents.batches.iter().find(|batch| batch.claimed.is_none()) else {
            return Ok(Claim::Nothing);
        };
        if !check(&contents, free)? {
            return Ok(Claim::Nothing);
        }
        sqlx::query("UPDATE batch SET claimed = $1 WHERE task = $2 AND batch = $3")
            .bind(now.unix())
            .bind(task.to_string())
            .bind(i64::from(free.batch))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        let subject = format!("{round} {}", free.batch);
        audit::append(&mut transaction, now, Event::BatchClaimed, &subject).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(Claim::Claimed(StoredBatch { claimed: Some(now), ..free.clone() }))
    }

    /// Keeps what a claimed batch was opened with; what is there stands.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn open_batch(
        &self,
        round: &RoundId,
        claimed: &StoredBatch,
        opened: &OpenedWith,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let values = serde_json::to_string(&opened.values);
        let values = values.map_err(|_| StoreError::Damaged { column: "batch.sums" })?;
        let mut transaction = self.begin().await?;
        let first = sqlx::query(
            "UPDATE batch SET opened = $1, sums = $2
             WHERE task = $3 AND batch = $4 AND claimed IS NOT NULL AND opened IS NULL",
        )
        .bind(opened.helper.as_slice())
        .bind(values)
        .bind(claimed.task.to_string())
        .bind(i64::from(claimed.batch))
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if first == 1 {
            let subject = format!("{round} {}", claimed.batch);
            audit::append(&mut transaction, now, Event::BatchOpened, &subject).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
