//! The audit log: what was asked of this node, what it answered or refused and why, who decided, and
//! what was changed. A hash chain in one `SQLite` file.
//!
//! An entry is the JSON of [`Body`]; the head after it is the digest of the head before it and of its
//! exact bytes. Heads are countersigned by the coordinator, so that an entry
//! that was altered, removed or moved is found even by who trusts nobody at the municipality.
//!
//! **Invariant:** append only. No entry names a participant, holds a count, or says anything that
//! follows from records, except that the records could not be read.

use crate::files::{self, FileError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{NodeId, Purpose, ReleaseId, RoundId};
use fellestall_shared::privacy::Rho;
use fellestall_shared::wire::v1::RefusalReason;
use rusqlite::{Connection, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file's name.
pub const FILE: &str = "audit.sqlite";
const SCHEMA: i64 = 1;
const BUSY: Duration = Duration::from_secs(10);
const DOMAIN: &str = "fellestall/audit/1";

const TABLES: &str = "
CREATE TABLE entry (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL, head BLOB NOT NULL) STRICT;
CREATE TRIGGER entry_keeps BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END;
";

/// Who did something: the name of an account on this machine or of a user of the console.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    /// The node itself.
    #[must_use]
    pub fn node() -> Self {
        Self("node".to_owned())
    }

    /// A named person; what is not a letter, digit or one of `-_.@: ` is left out, and the rest cut
    /// to 64 characters.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let fits = |c: &char| c.is_alphanumeric() || "-_.@: ".contains(*c);
        Self(name.trim().chars().filter(fits).take(64).collect())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// Why a round was not answered; local, it is not sent to anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// The register of processing does not permit it.
    NotPermitted,
    /// It does not fit in the budget.
    Budget,
    /// The study has answered this period already, in another version or length.
    AnsweredBefore,
    /// The records could not be read, or a table is not recorded.
    Records,
    /// The ledger is behind what the coordinator has witnessed, or forked.
    Witness,
    /// Something else; the program's log says what.
    Other,
}

/// What happened. A closed list, so that nothing about a person can be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The node was made, with this release key.
    NodeMade {
        /// The fingerprint of the key.
        release_key: Digest,
    },
    /// The node was enrolled.
    Enrolled {
        /// Its id.
        node: NodeId,
    },
    /// The configuration is another than when last looked at.
    ConfigurationChanged {
        /// The digest of the file.
        digest: Digest,
    },
    /// The register of processing is another than when last looked at.
    RegisterChanged {
        /// The digest of the file.
        digest: Digest,
    },
    /// A study came, by name and version.
    StudyReceived {
        /// The digest of the study's payload.
        study: Digest,
        /// Its name and version, as `core.1`.
        name: String,
    },
    /// A question came.
    RoundReceived {
        /// The round.
        round: RoundId,
    },
    /// The first of two people approved a study.
    FirstApproval {
        /// The digest of the study's payload.
        study: Digest,
        /// Its name and version, as `core.1`.
        name: String,
    },
    /// A study was approved.
    Approved {
        /// The digest of the study's payload.
        study: Digest,
        /// Its name and version, as `core.1`.
        name: String,
    },
    /// A study was refused.
    Refused {
        /// The digest of the study's payload.
        study: Digest,
        /// Its name and version, as `core.1`.
        name: String,
        /// Why; the reason was sent.
        reason: RefusalReason,
    },
    /// A question was answered: charge, noise and bytes are on disk.
    Released {
        /// The round.
        round: RoundId,
        /// The release.
        release: ReleaseId,
        /// The digest of the signed payload.
        payload: Digest,
        /// The place in the ledger.
        ledger_sequence: u64,
        /// What it cost.
        charge: Rho,
    },
    /// The coordinator has the bytes of an answer.
    Sent {
        /// The round.
        round: RoundId,
        /// The release.
        release: ReleaseId,
        /// The digest of the signed payload.
        payload: Digest,
    },
    /// A question was not answered.
    NotReleased {
        /// The round.
        round: RoundId,
        /// Why.
        reason: Unanswered,
    },
    /// What one participant's records could have been part of was looked up. Whose is not written.
    PersonLookedUp,
    /// The evidence pack was made.
    EvidenceMade,
    /// What was no longer needed for an ended purpose was purged.
    Purged {
        /// The purpose.
        purpose: Purpose,
        /// The digest of the attestation's signed payload.
        attestation: Digest,
    },
    /// A user of the console was added.
    UserAdded {
        /// The name of the user.
        user: String,
        /// The role.
        role: String,
    },
    /// A user of the console was removed.
    UserRemoved {
        /// The name of the user.
        user: String,
    },
    /// A user signed in to the console.
    SignedIn,
    /// Somebody failed to sign in to the console.
    SignInFailed,
    /// The coordinator has another record of this node than the node: nothing is released.
    WitnessRefused,
    /// The ledger was brought up to what the coordinator has witnessed; the log has a gap here.
    Recovered {
        /// The place in the ledger.
        ledger_sequence: u64,
    },
}

/// The signed-over content of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The place in the log, from 1.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// What.
    pub what: Event,
}

/// An entry of a verified log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its content.
    pub body: Body,
    /// The head of the log after it.
    pub head: Digest,
}

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file cannot be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database refused.
    #[error("{} could not be read or written", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// The database's answer.
        #[source]
        source: rusqlite::Error,
    },
    /// Written by a newer version of the program.
    #[error("{} was written by a newer version of Fellestall: run that version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// An entry is not what was written.
    #[error(
        "{}: entry {sequence} was altered, removed or moved; nothing is released until the data protection officer has looked at it",
        path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// The first place that does not hold.
        sequence: u64,
    },
}

/// The open log of one node.
pub struct AuditLog {
    connection: Connection,
    path: PathBuf,
}

impl AuditLog {
    /// Opens the log in a node's directory, and makes it if it is not there.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn open(directory: &Path) -> Result<Self, AuditError> {
        let path = directory.join(FILE);
        if !path.exists() {
            files::create(&path, b"")?;
        }
        files::refuse_open(&path)?;
        let failed = |source| AuditError::Database { path: path.clone(), source };
        let mut connection = Connection::open(&path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let turn =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let found: i64 =
            turn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
        if found > SCHEMA {
            return Err(AuditError::Newer { path });
        }
        if found == 0 {
            turn.execute_batch(TABLES).map_err(failed)?;
            turn.pragma_update(None, "user_version", SCHEMA).map_err(failed)?;
        }
        turn.commit().map_err(failed)?;
        Ok(Self { connection, path })
    }

    /// Writes an entry, and returns when it is on disk.
    ///
    /// # Errors
    /// [`AuditError`]; nothing is written then.
    pub fn append(&mut self, at: Timestamp, by: &Actor, what: Event) -> Result<Entry, AuditError> {
        let path = self.path.clone();
        let failed = |source| AuditError::Database { path: path.clone(), source };
        let turn = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let last = last(&turn).map_err(failed)?;
        let (sequence, previous) = match last {
            None => (1, Digest::ZERO),
            Some((sequence, head)) => {
                let broken = || AuditError::Broken { path: path.clone(), sequence };
                let head = Digest::from_bytes(&head).map_err(|_| broken())?;
                (sequence.checked_add(1).ok_or_else(broken)?, head)
            }
        };
        let body = Body { sequence, at, by: by.clone(), what };
        let broken = || AuditError::Broken { path: path.clone(), sequence };
        let bytes = serde_json::to_vec(&body).map_err(|_| broken())?;
        let head = head_after(previous, &bytes);
        let place = i64::try_from(sequence).map_err(|_| broken())?;
        turn.execute(
            "INSERT INTO entry (sequence, body, head) VALUES (?1, ?2, ?3)",
            params![place, bytes, head.as_bytes()],
        )
        .map_err(failed)?;
        turn.commit().map_err(failed)?;
        Ok(Entry { body, head })
    }

    /// Every entry, in order, after the whole chain was verified.
    ///
    /// # Errors
    /// [`AuditError::Broken`] at the first place that does not hold.
    pub fn entries(&self) -> Result<Vec<Entry>, AuditError> {
        let failed = |source| AuditError::Database { path: self.path.clone(), source };
        let mut statement = self
            .connection
            .prepare("SELECT sequence, body, head FROM entry ORDER BY sequence")
            .map_err(failed)?;
        let rows = statement
            .query_map([], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
            })
            .map_err(failed)?;
        let mut entries: Vec<Entry> = Vec::new();
        for (row, sequence) in rows.zip(1_u64..) {
            let (place, bytes, head) = row.map_err(failed)?;
            let previous = entries.last().map_or(Digest::ZERO, |entry| entry.head);
            let entry = check(place, sequence, previous, &bytes, &head);
            let broken = || AuditError::Broken { path: self.path.clone(), sequence };
            entries.push(entry.ok_or_else(broken)?);
        }
        Ok(entries)
    }
}

/// The head of a log after an entry of these bytes.
#[must_use]
pub fn head_after(previous: Digest, body: &[u8]) -> Digest {
    Digest::of_parts(DOMAIN, &[previous.as_bytes(), body])
}

fn last(connection: &Connection) -> rusqlite::Result<Option<(u64, Vec<u8>)>> {
    use rusqlite::OptionalExtension;
    let newest = "SELECT sequence, head FROM entry ORDER BY sequence DESC LIMIT 1";
    let row = connection
        .query_row(newest, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .optional()?;
    Ok(row.map(|(sequence, head)| (u64::try_from(sequence).unwrap_or(0), head)))
}

fn check(place: i64, sequence: u64, previous: Digest, bytes: &[u8], head: &[u8]) -> Option<Entry> {
    let body: Body = serde_json::from_slice(bytes).ok()?;
    let computed = head_after(previous, bytes);
    let holds = u64::try_from(place) == Ok(sequence)
        && body.sequence == sequence
        && head == computed.as_bytes();
    holds.then_some(Entry { body, head: computed })
}
