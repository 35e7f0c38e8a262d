//! Batches: the helper's half of a sum, until it is opened once.
//!
//! **Invariant:** an opened batch is never changed and never opened for other reports; what it was
//! opened with is its stored answer.

use super::{HelperStore, blob};
use crate::helper::error::HelperError;
use crate::store::audit::{self, Event};
use crate::store::{StoreError, number};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::secure::Bytes;
use fellestall_shared::secure::Checksum;
use fellestall_shared::secure::vdaf::{AggregateShare, OutputShare, Vdaf};
use fellestall_shared::signed::SigningKey;
use fellestall_shared::wire::v1::OpenedBatch;
use sqlx::{AnyConnection, Row};

/// A batch as it stands within a transaction.
pub(super) struct Batch {
    count: u32,
    checksum: Checksum,
    half: AggregateShare,
    pub(super) opened: bool,
}

/// A claim to open a batch.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// The task.
    pub task: Digest,
    /// The batch.
    pub batch: u32,
    /// How many reports the leader holds.
    pub count: u32,
    /// Which.
    pub checksum: Checksum,
    /// How many the task asks for.
    pub minimum: u32,
    /// When it came.
    pub now: Timestamp,
}

/// How a batch stands, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLine {
    /// The task, as it is stored.
    pub task: String,
    /// The batch.
    pub batch: u32,
    /// How many reports are in it.
    pub count: u32,
    /// Whether it was opened.
    pub opened: bool,
}

impl HelperStore {
    /// Whether a batch was opened.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn is_opened(&self, task: Digest, batch: u32) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT opened FROM batch WHERE task = $1 AND batch = $2")
            .bind(task.to_string())
            .bind(i64::from(batch))
            .fetch_optional(&self.store.pool)
            .await?;
        let opened = row.map(|row| row.try_get::<Option<i64>, _>("opened")).transpose()?;
        Ok(opened.flatten().is_some())
    }

    /// All batches, by task and number.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn batches(&self) -> Result<Vec<BatchLine>, StoreError> {
        let rows =
            sqlx::query("SELECT task, batch, reports, opened FROM batch ORDER BY task, batch")
                .fetch_all(&self.store.pool)
                .await?;
        let line = |row: &sqlx::any::AnyRow| {
            Ok(BatchLine {
                task: row.try_get("task")?,
                batch: number(row, "batch")?,
                count: number(row, "reports")?,
                opened: row.try_get::<Option<i64>, _>("opened")?.is_some(),
            })
        };
        rows.iter().map(line).collect()
    }

    /// Opens a batch, if the claim is what the helper holds: the signed half of the sum, in the bytes of
    /// the first time.
    ///
    /// # Errors
    /// [`HelperError::BatchConflict`], [`HelperError::TooFew`], or a failure: then nothing is known, and
    /// the leader asks again.
    pub async fn open_batch(
        &self,
        claim: &Opening,
        vdaf: &Vdaf,
        key: &SigningKey,
    ) -> Result<Vec<u8>, HelperError> {
        let mut transaction = self.begin_on(claim.task).await?;
        let batch = load(&mut transaction, claim.task, claim.batch, vdaf).await?;
        if (batch.count, batch.checksum) != (claim.count, claim.checksum) {
            let subject = format!("{} batch {}", claim.task.short(), claim.batch);
            Self::conflict(transaction, Event::BatchConflict, &subject, claim.now).await?;
            return Err(HelperError::BatchConflict);
        }
        if batch.opened {
            return stored_answer(&mut transaction, claim).await;
        }
        if batch.count < claim.minimum.max(1) {
            return Err(HelperError::TooFew { minimum: claim.minimum });
        }
        let opened = OpenedBatch {
            task: claim.task,
            batch: claim.batch,
            count: batch.count,
            checksum: batch.checksum.into(),
            share: Bytes(batch.half.to_bytes()),
        };
        let envelope = key.sign(&opened).map_err(HelperError::Sign)?;
        let answer = envelope.to_json().map_err(HelperError::Sign)?;
        // The half is in the answer now, and nothing is added to it any more.
        sqlx::query(
            "UPDATE batch SET opened = $3, answer = $4, half = $5 WHERE task = $1 AND batch = $2",
        )
        .bind(claim.task.to_string())
        .bind(i64::from(claim.batch))
        .bind(claim.now.unix())
        .bind(answer.as_slice())
        .bind([].as_slice())
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        let subject = format!("{} batch {}", claim.task.short(), claim.batch);
        audit::append(&mut transaction, claim.now, Event::BatchOpened, &subject).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(answer)
    }
}

async fn stored_answer(
    connection: &mut AnyConnection,
    claim: &Opening,
) -> Result<Vec<u8>, HelperError> {
    let row = sqlx::query("SELECT answer FROM batch WHERE task = $1 AND batch = $2")
        .bind(claim.task.to_string())
        .bind(i64::from(claim.batch))
        .fetch_one(connection)
        .await
        .map_err(StoreError::from)?;
    Ok(blob(&row, "answer")?)
}

/// A batch; one that has no reports yet is empty.
pub(super) async fn load(
    connection: &mut AnyConnection,
    task: Digest,
    batch: u32,
    vdaf: &Vdaf,
) -> Result<Batch, HelperError> {
    let row = sqlx::query(
        "SELECT batch, reports, checksum, half, opened FROM batch WHERE task = $1 AND batch = $2",
    )
    .bind(task.to_string())
    .bind(i64::from(batch))
    .fetch_optional(connection)
    .await
    .map_err(StoreError::from)?;
    let Some(row) = row else {
        let (checksum, half) = (Checksum::NONE, vdaf.nothing());
        return Ok(Batch { count: 0, checksum, half, opened: false });
    };
    let opened = row.try_get::<Option<i64>, _>("opened").map_err(StoreError::from)?.is_some();
    let half = if opened { vdaf.nothing() } else { vdaf.aggregate(&blob(&row, "half")?)? };
    let checksum = Bytes(blob(&row, "checksum")?);
    let checksum =
        Checksum::try_from(&checksum).map_err(|_| StoreError::Damaged { column: "checksum" })?;
    Ok(Batch { count: number(&row, "reports")?, checksum, half, opened })
}

impl Batch {
    /// Adds one report.
    pub(super) fn add(&mut self, id: &[u8; 16], half: &OutputShare) -> Result<(), HelperError> {
        self.half.add(half)?;
        self.count = self.count.saturating_add(1);
        self.checksum = self.checksum.with(id);
        Ok(())
    }

    /// Stores the batch; the database refuses it if the batch was opened.
    pub(super) async fn save(
        &self,
        connection: &mut AnyConnection,
        task: Digest,
        batch: u32,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO batch (task, batch, reports, checksum, half) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (task, batch) DO UPDATE
             SET reports = excluded.reports, checksum = excluded.checksum, half = excluded.half",
        )
        .bind(task.to_string())
        .bind(i64::from(batch))
        .bind(i64::from(self.count))
        .bind(self.checksum.as_bytes().as_slice())
        .bind(self.half.to_bytes().as_slice())
        .execute(connection)
        .await?;
        Ok(())
    }
}
