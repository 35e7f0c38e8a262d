//! The tasks that the helper takes part in.
//!
//! **Invariant:** a round has one task, and a task one key, for ever: the first that came.

use super::{HelperStore, blob};
use crate::store::audit::{self, Event};
use crate::store::{StoreError, moment, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use sqlx::{AnyConnection, Row};

/// A task that is about to be accepted.
pub struct NewTaskRow {
    /// The digest of its payload.
    pub task: Digest,
    /// Its round.
    pub round: RoundId,
    /// The digest of the request's body.
    pub body: Digest,
    /// The request's body: the signed task, study and round, and the key that both servers verify with.
    pub documents: Vec<u8>,
    /// The signed acceptance.
    pub acceptance: Vec<u8>,
    /// When.
    pub accepted: Timestamp,
}

/// A task that was accepted.
pub struct StoredTask {
    /// The digest of its payload.
    pub task: Digest,
    /// Its round.
    pub round: RoundId,
    /// The request's body.
    pub documents: Vec<u8>,
    /// When it was accepted.
    pub accepted: Timestamp,
}

/// What a task is answered with.
pub enum KeptTask {
    /// The acceptance, of now or of earlier.
    Accepted(Vec<u8>),
    /// The round has another task, or the task another key.
    Conflict,
}

impl HelperStore {
    /// The acceptance of a task that came before; `None` if it is new.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn acceptance(
        &self,
        task: Digest,
        round: &RoundId,
        body: Digest,
    ) -> Result<Option<KeptTask>, StoreError> {
        let mut connection = self.store.pool.acquire().await?;
        acceptance(&mut connection, task, round, body).await
    }

    /// Accepts a task that was checked.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails: then nothing is known, and the leader asks again.
    pub async fn accept(&self, new: NewTaskRow) -> Result<KeptTask, StoreError> {
        let mut transaction = self.store.begin().await?;
        if let Some(kept) = acceptance(&mut transaction, new.task, &new.round, new.body).await? {
            return Ok(kept);
        }
        sqlx::query(
            "INSERT INTO task (task, round, body, documents, acceptance, accepted)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.task.to_string())
        .bind(new.round.as_str())
        .bind(new.body.to_string())
        .bind(new.documents.as_slice())
        .bind(new.acceptance.as_slice())
        .bind(new.accepted.unix())
        .execute(&mut *transaction)
        .await?;
        let subject = new.round.as_str();
        audit::append(&mut transaction, new.accepted, Event::TaskAccepted, subject).await?;
        transaction.commit().await?;
        Ok(KeptTask::Accepted(new.acceptance))
    }

    /// Writes down that something about a round's task was refused.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn refused(
        &self,
        event: Event,
        round: &RoundId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        Self::conflict(self.store.begin().await?, event, round.as_str(), now).await
    }

    /// A task.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn task(&self, task: Digest) -> Result<Option<StoredTask>, StoreError> {
        let row = sqlx::query("SELECT task, round, documents, accepted FROM task WHERE task = $1")
            .bind(task.to_string())
            .fetch_optional(&self.store.pool)
            .await?;
        row.as_ref().map(stored).transpose()
    }

    /// All tasks, the last first.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn tasks(&self) -> Result<Vec<StoredTask>, StoreError> {
        let rows =
            sqlx::query("SELECT task, round, documents, accepted FROM task ORDER BY accepted DESC")
                .fetch_all(&self.store.pool)
                .await?;
        rows.iter().map(stored).collect()
    }
}

fn stored(row: &sqlx::any::AnyRow) -> Result<StoredTask, StoreError> {
    Ok(StoredTask {
        task: parsed(row, "task")?,
        round: parsed(row, "round")?,
        documents: blob(row, "documents")?,
        accepted: moment(row, "accepted")?,
    })
}

async fn acceptance(
    connection: &mut AnyConnection,
    task: Digest,
    round: &RoundId,
    body: Digest,
) -> Result<Option<KeptTask>, StoreError> {
    let row = sqlx::query("SELECT body, acceptance FROM task WHERE task = $1 OR round = $2")
        .bind(task.to_string())
        .bind(round.as_str())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let same = row.try_get::<String, _>("body")? == body.to_string();
    let kept =
        if same { KeptTask::Accepted(blob(&row, "acceptance")?) } else { KeptTask::Conflict };
    Ok(Some(kept))
}
