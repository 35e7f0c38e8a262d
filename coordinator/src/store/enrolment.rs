//! Invitations, and the one application that each of them is good for.
//!
//! **Invariant:** an invitation is consumed by one guarded update, so that of any number of
//! applications at once exactly one is taken; only a digest of its secret is stored.

use super::audit::{self, Event};
use super::nodes::Node;
use super::{Store, StoreError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::signed::VerifyingKey;
use sqlx::{Any, Row, Transaction};

/// What a node asks with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The digest of the invitation's secret.
    pub secret: Digest,
    /// The municipality that enrols.
    pub municipality: MunicipalityNumber,
    /// The key that will sign its releases.
    pub release_key: VerifyingKey,
    /// The public key of its certificate request (`SubjectPublicKeyInfo`, DER).
    pub request_key: Vec<u8>,
}

/// Why an application was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The invitation is unknown, used, expired or for another municipality. Which of them is not
    /// said: it would tell a stranger which secrets exist.
    #[error("the invitation is unknown, used, expired or for another municipality")]
    Invitation,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Keeps a new invitation.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn add_invitation(
        &self,
        secret: Digest,
        municipality: &MunicipalityNumber,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO invitation (secret, municipality, created, expires) VALUES ($1, $2, $3, $4)",
        )
        .bind(secret.to_string())
        .bind(municipality.as_str())
        .bind(now.unix())
        .bind(expires.unix())
        .execute(&mut *transaction)
        .await?;
        audit::append(&mut transaction, now, Event::Invited, municipality.as_str()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes an application. The same one again (its answer was lost) gives the same node.
    ///
    /// # Errors
    /// [`ApplyError`]: the invitation is not good for it, or the database failed.
    pub async fn apply(
        &self,
        application: &Application,
        now: Timestamp,
    ) -> Result<Node, ApplyError> {
        // A stranger who guesses must not take the only writer.
        if !self.has_invitation(application.secret).await? {
            return Err(ApplyError::Invitation);
        }
        let mut transaction = self.begin().await?;
        let taken = sqlx::query(
            "UPDATE invitation SET used = $1
             WHERE secret = $2 AND municipality = $3 AND used IS NULL AND expires > $1",
        )
        .bind(now.unix())
        .bind(application.secret.to_string())
        .bind(application.municipality.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?
        .rows_affected();
        if taken == 1 {
            insert(&mut transaction, application, now).await?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        let node = self.node_of_invitation(application.secret).await?;
        node.filter(|node| {
            node.municipality == application.municipality
                && node.release_key == application.release_key
                && node.request_key == application.request_key
        })
        .ok_or(ApplyError::Invitation)
    }

    async fn has_invitation(&self, secret: Digest) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT secret FROM invitation WHERE secret = $1")
            .bind(secret.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// The node that applied with this invitation.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn node_of_invitation(&self, secret: Digest) -> Result<Option<Node>, StoreError> {
        let row = sqlx::query("SELECT node FROM node WHERE invitation = $1")
            .bind(secret.to_string())
            .fetch_optional(&self.pool)
            .await?;
        match row {
            Some(row) => self.node(&super::parsed::<NodeId>(&row, "node")?).await,
            None => Ok(None),
        }
    }
}

async fn insert(
    transaction: &mut Transaction<'static, Any>,
    application: &Application,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "INSERT INTO enrolment_count (municipality, nodes) VALUES ($1, 1)
         ON CONFLICT (municipality) DO UPDATE SET nodes = enrolment_count.nodes + 1
         RETURNING nodes",
    )
    .bind(application.municipality.as_str())
    .fetch_one(&mut **transaction)
    .await?;
    let sequence = u32::try_from(row.try_get::<i64, _>("nodes")?)
        .map_err(|_| StoreError::Damaged { column: "nodes" })?;
    let node = NodeId::new(&application.municipality, sequence);
    sqlx::query(
        "INSERT INTO node (node, municipality, status, invitation, release_key, request_key, applied)
         VALUES ($1, $2, 'pending', $3, $4, $5, $6)",
    )
    .bind(node.as_str())
    .bind(application.municipality.as_str())
    .bind(application.secret.to_string())
    .bind(application.release_key.as_bytes())
    .bind(application.request_key.as_slice())
    .bind(now.unix())
    .execute(&mut **transaction)
    .await?;
    audit::append(transaction, now, Event::Applied, node.as_str()).await
}
