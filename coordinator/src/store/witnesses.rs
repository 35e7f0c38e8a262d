//! What each node said of its ledger, countersigned; and the links of the ledger that its releases are.
//!
//! A ledger belongs to a release key, and stays the same one when its node is enrolled anew.
//!
//! **Invariant:** one ledger is one chain. A statement or release that does not continue what is here is
//! refused and written down as an alarm, and changes nothing.

use super::audit::{self, Event};
use super::{Dialect, Store, StoreError, parsed};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, ReleaseId};
use fellestall_shared::limits::RELEASE_BYTES;
use fellestall_shared::wire::v1::{LedgerHead, Standing};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// Releases of one answer to a node that lost them, at the most.
const PAGE: i64 = 16;
/// Bytes of one such answer, about.
const PAGE_BYTES: usize = RELEASE_BYTES;

/// A stored witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWitness {
    /// Its number, from 1.
    pub number: u64,
    /// The digest of its payload.
    pub digest: Digest,
    /// The digest of the statement that it answers.
    pub statement: Digest,
    /// The ledger that was stated.
    pub ledger: LedgerHead,
    /// The signed witness, in JSON.
    pub envelope: Vec<u8>,
}

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Witnessed {
    /// It is witnessed, now or before: the signed witness, in JSON.
    Witness(Vec<u8>),
    /// It does not continue what was witnessed before, or the releases that came.
    Conflict,
}

/// A release as a link of its node's ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The ledger: the fingerprint of the release key that it belongs to.
    pub ledger: Digest,
    /// The place in the ledger, from 1.
    pub sequence: u64,
    /// The head before it.
    pub previous: Digest,
    /// The head after it.
    pub head: Digest,
}

fn witness(row: &AnyRow) -> Result<StoredWitness, StoreError> {
    Ok(StoredWitness {
        number: count(row, "number")?,
        digest: parsed(row, "digest")?,
        statement: parsed(row, "statement")?,
        ledger: LedgerHead {
            sequence: count(row, "ledger_sequence")?,
            head: parsed(row, "ledger_head")?,
        },
        envelope: row.try_get("envelope")?,
    })
}

fn count(row: &AnyRow, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Damaged { column })
}

/// A number as the database holds it; a larger one is no place of any ledger.
fn place(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const LAST: &str = "SELECT number, digest, statement, ledger_sequence, ledger_head, envelope
    FROM witness WHERE node = $1 ORDER BY number DESC LIMIT 1";

async fn last(
    connection: &mut AnyConnection,
    node: &NodeId,
) -> Result<Option<StoredWitness>, StoreError> {
    let row = sqlx::query(LAST).bind(node.as_str()).fetch_optional(connection).await?;
    row.as_ref().map(witness).transpose()
}

/// The places of a ledger that are known from `from` on.
async fn places(
    connection: &mut AnyConnection,
    ledger: Digest,
    from: u64,
) -> Result<Vec<LedgerHead>, StoreError> {
    let rows = sqlx::query(
        "SELECT sequence, head FROM ledger_place WHERE ledger = $1 AND sequence >= $2
         ORDER BY sequence",
    )
    .bind(ledger.to_string())
    .bind(place(from))
    .fetch_all(connection)
    .await?;
    let known =
        |row| Ok(LedgerHead { sequence: count(row, "sequence")?, head: parsed(row, "head")? });
    rows.iter().map(known).collect()
}

async fn add_place(
    connection: &mut AnyConnection,
    ledger: Digest,
    known: LedgerHead,
) -> Result<(), StoreError> {
    let insert = "INSERT INTO ledger_place (ledger, sequence, head) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING";
    sqlx::query(insert)
        .bind(ledger.to_string())
        .bind(place(known.sequence))
        .bind(known.head.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// The places that a statement adds, if it continues the last witness and holds every release that
/// came since.
async fn continued(
    connection: &mut AnyConnection,
    last: Option<&StoredWitness>,
    ledger: Digest,
    standing: &Standing,
) -> Result<Option<Vec<LedgerHead>>, StoreError> {
    let (number, digest) = last.map_or((0, Digest::ZERO), |last| (last.number, last.digest));
    if (standing.number, standing.previous) != (number, digest) {
        return Ok(None);
    }
    // Of a ledger that was never witnessed only the last head is stated.
    let (heads, from) = match last {
        None if standing.since.is_empty() => {
            (Some(vec![standing.ledger]), standing.ledger.sequence)
        }
        None => (None, 0),
        Some(last) => (standing.heads_after(last.ledger), last.ledger.sequence.saturating_add(1)),
    };
    let Some(heads) = heads else { return Ok(None) };
    let known = places(connection, ledger, from).await?;
    let holds = known.iter().all(|place| heads.contains(place));
    Ok(holds.then_some(heads))
}

/// Whether a release fits into what is known of its node's ledger.
pub(super) async fn fits(connection: &mut AnyConnection, new: Link) -> Result<bool, StoreError> {
    let Some(before) = new.sequence.checked_sub(1) else { return Ok(false) };
    if before == 0 && new.previous != Digest::ZERO {
        return Ok(false);
    }
    let known = places(connection, new.ledger, before).await?;
    Ok(known.iter().all(|place| match place.sequence {
        0 => true,
        sequence if sequence == before => place.head == new.previous,
        sequence if sequence == new.sequence => place.head == new.head,
        _ => true,
    }))
}

/// Adds the link that a new release is.
pub(super) async fn add_link(
    connection: &mut AnyConnection,
    release: ReleaseId,
    new: Link,
) -> Result<(), StoreError> {
    let before = LedgerHead { sequence: new.sequence.saturating_sub(1), head: new.previous };
    add_place(connection, new.ledger, before).await?;
    let after = LedgerHead { sequence: new.sequence, head: new.head };
    add_place(connection, new.ledger, after).await?;
    sqlx::query("INSERT INTO ledger_link (ledger, sequence, release) VALUES ($1, $2, $3)")
        .bind(new.ledger.to_string())
        .bind(place(new.sequence))
        .bind(release.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// Witnesses a statement about this ledger whose signature held: `sign` makes the witness of this number after the
    /// one of this digest, and gives its digest and JSON. The same statement again gives the same
    /// witness while it is the last.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails, or what `sign` answers: nothing is stored.
    pub async fn witness<E: From<StoreError>>(
        &self,
        (ledger, standing): (Digest, &Standing),
        statement: Digest,
        now: Timestamp,
        sign: impl FnOnce(u64, Digest) -> Result<(Digest, Vec<u8>), E> + Send,
    ) -> Result<Witnessed, E> {
        let mut transaction = self.begin().await?;
        self.hold(&mut transaction, &standing.node).await?;
        let last = last(&mut transaction, &standing.node).await?;
        if let Some(last) = last.as_ref().filter(|last| last.statement == statement) {
            return Ok(Witnessed::Witness(last.envelope.clone()));
        }
        let Some(heads) = continued(&mut transaction, last.as_ref(), ledger, standing).await?
        else {
            let subject = format!("{} {}", standing.node, statement.short());
            audit::append_once(&mut transaction, now, Event::LedgerConflict, &subject).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            return Ok(Witnessed::Conflict);
        };
        for known in heads {
            add_place(&mut transaction, ledger, known).await?;
        }
        let number = standing.number.saturating_add(1);
        let (digest, envelope) = sign(number, standing.previous)?;
        sqlx::query(
            "INSERT INTO witness (node, number, digest, statement, ledger_sequence, ledger_head,
                 envelope, witnessed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(standing.node.as_str())
        .bind(place(number))
        .bind(digest.to_string())
        .bind(statement.to_string())
        .bind(place(standing.ledger.sequence))
        .bind(standing.ledger.head.to_string())
        .bind(envelope.as_slice())
        .bind(now.unix())
        .execute(&mut *transaction)
        .await
        .map_err(StoreError::from)?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(Witnessed::Witness(envelope))
    }

    /// The last witness of a node.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn last_witness(&self, node: &NodeId) -> Result<Option<StoredWitness>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        last(&mut connection, node).await
    }

    /// The releases of a municipality's ledger after a place in it, in order, as they were sent: one at
    /// least, if there is one, and no more than fit into one answer. A release key is public, so that
    /// naming one is no right to what it signed: the releases must be the municipality's too.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn own_releases(
        &self,
        municipality: &MunicipalityNumber,
        ledger: Digest,
        after: u64,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = sqlx::query(
            "SELECT release.envelope AS envelope FROM ledger_link
             JOIN release ON release.release = ledger_link.release
             WHERE release.municipality = $1 AND ledger_link.ledger = $2
                 AND ledger_link.sequence > $3
             ORDER BY ledger_link.sequence LIMIT $4",
        )
        .bind(municipality.as_str())
        .bind(ledger.to_string())
        .bind(place(after))
        .bind(PAGE)
        .fetch_all(&self.pool)
        .await?;
        let (mut releases, mut bytes) = (Vec::new(), 0_usize);
        for row in &rows {
            let envelope: Vec<u8> = row.try_get("envelope")?;
            bytes = bytes.saturating_add(envelope.len());
            if bytes > PAGE_BYTES && !releases.is_empty() {
                break;
            }
            releases.push(envelope);
        }
        Ok(releases)
    }

    /// Holds a node's chain until the transaction ends: what comes at once is taken one after the
    /// other. (In SQLite the transaction holds the only write lock already.)
    pub(super) async fn hold(
        &self,
        connection: &mut AnyConnection,
        node: &NodeId,
    ) -> Result<(), StoreError> {
        if self.dialect == Dialect::Postgres {
            sqlx::query("SELECT node FROM node WHERE node = $1 FOR UPDATE")
                .bind(node.as_str())
                .fetch_optional(connection)
                .await?;
        }
        Ok(())
    }
}
