//! What the administration pages read and nothing else needs: invitations, the ends of certificates,
//! the log by pages, and what a round would be published from.
//!
//! **Invariant:** reads only; a secret is not among what is read.

use super::audit::{self, Line};
use super::rounds::{self, RoundContents};
use super::{Store, StoreError, moment, moment_or_none, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, RoundId};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// An invitation, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationLine {
    /// Who may enrol with it.
    pub municipality: MunicipalityNumber,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it may be used.
    pub expires: Timestamp,
    /// When it was used, if it was.
    pub used: Option<Timestamp>,
}

/// Alarms in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarms {
    /// In all.
    pub all: i64,
    /// Since the moment asked about.
    pub recent: i64,
}

impl Store {
    /// The newest `most` invitations, newest first.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn invitations(&self, most: u32) -> Result<Vec<InvitationLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT municipality, created, expires, used FROM invitation
             ORDER BY created DESC, municipality LIMIT $1",
        )
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await?;
        let line = |row: &AnyRow| {
            Ok(InvitationLine {
                municipality: parsed(row, "municipality")?,
                created: moment(row, "created")?,
                expires: moment(row, "expires")?,
                used: moment_or_none(row, "used")?,
            })
        };
        rows.iter().map(line).collect()
    }

    /// When the last certificate of each node ends.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn certificate_ends(&self) -> Result<BTreeMap<NodeId, Timestamp>, StoreError> {
        let rows =
            sqlx::query("SELECT node, MAX(expires) AS expires FROM certificate GROUP BY node")
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(|row| Ok((parsed(row, "node")?, moment(row, "expires")?))).collect()
    }

    /// The number of lines in the log.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn audit_length(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM audit").fetch_one(&self.pool).await?;
        Ok(row.try_get("count")?)
    }

    /// `most` lines of the log, newest first, after `skip` newer ones.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn audit_page(&self, skip: i64, most: i64) -> Result<Vec<Line>, StoreError> {
        let rows = sqlx::query(
            "SELECT sequence, moment, event, subject, alarm, actor FROM audit
             ORDER BY sequence DESC LIMIT $1 OFFSET $2",
        )
        .bind(most)
        .bind(skip)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(audit::line).collect()
    }

    /// How many alarms there are, and how many since `since`.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn alarms(&self, since: Timestamp) -> Result<Alarms, StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS whole, COUNT(CASE WHEN moment >= $1 THEN 1 END) AS recent
             FROM audit WHERE alarm <> 0",
        )
        .bind(since.unix())
        .fetch_one(&self.pool)
        .await?;
        Ok(Alarms { all: row.try_get("whole")?, recent: row.try_get("recent")? })
    }

    /// What a round would be published from now, without holding it.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn round_contents(&self, id: &RoundId) -> Result<RoundContents, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let contents = rounds::contents(&mut transaction, id).await?;
        transaction.rollback().await?;
        Ok(contents)
    }
}
