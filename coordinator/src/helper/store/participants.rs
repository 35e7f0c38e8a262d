//! Whom the helper's operator admits.
//!
//! **Invariant:** a node has one key for ever; only the operator adds or removes a row.

use super::HelperStore;
use crate::store::audit::{self, Event};
use crate::store::{StoreError, moment, parsed};
use data_encoding::BASE64;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::signed::VerifyingKey;
use fellestall_shared::wire::v1::TaskParticipant;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// A participant that the operator admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The node, its municipality and its key.
    pub identity: TaskParticipant,
    /// When it was admitted.
    pub admitted: Timestamp,
}

/// What became of a participant that is to be admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It was not known before.
    New,
    /// It was admitted before, with the same key.
    Known,
    /// It was admitted before for another municipality or with another key, which stands.
    OtherKey,
}

impl HelperStore {
    /// Everybody who was admitted, by municipality.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn participants(&self) -> Result<Vec<Participant>, StoreError> {
        let rows = sqlx::query(
            "SELECT node, municipality, release_key, admitted FROM participant
             ORDER BY municipality, node",
        )
        .fetch_all(&self.store.pool)
        .await?;
        rows.iter().map(participant).collect()
    }

    /// Admits these, all or none: a node that was admitted with another key stops it.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn admit(
        &self,
        wanted: &[TaskParticipant],
        now: Timestamp,
    ) -> Result<Vec<Admission>, StoreError> {
        let mut transaction = self.store.begin().await?;
        let mut admissions = Vec::with_capacity(wanted.len());
        for one in wanted {
            let admission = admission(&mut transaction, one).await?;
            if admission == Admission::New {
                insert(&mut transaction, one, now).await?;
            }
            admissions.push(admission);
        }
        if !admissions.contains(&Admission::OtherKey) {
            transaction.commit().await?;
        }
        Ok(admissions)
    }

    /// Takes nothing more from a node; false if it was not admitted. Tasks that were accepted stand.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn expel(&self, node: &NodeId, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let gone = sqlx::query("DELETE FROM participant WHERE node = $1")
            .bind(node.as_str())
            .execute(&mut *transaction)
            .await?;
        if gone.rows_affected() == 0 {
            return Ok(false);
        }
        audit::append(&mut transaction, now, Event::Expelled, node.as_str()).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The municipalities of those that the operator has not admitted in exactly this way.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn unknown(
        &self,
        named: &[TaskParticipant],
    ) -> Result<Vec<MunicipalityNumber>, StoreError> {
        let known = self.participants().await?;
        let strange = named.iter().filter(|one| known.iter().all(|other| other.identity != **one));
        Ok(strange.map(|one| one.municipality.clone()).collect())
    }
}

async fn admission(
    connection: &mut AnyConnection,
    wanted: &TaskParticipant,
) -> Result<Admission, StoreError> {
    let row = sqlx::query(
        "SELECT node, municipality, release_key, admitted FROM participant WHERE node = $1",
    )
    .bind(wanted.node.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(match row.as_ref().map(participant).transpose()? {
        None => Admission::New,
        Some(known) if known.identity == *wanted => Admission::Known,
        Some(_) => Admission::OtherKey,
    })
}

async fn insert(
    connection: &mut AnyConnection,
    new: &TaskParticipant,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO participant (node, municipality, release_key, admitted)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(new.node.as_str())
    .bind(new.municipality.as_str())
    .bind(BASE64.encode(new.release_key.as_bytes()))
    .bind(now.unix())
    .execute(&mut *connection)
    .await?;
    audit::append(connection, now, Event::Admitted, new.node.as_str()).await
}

fn participant(row: &AnyRow) -> Result<Participant, StoreError> {
    let damaged = StoreError::Damaged { column: "release_key" };
    let key = BASE64.decode(row.try_get::<String, _>("release_key")?.as_bytes()).ok();
    let key = key.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok()).ok_or(damaged)?;
    Ok(Participant {
        identity: TaskParticipant {
            municipality: parsed(row, "municipality")?,
            node: parsed(row, "node")?,
            release_key: key,
        },
        admitted: moment(row, "admitted")?,
    })
}
