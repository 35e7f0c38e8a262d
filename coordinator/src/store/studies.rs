//! Studies as they were signed, and what municipalities answered to them.
//!
//! **Invariant:** one version of a study has one content for ever; a decision replaces only the
//! same node's earlier decision.

use super::audit::{self, Event};
use super::{Store, StoreError, moment, number, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{NodeId, StudyId};
use sqlx::Row;
use sqlx::any::AnyRow;

/// A published study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStudy {
    /// The digest of its payload.
    pub digest: Digest,
    /// Its id.
    pub study: StudyId,
    /// Its version.
    pub version: u32,
    /// The envelope, in JSON.
    pub envelope: Vec<u8>,
    /// When it was published.
    pub published: Timestamp,
}

/// A decision as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDecision {
    /// The node.
    pub node: NodeId,
    /// The digest of the study's payload.
    pub study: Digest,
    /// The digest of the decision's payload.
    pub digest: Digest,
    /// The envelope, in JSON.
    pub envelope: Vec<u8>,
    /// When it came.
    pub received: Timestamp,
}

/// Whether something was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It was stored now.
    New,
    /// The same stood already.
    Stood,
}

/// Why a study was not stored.
#[derive(Debug, thiserror::Error)]
pub enum PublishStudyError {
    /// The version has another content.
    #[error(
        "{study} version {version} was published with other content; a change is a new version"
    )]
    OtherContent {
        /// The study.
        study: StudyId,
        /// The version.
        version: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn study(row: &AnyRow) -> Result<StoredStudy, StoreError> {
    Ok(StoredStudy {
        digest: parsed(row, "digest")?,
        study: parsed(row, "study")?,
        version: number(row, "version")?,
        envelope: row.try_get("envelope")?,
        published: moment(row, "published")?,
    })
}

impl Store {
    /// Stores a signed study; the same one again is a no-op.
    ///
    /// # Errors
    /// [`PublishStudyError`]: the version stands with other content, or the database failed.
    pub async fn add_study(&self, study: &StoredStudy) -> Result<Kept, PublishStudyError> {
        let mut transaction = self.begin().await?;
        let inserted = sqlx::query(
            "INSERT INTO study (digest, study, version, envelope, published)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(study.digest.to_string())
        .bind(study.study.as_str())
        .bind(i64::from(study.version))
        .bind(study.envelope.as_slice())
        .bind(study.published.unix())
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?
        .rows_affected();
        if inserted == 1 {
            let subject = format!("{}:{}", study.study, study.version);
            let event = Event::StudyPublished;
            audit::append(&mut transaction, study.published, event, &subject).await?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        if inserted == 1 {
            return Ok(Kept::New);
        }
        let stands = self.study(study.digest).await?;
        if stands.is_some_and(|stands| stands.envelope == study.envelope) {
            return Ok(Kept::Stood);
        }
        let (study, version) = (study.study.clone(), study.version);
        Err(PublishStudyError::OtherContent { study, version })
    }

    /// All studies, by id and version.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn studies(&self) -> Result<Vec<StoredStudy>, StoreError> {
        let rows = sqlx::query(
            "SELECT digest, study, version, envelope, published FROM study ORDER BY study, version",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(study).collect()
    }

    /// The study with this digest.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn study(&self, digest: Digest) -> Result<Option<StoredStudy>, StoreError> {
        let row = sqlx::query(
            "SELECT digest, study, version, envelope, published FROM study WHERE digest = $1",
        )
        .bind(digest.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(study).transpose()
    }

    /// Stores a node's decision in the place of its earlier one; the same one again is a no-op.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn add_decision(&self, decision: &StoredDecision) -> Result<Kept, StoreError> {
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "INSERT INTO decision (node, study, digest, envelope, received)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (node, study) DO UPDATE
             SET digest = excluded.digest, envelope = excluded.envelope, received = excluded.received
             WHERE decision.digest <> excluded.digest",
        )
        .bind(decision.node.as_str())
        .bind(decision.study.to_string())
        .bind(decision.digest.to_string())
        .bind(decision.envelope.as_slice())
        .bind(decision.received.unix())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if changed == 1 {
            let subject = format!("{} {}", decision.node, decision.study.short());
            audit::append(&mut transaction, decision.received, Event::Decided, &subject).await?;
        }
        transaction.commit().await?;
        Ok(if changed == 1 { Kept::New } else { Kept::Stood })
    }

    /// What each node answered to a study.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn decisions(&self, study: Digest) -> Result<Vec<StoredDecision>, StoreError> {
        let rows = sqlx::query(
            "SELECT node, study, digest, envelope, received FROM decision
             WHERE study = $1 ORDER BY node",
        )
        .bind(study.to_string())
        .fetch_all(&self.pool)
        .await?;
        let decision = |row: &AnyRow| {
            Ok(StoredDecision {
                node: parsed(row, "node")?,
                study: parsed(row, "study")?,
                digest: parsed(row, "digest")?,
                envelope: row.try_get("envelope")?,
                received: moment(row, "received")?,
            })
        };
        rows.iter().map(decision).collect()
    }
}
