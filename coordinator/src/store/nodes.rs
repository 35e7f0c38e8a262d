//! The register of nodes: who applied, who is enrolled, who is shut out.
//!
//! **Invariant:** a municipality has at most one enrolled node at a time; a node that was refused or
//! denied never comes back (it enrols anew under another id).

use super::audit::{self, Event};
use super::{Dialect, Store, StoreError, moment, moment_or_none, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::signed::VerifyingKey;
use sqlx::Row;
use sqlx::any::AnyRow;
use sqlx::error::DatabaseError;
use std::fmt;
use std::str::FromStr;

/// How a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeStatus {
    /// It applied; the operator has not decided.
    Pending,
    /// It may take part.
    Enrolled,
    /// Its application was refused.
    Refused,
    /// It was shut out.
    Denied,
}

impl NodeStatus {
    /// The status by name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Enrolled => "enrolled",
            Self::Refused => "refused",
            Self::Denied => "denied",
        }
    }
}

impl fmt::Display for NodeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for NodeStatus {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Pending, Self::Enrolled, Self::Refused, Self::Denied];
        all.into_iter().find(|status| status.name() == text).ok_or(())
    }
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub node: NodeId,
    /// Its municipality.
    pub municipality: MunicipalityNumber,
    /// How it stands.
    pub status: NodeStatus,
    /// The key that signs its releases and decisions.
    pub release_key: VerifyingKey,
    /// The public key of its first certificate request (`SubjectPublicKeyInfo`, DER).
    pub request_key: Vec<u8>,
    /// When it applied.
    pub applied: Timestamp,
    /// When the operator last decided about it.
    pub decided: Option<Timestamp>,
    /// When it last fetched its work.
    pub last_seen: Option<Timestamp>,
    /// The version of its program.
    pub software: Option<String>,
}

/// A statement around the columns that [`node`] reads.
macro_rules! concat_columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "node, municipality, status, release_key, request_key, applied, decided, last_seen, ",
            "software",
            $after
        )
    };
}

fn node(row: &AnyRow) -> Result<Node, StoreError> {
    let key: Vec<u8> = row.try_get("release_key")?;
    let damaged = |_| StoreError::Damaged { column: "release_key" };
    Ok(Node {
        node: parsed(row, "node")?,
        municipality: parsed(row, "municipality")?,
        status: parsed(row, "status")?,
        release_key: VerifyingKey::from_bytes(&key).map_err(damaged)?,
        request_key: row.try_get("request_key")?,
        applied: moment(row, "applied")?,
        decided: moment_or_none(row, "decided")?,
        last_seen: moment_or_none(row, "last_seen")?,
        software: row.try_get("software")?,
    })
}

/// Why the operator's decision about a node was not taken.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// No such node.
    #[error("there is no node {node}; see `nodes list`")]
    Unknown {
        /// The id asked for.
        node: NodeId,
    },
    /// The node stands where this decision cannot be taken.
    #[error("{node} is {status}, which cannot become {wanted}")]
    Status {
        /// The node.
        node: NodeId,
        /// How it stands.
        status: NodeStatus,
        /// What was asked for.
        wanted: NodeStatus,
    },
    /// Another node of the municipality is enrolled.
    #[error(
        "{municipality} has an enrolled node already; deny that one first, then approve this one"
    )]
    Another {
        /// The municipality.
        municipality: MunicipalityNumber,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// All nodes, by municipality and in the order in which they applied.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let rows = sqlx::query(concat_columns!(
            "SELECT ",
            " FROM node ORDER BY municipality, applied, node"
        ))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(node).collect()
    }

    /// One node.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn node(&self, id: &NodeId) -> Result<Option<Node>, StoreError> {
        let row = sqlx::query(concat_columns!("SELECT ", " FROM node WHERE node = $1"))
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(node).transpose()
    }

    /// Takes the operator's decision: pending becomes enrolled, refused or
    /// denied; enrolled becomes denied.
    /// Taking the same decision again changes nothing.
    ///
    /// # Errors
    /// [`DecideError`]: the node is unknown, or cannot become what is wanted.
    pub async fn decide_node(
        &self,
        id: &NodeId,
        wanted: NodeStatus,
        now: Timestamp,
    ) -> Result<Node, DecideError> {
        let mut transaction = self.begin().await?;
        // The guard and the change are one statement: two operators at once cannot both decide.
        let changed = sqlx::query(
            "UPDATE node SET status = $1, decided = $2 WHERE node = $3 AND status <> $1
             AND (status = 'pending' OR (status = 'enrolled' AND $1 = 'denied'))",
        )
        .bind(wanted.name())
        .bind(now.unix())
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await;
        let changed = match changed {
            Ok(done) => done.rows_affected() == 1,
            Err(error)
                if error.as_database_error().is_some_and(DatabaseError::is_unique_violation) =>
            {
                let municipality = self.node(id).await?.map(|node| node.municipality);
                let unknown = DecideError::Unknown { node: id.clone() };
                return Err(municipality
                    .map_or(unknown, |municipality| DecideError::Another { municipality }));
            }
            Err(error) => return Err(StoreError::from(error).into()),
        };
        let row = sqlx::query(concat_columns!("SELECT ", " FROM node WHERE node = $1"))
            .bind(id.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        let Some(found) = row.as_ref().map(node).transpose()? else {
            return Err(DecideError::Unknown { node: id.clone() });
        };
        if found.status != wanted {
            return Err(DecideError::Status { node: id.clone(), status: found.status, wanted });
        }
        if changed {
            let event = match wanted {
                NodeStatus::Enrolled => Event::Approved,
                NodeStatus::Refused | NodeStatus::Pending => Event::Refused,
                NodeStatus::Denied => Event::Denied,
            };
            audit::append(&mut transaction, now, event, id.as_str()).await?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(found)
    }

    /// Notes that a node fetched its work, at most once a minute, so that polling costs no writes.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn saw_node(
        &self,
        id: &NodeId,
        software: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Nobody is told of it, so that nobody has to wait for the disk: among many nodes this would be a
        // third of all waiting.
        let statement = match self.dialect {
            Dialect::Sqlite => {
                "UPDATE node SET last_seen = $1, software = COALESCE($2, software)
                 WHERE node = $3 AND (last_seen IS NULL OR last_seen < $4)"
            }
            Dialect::Postgres => {
                "WITH quick AS (SELECT set_config('synchronous_commit', 'off', true) AS is_set)
                 UPDATE node SET last_seen = $1, software = COALESCE($2, software) FROM quick
                 WHERE node = $3 AND (last_seen IS NULL OR last_seen < $4)
                     AND quick.is_set IS NOT NULL"
            }
        };
        sqlx::query(statement)
            .bind(now.unix())
            .bind(software)
            .bind(id.as_str())
            .bind(now.unix().saturating_sub(60))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
