//! The tasks of rounds with shared tables, and the helper's acceptance of each.
//!
//! **Invariant:** a round has one task for ever, made in the transaction that opened the round; an
//! acceptance, once stored, stands.

use super::audit::{self, Event};
use super::{Dialect, Store, StoreError, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{NodeId, RoundId};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// An arbitrary number that names the advisory lock under which PostgreSQL writes faults of the helper.
const FAULT_LOCK: i64 = 0x66_61_75_6c;

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTask {
    /// The digest of its payload.
    pub task: Digest,
    /// Its round.
    pub round: RoundId,
    /// The envelope, in JSON.
    pub envelope: Vec<u8>,
    /// The helper's signed acceptance, in JSON, once it came.
    pub acceptance: Option<Vec<u8>>,
}

/// A task that is made with its round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// The digest of its payload.
    pub task: Digest,
    /// The envelope, in JSON.
    pub envelope: Vec<u8>,
    /// Who may report.
    pub participants: Vec<NodeId>,
}

/// A task that the helper takes part in, and its round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskOfRound {
    /// The round.
    pub round: RoundId,
    /// The digest of the task's payload.
    pub task: Digest,
}

fn task(row: &AnyRow) -> Result<StoredTask, StoreError> {
    Ok(StoredTask {
        task: parsed(row, "task")?,
        round: parsed(row, "round")?,
        envelope: row.try_get("envelope")?,
        acceptance: row.try_get("acceptance")?,
    })
}

/// Stores the task of a round that is opened in this transaction.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    round: &RoundId,
    new: &NewTask,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO task (task, round, envelope, created) VALUES ($1, $2, $3, $4)")
        .bind(new.task.to_string())
        .bind(round.as_str())
        .bind(new.envelope.as_slice())
        .bind(now.unix())
        .execute(&mut *connection)
        .await?;
    for node in &new.participants {
        sqlx::query("INSERT INTO task_participant (task, node) VALUES ($1, $2)")
            .bind(new.task.to_string())
            .bind(node.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The task of a round.
pub(super) async fn of_round(
    connection: &mut AnyConnection,
    round: &RoundId,
) -> Result<Option<StoredTask>, StoreError> {
    let row = sqlx::query("SELECT task, round, envelope, acceptance FROM task WHERE round = $1")
        .bind(round.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(task).transpose()
}

impl Store {
    /// One task.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn task(&self, id: Digest) -> Result<Option<StoredTask>, StoreError> {
        let row = sqlx::query("SELECT task, round, envelope, acceptance FROM task WHERE task = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(task).transpose()
    }

    /// The task of a round.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn task_of_round(&self, round: &RoundId) -> Result<Option<StoredTask>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        of_round(&mut connection, round).await
    }

    /// The rounds whose task asks something of the two servers: those that the helper has not accepted,
    /// and those with reports that wait or with jobs that are not done.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn unfinished_tasks(&self) -> Result<Vec<RoundId>, StoreError> {
        let rows = sqlx::query(
            "SELECT round FROM task WHERE accepted IS NULL
                 OR EXISTS (SELECT 1 FROM report WHERE report.task = task.task
                     AND report.state = 'waiting')
             ORDER BY round",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| parsed(row, "round")).collect()
    }

    /// The tasks that a node may report for and that the helper takes part in, by round.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn tasks_of(&self, node: &NodeId) -> Result<Vec<TaskOfRound>, StoreError> {
        let rows = sqlx::query(
            "SELECT task.round AS round, task.task AS task FROM task_participant
             JOIN task ON task.task = task_participant.task
             WHERE task_participant.node = $1 AND task.accepted IS NOT NULL ORDER BY task.round",
        )
        .bind(node.as_str())
        .fetch_all(&self.pool)
        .await?;
        let known =
            |row| Ok(TaskOfRound { round: parsed(row, "round")?, task: parsed(row, "task")? });
        rows.iter().map(known).collect()
    }

    /// Keeps the helper's signed acceptance; one that is there stands.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn accept_task(
        &self,
        id: Digest,
        acceptance: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let accepted = sqlx::query(
            "UPDATE task SET acceptance = $1, accepted = $2 WHERE task = $3 AND accepted IS NULL",
        )
        .bind(acceptance)
        .bind(now.unix())
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if accepted == 1 {
            let subject = id.short();
            audit::append(&mut transaction, now, Event::TaskAccepted, &subject).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Writes an alarm about what the helper answered, once for each subject.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn helper_fault(&self, subject: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        if self.dialect == Dialect::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(FAULT_LOCK)
                .execute(&mut *transaction)
                .await?;
        }
        audit::append_once(&mut transaction, now, Event::HelperFault, subject).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Holds a task until the transaction ends, so that its jobs and batches change one after the
    /// other. (In SQLite the transaction holds the only write lock already.)
    pub(super) async fn hold_task(
        &self,
        connection: &mut AnyConnection,
        id: Digest,
    ) -> Result<(), StoreError> {
        if self.dialect == Dialect::Postgres {
            sqlx::query("SELECT task FROM task WHERE task = $1 FOR NO KEY UPDATE")
                .bind(id.to_string())
                .fetch_optional(connection)
                .await?;
        }
        Ok(())
    }
}
