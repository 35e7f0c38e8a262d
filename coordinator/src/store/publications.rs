//! What was published, version by version.
//!
//! **Invariant:** immutable; the database refuses to change or drop a version.

use super::audit::{self, Event};
use super::presentations;
use super::rounds::NewPublication;
use super::{Store, StoreError, moment, number, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// One published version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPublication {
    /// The round.
    pub round: RoundId,
    /// The version, from 1.
    pub version: u32,
    /// The digest of the document.
    pub digest: Digest,
    /// The document, in JSON.
    pub document: Vec<u8>,
    /// The document with every signed release in it, for auditors.
    pub bundle: Vec<u8>,
    /// When it was published.
    pub created: Timestamp,
}

fn publication(row: &AnyRow) -> Result<StoredPublication, StoreError> {
    Ok(StoredPublication {
        round: parsed(row, "round")?,
        version: number(row, "version")?,
        digest: parsed(row, "digest")?,
        document: row.try_get("document")?,
        bundle: row.try_get("bundle")?,
        created: moment(row, "created")?,
    })
}

/// Every version of every round, as far as a further publication must know it.
pub(super) async fn heads(connection: &mut AnyConnection) -> Result<Vec<Head>, StoreError> {
    let rows =
        sqlx::query("SELECT round, version, summary FROM publication ORDER BY round, version")
            .fetch_all(connection)
            .await?;
    let head = |row: &AnyRow| {
        Ok(Head {
            round: parsed(row, "round")?,
            version: number(row, "version")?,
            summary: row.try_get("summary")?,
        })
    };
    rows.iter().map(head).collect()
}

/// Stores a version within the caller's transaction, which holds the round.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    round: &RoundId,
    version: u32,
    made: NewPublication,
    now: Timestamp,
) -> Result<StoredPublication, StoreError> {
    sqlx::query(
        "INSERT INTO publication (round, version, digest, document, bundle, summary, created)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(round.as_str())
    .bind(i64::from(version))
    .bind(made.digest.to_string())
    .bind(made.document.as_slice())
    .bind(made.bundle.as_slice())
    .bind(made.summary.as_str())
    .bind(now.unix())
    .execute(&mut *connection)
    .await?;
    presentations::insert(connection, round, version, &made.presentation, now).await?;
    audit::append(connection, now, Event::Published, &format!("{round} {version}")).await?;
    let NewPublication { digest, document, bundle, .. } = made;
    Ok(StoredPublication { round: round.clone(), version, digest, document, bundle, created: now })
}

impl Store {
    /// All versions of all rounds, newest first, without their documents.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn publications(&self, most: u32) -> Result<Vec<PublicationLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT round, version, digest, created FROM publication
             ORDER BY created DESC, round, version DESC LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        let line = |row: &AnyRow| {
            Ok(PublicationLine {
                round: parsed(row, "round")?,
                version: number(row, "version")?,
                digest: parsed(row, "digest")?,
                created: moment(row, "created")?,
            })
        };
        rows.iter().map(line).collect()
    }

    /// One version.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn publication(
        &self,
        round: &RoundId,
        version: u32,
    ) -> Result<Option<StoredPublication>, StoreError> {
        let row = sqlx::query(
            "SELECT round, version, digest, document, bundle, created FROM publication
             WHERE round = $1 AND version = $2",
        )
        .bind(round.as_str())
        .bind(i64::from(version))
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(publication).transpose()
    }
}

/// One published version without its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationLine {
    /// The round.
    pub round: RoundId,
    /// The version, from 1.
    pub version: u32,
    /// The digest of the document.
    pub digest: Digest,
    /// When it was published.
    pub created: Timestamp,
}

/// What an earlier publication means to a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The round.
    pub round: RoundId,
    /// The version, from 1.
    pub version: u32,
    /// What the differencing guard needs of it, as it was given (JSON).
    pub summary: String,
}
