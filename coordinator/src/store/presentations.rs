//! How publications are shown, and which tables there are.
//!
//! **Invariant:** immutable, and stored in the transaction that stores the publication.

use super::{Store, StoreError, moment, number, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::period::Period;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// A presentation to be stored.
#[derive(Debug, Clone)]
pub struct NewPresentation {
    /// The digest of the document.
    pub digest: Digest,
    /// The document, in JSON.
    pub document: Vec<u8>,
    /// The period.
    pub period: Period,
    /// Its tables.
    pub tables: Vec<NewTable>,
}

/// One table in a presentation.
#[derive(Debug, Clone)]
pub struct NewTable {
    /// The id.
    pub id: String,
    /// What a catalogue shows of it (JSON).
    pub entry: String,
}

/// One table of one version, as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLine {
    /// The id.
    pub id: String,
    /// The round.
    pub round: RoundId,
    /// The newest version of it.
    pub version: u32,
    /// The period.
    pub period: Period,
    /// When it was published.
    pub published: Timestamp,
    /// What a catalogue shows of it (JSON).
    pub entry: String,
}

/// Stores a presentation within the caller's transaction.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    round: &RoundId,
    version: u32,
    new: &NewPresentation,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO presentation (round, version, digest, document, created)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(round.as_str())
    .bind(i64::from(version))
    .bind(new.digest.to_string())
    .bind(new.document.as_slice())
    .bind(now.unix())
    .execute(&mut *connection)
    .await?;
    for table in &new.tables {
        sqlx::query(
            "INSERT INTO presented_table (id, round, version, period, published, entry)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(table.id.as_str())
        .bind(round.as_str())
        .bind(i64::from(version))
        .bind(new.period.to_string())
        .bind(now.unix())
        .bind(table.entry.as_str())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

impl Store {
    /// The number of presentations: it changes exactly when there is a new one.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn presentations(&self) -> Result<i64, StoreError> {
        let row =
            sqlx::query("SELECT COUNT(*) AS count FROM presentation").fetch_one(&self.pool).await?;
        Ok(row.try_get("count")?)
    }

    /// Every table of the newest version of every round, by id.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn tables(&self) -> Result<Vec<TableLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT t.id, t.round, t.version, t.period, t.published, t.entry FROM presented_table t
             JOIN (SELECT round, MAX(version) AS version FROM presentation GROUP BY round) newest
             ON newest.round = t.round AND newest.version = t.version ORDER BY t.id",
        )
        .fetch_all(&self.pool)
        .await?;
        let line = |row: &AnyRow| {
            Ok(TableLine {
                id: row.try_get("id")?,
                round: parsed(row, "round")?,
                version: number(row, "version")?,
                period: parsed(row, "period")?,
                published: moment(row, "published")?,
                entry: row.try_get("entry")?,
            })
        };
        rows.iter().map(line).collect()
    }

    /// The document of one presentation.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn presentation(
        &self,
        round: &RoundId,
        version: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let row =
            sqlx::query("SELECT document FROM presentation WHERE round = $1 AND version = $2")
                .bind(round.as_str())
                .bind(i64::from(version))
                .fetch_optional(&self.pool)
                .await?;
        row.map(|row| Ok(row.try_get("document")?)).transpose()
    }

    /// Publications that were stored before presentations were.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn unpresented(&self) -> Result<Vec<(RoundId, u32)>, StoreError> {
        let rows = sqlx::query(
            "SELECT p.round, p.version FROM publication p LEFT JOIN presentation s
             ON s.round = p.round AND s.version = p.version WHERE s.round IS NULL
             ORDER BY p.round, p.version",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok((parsed(row, "round")?, number(row, "version")?))).collect()
    }

    /// Stores the presentation of a publication that has none; one that is there stands.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn add_presentation(
        &self,
        round: &RoundId,
        version: u32,
        new: &NewPresentation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        // Several instances may start at once over publications without one.
        self.hold_publishing(&mut transaction).await?;
        let known = sqlx::query("SELECT round FROM presentation WHERE round = $1 AND version = $2")
            .bind(round.as_str())
            .bind(i64::from(version))
            .fetch_optional(&mut *transaction)
            .await?
            .is_some();
        if !known {
            insert(&mut transaction, round, version, new, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
