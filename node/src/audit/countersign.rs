//! Statements of where the node stands, and the coordinator's countersignatures, kept beside the log.
//!
//! The coordinator signs a commitment: the digest of a secret opening, the number of entries and the
//! head. The opening stays here and goes into an exported log, so that whoever has the log can compare
//! it with what was signed, and the coordinator cannot.
//!
//! **Invariant:** a statement is on disk before it is sent, and is the one that is sent until it is
//! answered; a countersignature is taken only for the statement that is waiting.

use super::{AuditError, AuditLog, Entry};
use crate::kernel::LedgerEntry;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::NodeId;
use fellestall_shared::signed::{Envelope, SigningKey, Verified, VerifyingKey};
use fellestall_shared::wire::v1::{LedgerHead, Standing, Witness};
use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::{OptionalExtension, Row, params};

const COMMITMENT: &str = "fellestall/log-commitment/1";

/// Who states and who countersigns.
pub struct Parties<'a> {
    /// This node.
    pub node: &'a NodeId,
    /// Its release key.
    pub key: &'a SigningKey,
    /// The coordinator's key.
    pub coordinator: &'a VerifyingKey,
}

/// A countersignature that holds.
#[derive(Debug, Clone)]
pub struct Countersignature {
    /// The entries that it is over, and what opens its commitment; `None` for one that was fetched
    /// when the node was recovered.
    pub over: Option<(u64, Digest)>,
    /// What was signed.
    pub witness: Verified<Witness>,
}

/// A statement that was stored.
struct Stated {
    place: i64,
    envelope: Vec<u8>,
}

/// What stands for a log of so many entries and this head in a statement.
#[must_use]
pub fn commitment(opening: Digest, entries: u64, head: Digest) -> Digest {
    let parts: [&[u8]; 3] = [opening.as_bytes(), &entries.to_be_bytes(), head.as_bytes()];
    Digest::of_parts(COMMITMENT, &parts)
}

/// How far a ledger reaches.
#[must_use]
pub fn head_of(ledger: &[LedgerEntry]) -> LedgerHead {
    ledger.last().map_or(LedgerHead { sequence: 0, head: Digest::ZERO }, |last| LedgerHead {
        sequence: last.sequence,
        head: last.head,
    })
}

impl Countersignature {
    /// Whether it is over these entries.
    ///
    /// # Errors
    /// The number of entries that it is over, if they are not these.
    pub fn check(&self, entries: &[Entry]) -> Result<(), u64> {
        let Some((count, opening)) = self.over else { return Ok(()) };
        let head = match usize::try_from(count).ok().and_then(|count| count.checked_sub(1)) {
            None => Some(Digest::ZERO),
            Some(last) => entries.get(last).map(|entry| entry.head),
        };
        let holds = head.is_some_and(|head| commitment(opening, count, head) == self.witness.log);
        if holds { Ok(()) } else { Err(count) }
    }
}

impl AuditLog {
    /// The statement to send: the one that waits for its answer, or a new one.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn statement(
        &mut self,
        parties: &Parties<'_>,
        charges: &[LedgerEntry],
    ) -> Result<Envelope, AuditError> {
        let ledger = head_of(charges);
        if let Some((_, waiting)) = self.waiting(parties)?
            && waiting.ledger == ledger
        {
            return Ok(waiting.envelope().clone());
        }
        let entries = self.entries()?;
        let witnesses = self.countersignatures(parties.coordinator)?;
        let last = witnesses.iter().rfind(|held| held.witness.node == *parties.node);
        let (number, previous) =
            last.map_or((0, Digest::ZERO), |last| (last.witness.number, last.witness.digest()));
        let from = last.map_or(u64::MAX, |last| last.witness.ledger.sequence);
        let since = charges.iter().filter(|entry| entry.sequence > from);
        let since = since.map(|entry| entry.payload).collect();
        let head = entries.last().map_or(Digest::ZERO, |entry| entry.head);
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let (nonce, opening) = (random()?, random()?);
        let log = commitment(opening, count, head);
        let node = parties.node.clone();
        let standing = Standing { node, number, previous, nonce, ledger, since, log };
        let envelope = parties.key.sign(&standing).map_err(|_| AuditError::NotStated)?;
        let bytes = envelope.to_json().map_err(|_| AuditError::NotStated)?;
        let count = i64::try_from(count).map_err(|_| AuditError::NotStated)?;
        let insert = "INSERT INTO statement (place, entries, opening, envelope)
            SELECT 1 + MAX((SELECT COALESCE(MAX(place), 0) FROM statement),
                           (SELECT COALESCE(MAX(place), 0) FROM witness)), ?1, ?2, ?3";
        self.connection
            .execute(insert, params![count, opening.as_bytes(), bytes])
            .map_err(|source| self.failed(source))?;
        Ok(envelope)
    }

    /// Takes the answer to the statement that waits.
    ///
    /// # Errors
    /// [`AuditError::NotAWitness`] if it is not one; nothing has changed then.
    pub fn countersigned(
        &mut self,
        parties: &Parties<'_>,
        envelope: &Envelope,
    ) -> Result<(), AuditError> {
        let bytes = envelope.to_json().map_err(|_| AuditError::NotAWitness)?;
        let witness: Verified<Witness> =
            envelope.clone().verify(parties.coordinator).map_err(|_| AuditError::NotAWitness)?;
        let (stated, standing) = self.waiting(parties)?.ok_or(AuditError::NotAWitness)?;
        let expected = Witness {
            node: standing.node.clone(),
            number: standing.number.saturating_add(1),
            previous: standing.previous,
            ledger: standing.ledger,
            log: standing.log,
            statement: standing.digest(),
            at: witness.at,
        };
        if *witness != expected {
            return Err(AuditError::NotAWitness);
        }
        self.connection
            .execute(
                "INSERT INTO witness (place, envelope) VALUES (?1, ?2)",
                params![stated.place, bytes],
            )
            .map(drop)
            .map_err(|source| self.failed(source))
    }

    /// Takes the coordinator's last witness of this node after its ledger was brought up to it: from
    /// now on the node continues from there, and a statement that waits is dropped.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn adopt(&mut self, witness: &Verified<Witness>) -> Result<(), AuditError> {
        let bytes = witness.envelope().to_json().map_err(|_| AuditError::NotAWitness)?;
        let insert = "INSERT INTO witness (place, envelope)
            SELECT 1 + MAX((SELECT COALESCE(MAX(place), 0) FROM statement),
                           (SELECT COALESCE(MAX(place), 0) FROM witness)), ?1";
        self.connection
            .execute(insert, params![bytes])
            .map(drop)
            .map_err(|source| self.failed(source))
    }

    /// Every countersignature, in the order in which they were taken; each signature holds.
    ///
    /// # Errors
    /// [`AuditError::NotAWitness`] for one that does not.
    pub fn countersignatures(
        &self,
        coordinator: &VerifyingKey,
    ) -> Result<Vec<Countersignature>, AuditError> {
        let failed = |source| self.failed(source);
        let mut statement = self
            .connection
            .prepare(
                "SELECT witness.envelope, statement.entries, statement.opening FROM witness
                 LEFT JOIN statement ON statement.place = witness.place ORDER BY witness.place",
            )
            .map_err(failed)?;
        let columns = |row: &Row<'_>| {
            let over = (row.get::<_, Option<i64>>(1)?, row.get::<_, Option<Vec<u8>>>(2)?);
            Ok((row.get::<_, Vec<u8>>(0)?, over))
        };
        let rows = statement.query_map([], columns).map_err(failed)?;
        rows.map(|row| {
            let (bytes, over) = row.map_err(failed)?;
            let witness = Envelope::from_json(&bytes)
                .and_then(|envelope| envelope.verify(coordinator))
                .map_err(|_| AuditError::NotAWitness)?;
            let over = match over {
                (Some(entries), Some(opening)) => {
                    let entries = u64::try_from(entries).map_err(|_| AuditError::NotAWitness)?;
                    let opening = Digest::from_bytes(&opening);
                    Some((entries, opening.map_err(|_| AuditError::NotAWitness)?))
                }
                _ => None,
            };
            Ok(Countersignature { over, witness })
        })
        .collect()
    }

    /// The statement that waits for its answer, if it is this node's.
    fn waiting(
        &self,
        parties: &Parties<'_>,
    ) -> Result<Option<(Stated, Verified<Standing>)>, AuditError> {
        let stated = self
            .connection
            .query_row(
                "SELECT place, envelope FROM statement
                 WHERE place > (SELECT COALESCE(MAX(place), 0) FROM witness)
                 ORDER BY place DESC LIMIT 1",
                [],
                |row| Ok(Stated { place: row.get(0)?, envelope: row.get(1)? }),
            )
            .optional()
            .map_err(|source| self.failed(source))?;
        Ok(stated.and_then(|stated| {
            let envelope = Envelope::from_json(&stated.envelope).ok()?;
            let standing = envelope.verify::<Standing>(&parties.key.verifying_key()).ok()?;
            (standing.node == *parties.node).then_some((stated, standing))
        }))
    }
}

/// 32 random bytes.
fn random() -> Result<Digest, AuditError> {
    let mut bytes = [0_u8; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| AuditError::NotStated)?;
    Digest::from_bytes(&bytes).map_err(|_| AuditError::NotStated)
}
