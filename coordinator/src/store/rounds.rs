//! Rounds: opened once, closed once, together with what they published.
//!
//! **Invariant:** a round closes in the same transaction in which its first publication is stored;
//! two closers leave one publication.

use super::audit::{self, Event};
use super::batches::{self, StoredBatch};
use super::presentations::NewPresentation;
use super::publications::{self, Head, StoredPublication};
use super::releases::{self, StoredRelease};
use super::reports::{self, ReportLine};
use super::studies::Kept;
use super::tasks::{self, NewTask, StoredTask};
use super::{Dialect, Store, StoreError, moment_or_none, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

/// An arbitrary number that names the advisory lock under which PostgreSQL publishes.
const PUBLISH_LOCK: i64 = 0x70_75_62;

/// How long a transaction that publishes may take over one step. (Another statement is cancelled after a
/// minute.)
const PATIENCE: [&str; 2] = [
    "SET LOCAL idle_in_transaction_session_timeout = '10min'",
    "SET LOCAL statement_timeout = '10min'",
];

/// A round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRound {
    /// Its id.
    pub round: RoundId,
    /// The digest of its study's payload.
    pub study: Digest,
    /// The envelope, in JSON.
    pub envelope: Vec<u8>,
    /// When it was closed.
    pub closed: Option<Timestamp>,
}

/// What a publication is made from.
#[derive(Debug, Clone)]
pub struct RoundContents {
    /// The releases that came, by municipality.
    pub releases: Vec<StoredRelease>,
    /// Every version of every round that was published so far.
    pub published: Vec<Head>,
    /// The task of its shared tables, if it has any.
    pub task: Option<StoredTask>,
    /// What became of the reports of its shared tables, by municipality.
    pub reports: Vec<ReportLine>,
    /// The batches that they are in, in order.
    pub batches: Vec<StoredBatch>,
}

/// A version to be published.
#[derive(Debug, Clone)]
pub struct NewPublication {
    /// The digest of the document.
    pub digest: Digest,
    /// The document, in JSON.
    pub document: Vec<u8>,
    /// The document with every signed release in it, for auditors.
    pub bundle: Vec<u8>,
    /// What a later publication must know of it (JSON).
    pub summary: String,
    /// How it is shown.
    pub presentation: NewPresentation,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishRoundError<E: std::error::Error + 'static> {
    /// No such round.
    #[error("there is no round {round}; see `round list`")]
    Unknown {
        /// The id asked for.
        round: RoundId,
    },
    /// The round is still open, so that there is nothing to revise.
    #[error("{round} is still open; close it first")]
    Open {
        /// The round.
        round: RoundId,
    },
    /// The figures could not be made; the round stays as it was.
    #[error("nothing was published, and the round stays as it was")]
    Compute(#[source] E),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E: std::error::Error + 'static> From<sqlx::Error> for PublishRoundError<E> {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

fn round(row: &AnyRow) -> Result<StoredRound, StoreError> {
    Ok(StoredRound {
        round: parsed(row, "round")?,
        study: parsed(row, "study")?,
        envelope: row.try_get("envelope")?,
        closed: moment_or_none(row, "closed")?,
    })
}

impl Store {
    /// Stores a new round without shared tables; a round that exists stands as it is.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn add_round(&self, new: &StoredRound, now: Timestamp) -> Result<Kept, StoreError> {
        self.add_round_with(new, None, now).await
    }

    /// Stores a new round and the task of its shared tables; a round that exists stands as it is, and so
    /// does its task.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn add_round_with(
        &self,
        new: &StoredRound,
        task: Option<&NewTask>,
        now: Timestamp,
    ) -> Result<Kept, StoreError> {
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO round (round, study, envelope, status) VALUES ($1, $2, $3, 'open')
             ON CONFLICT DO NOTHING",
        )
        .bind(new.round.as_str())
        .bind(new.study.to_string())
        .bind(new.envelope.as_slice())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if inserted == 1 {
            if let Some(task) = task {
                tasks::insert(&mut transaction, &new.round, task, now).await?;
            }
            audit::append(&mut transaction, now, Event::RoundOpened, new.round.as_str()).await?;
        }
        transaction.commit().await?;
        Ok(if inserted == 1 { Kept::New } else { Kept::Stood })
    }

    /// All rounds, by id.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn rounds(&self) -> Result<Vec<StoredRound>, StoreError> {
        let rows = sqlx::query("SELECT round, study, envelope, closed FROM round ORDER BY round")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(round).collect()
    }

    /// One round.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn round(&self, id: &RoundId) -> Result<Option<StoredRound>, StoreError> {
        let row = sqlx::query("SELECT round, study, envelope, closed FROM round WHERE round = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(round).transpose()
    }

    /// Closes a round with the publication that `compute` makes from what came; a closed round
    /// gives the publication that it closed with.
    ///
    /// # Errors
    /// [`PublishRoundError`]: nothing changed.
    pub async fn close_round<E, F>(
        &self,
        id: &RoundId,
        now: Timestamp,
        compute: F,
    ) -> Result<StoredPublication, PublishRoundError<E>>
    where
        E: std::error::Error + Send + 'static,
        F: FnOnce(RoundContents) -> Result<NewPublication, E> + Send,
    {
        let mut transaction = self.begin_first().await?;
        let round = self.lock(&mut transaction, id).await?;
        let round = round.ok_or_else(|| PublishRoundError::Unknown { round: id.clone() })?;
        if round.closed.is_some() {
            drop(transaction);
            // A round closes with its publication or not at all.
            let damaged = StoreError::Damaged { column: "round.status" };
            return Ok(self.publication(id, 1).await?.ok_or(damaged)?);
        }
        let contents = contents(&mut transaction, id).await?;
        let made = compute(contents).map_err(PublishRoundError::Compute)?;
        let publication = publications::insert(&mut transaction, id, 1, made, now).await?;
        sqlx::query("UPDATE round SET status = 'closed', closed = $1 WHERE round = $2")
            .bind(now.unix())
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        audit::append(&mut transaction, now, Event::RoundClosed, id.as_str()).await?;
        transaction.commit().await?;
        Ok(publication)
    }

    /// Publishes the next version of a closed round, made by `compute` from what came by now; `None`
    /// if `compute` finds that nothing is new.
    ///
    /// # Errors
    /// [`PublishRoundError`]: nothing changed.
    pub async fn revise_round<E, F>(
        &self,
        id: &RoundId,
        now: Timestamp,
        compute: F,
    ) -> Result<Option<StoredPublication>, PublishRoundError<E>>
    where
        E: std::error::Error + Send + 'static,
        F: FnOnce(RoundContents) -> Result<Option<NewPublication>, E> + Send,
    {
        let mut transaction = self.begin_first().await?;
        let round = self.lock(&mut transaction, id).await?;
        let round = round.ok_or_else(|| PublishRoundError::Unknown { round: id.clone() })?;
        if round.closed.is_none() {
            return Err(PublishRoundError::Open { round: id.clone() });
        }
        let contents = contents(&mut transaction, id).await?;
        let of_round = contents.published.iter().filter(|head| head.round == *id);
        let newest = of_round.map(|head| head.version).max().unwrap_or(0);
        let Some(made) = compute(contents).map_err(PublishRoundError::Compute)? else {
            return Ok(None);
        };
        let version = newest.saturating_add(1);
        let publication = publications::insert(&mut transaction, id, version, made, now).await?;
        transaction.commit().await?;
        Ok(Some(publication))
    }

    /// Reads a round and holds it until the transaction ends, so that no release enters and no one
    /// else closes it meanwhile; nor does another round publish, so that the guard against
    /// differences sees every earlier publication. (In SQLite the transaction holds the only write
    /// lock already.)
    pub(super) async fn lock(
        &self,
        transaction: &mut Transaction<'static, Any>,
        id: &RoundId,
    ) -> Result<Option<StoredRound>, StoreError> {
        self.hold_publishing(transaction).await?;
        if self.dialect == Dialect::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(round_lock(id))
                .execute(&mut **transaction)
                .await?;
        }
        read(transaction, id).await
    }

    /// Keeps every other publication waiting until the transaction ends. (In SQLite the transaction
    /// holds the only write lock already.)
    pub(super) async fn hold_publishing(
        &self,
        transaction: &mut Transaction<'static, Any>,
    ) -> Result<(), StoreError> {
        if self.dialect == Dialect::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(PUBLISH_LOCK)
                .execute(&mut **transaction)
                .await?;
            // Thousands of releases are merged while the transaction waits, and written as one value.
            for setting in PATIENCE {
                sqlx::query(setting).execute(&mut **transaction).await?;
            }
        }
        Ok(())
    }

    /// Reads a round and keeps it from being closed until the transaction ends; others may do the same.
    ///
    /// In PostgreSQL by an advisory lock, for which all wait in one line: shares of a row's lock are given
    /// past whoever waits for the whole of it, and a closer would wait until nobody uploads any more.
    pub(super) async fn share(
        &self,
        transaction: &mut Transaction<'static, Any>,
        id: &RoundId,
    ) -> Result<Option<StoredRound>, StoreError> {
        if self.dialect == Dialect::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock_shared($1)")
                .bind(round_lock(id))
                .execute(&mut **transaction)
                .await?;
        }
        read(transaction, id).await
    }
}

/// The number of a round's advisory lock. Two rounds that share one wait for each other, and no more.
fn round_lock(id: &RoundId) -> i64 {
    let digest = Digest::of("fellestall/round-lock/1", id.as_str().as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | i64::from(*byte))
}

/// Reads a round, after its lock was taken: a statement sees what was committed before it began.
async fn read(
    transaction: &mut Transaction<'static, Any>,
    id: &RoundId,
) -> Result<Option<StoredRound>, StoreError> {
    let row = sqlx::query("SELECT round, study, envelope, closed FROM round WHERE round = $1")
        .bind(id.as_str())
        .fetch_optional(&mut **transaction)
        .await?;
    row.as_ref().map(round).transpose()
}

pub(super) async fn contents(
    transaction: &mut Transaction<'static, Any>,
    id: &RoundId,
) -> Result<RoundContents, StoreError> {
    Ok(RoundContents {
        releases: releases::of_round(transaction, id).await?,
        published: publications::heads(transaction).await?,
        task: tasks::of_round(transaction, id).await?,
        reports: reports::of_round(transaction, id).await?,
        batches: batches::of_round(transaction, id).await?,
    })
}
