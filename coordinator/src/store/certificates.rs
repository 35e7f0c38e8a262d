//! The client certificates that were issued: what every request is looked up in.
//!
//! **Invariant:** a certificate counts only while its row exists, its end is ahead and its node is
//! enrolled; the answer is read anew for every request.

use super::audit::{self, Event};
use super::nodes::{Node, NodeStatus};
use super::{Store, StoreError, moment, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::NodeId;
use sqlx::{AnyConnection, Row};

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The serial number, in hexadecimal.
    pub serial: String,
    /// The node it names.
    pub node: NodeId,
    /// The digest of its public key.
    pub public_key: Digest,
    /// The certificate (PEM).
    pub pem: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

async fn standing(
    connection: &mut AnyConnection,
    node: &NodeId,
    public_key: Digest,
    until: Timestamp,
) -> Result<Option<Certificate>, StoreError> {
    let row = sqlx::query(
        "SELECT serial, node, public_key, certificate, issued, expires FROM certificate
         WHERE node = $1 AND public_key = $2 AND expires > $3 ORDER BY expires DESC LIMIT 1",
    )
    .bind(node.as_str())
    .bind(public_key.to_string())
    .bind(until.unix())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Certificate {
        serial: row.try_get("serial")?,
        node: parsed(&row, "node")?,
        public_key: parsed(&row, "public_key")?,
        pem: row.try_get("certificate")?,
        issued: moment(&row, "issued")?,
        expires: moment(&row, "expires")?,
    }))
}

impl Store {
    /// Keeps a certificate that is about to be handed out, and gives it; or the one of the same node and
    /// key that ends after `until`, if another request was quicker.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then the certificate must not be handed out.
    pub async fn add_certificate(
        &self,
        certificate: &Certificate,
        until: Timestamp,
    ) -> Result<Certificate, StoreError> {
        let mut transaction = self.begin().await?;
        self.hold(&mut transaction, &certificate.node).await?;
        let (node, key) = (&certificate.node, certificate.public_key);
        if let Some(stands) = standing(&mut transaction, node, key, until).await? {
            return Ok(stands);
        }
        sqlx::query(
            "INSERT INTO certificate (serial, node, public_key, certificate, issued, expires)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(certificate.serial.as_str())
        .bind(certificate.node.as_str())
        .bind(certificate.public_key.to_string())
        .bind(certificate.pem.as_str())
        .bind(certificate.issued.unix())
        .bind(certificate.expires.unix())
        .execute(&mut *transaction)
        .await?;
        let event = Event::CertificateIssued;
        let node = certificate.node.as_str();
        audit::append(&mut transaction, certificate.issued, event, node).await?;
        transaction.commit().await?;
        Ok(certificate.clone())
    }

    /// The certificate of this node and key that ends last, if it ends after `until`: what a
    /// repeated request is answered with.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn certificate(
        &self,
        node: &NodeId,
        public_key: Digest,
        until: Timestamp,
    ) -> Result<Option<Certificate>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        standing(&mut connection, node, public_key, until).await
    }

    /// The node that may act with the certificate of this serial number at this moment: the deny list.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails; then nobody may act.
    pub async fn node_by_serial(
        &self,
        serial: &str,
        now: Timestamp,
    ) -> Result<Option<Node>, StoreError> {
        let row = sqlx::query("SELECT node FROM certificate WHERE serial = $1 AND expires > $2")
            .bind(serial)
            .bind(now.unix())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let node = self.node(&parsed(&row, "node")?).await?;
        Ok(node.filter(|node| node.status == NodeStatus::Enrolled))
    }
}
