//! The log's file: appended to, and read back with every link checked.
//!
//! **Invariant:** an entry is returned only after it is on disk and its head is noted beside; entries
//! are given out only from a chain that holds from the first to the last.

use super::head::{self, Place, START};
use super::{Actor, AuditError, Body, Entry, Event, FILE};
use crate::files;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCHEMA: i64 = 1;
const BUSY: Duration = Duration::from_secs(10);
const DOMAIN: &str = "fellestall/audit/1";

const TABLES: &str = "
CREATE TABLE entry (sequence INTEGER PRIMARY KEY, body BLOB NOT NULL, head BLOB NOT NULL) STRICT;
CREATE TRIGGER entry_keeps BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TABLE statement (place INTEGER PRIMARY KEY, entries INTEGER NOT NULL, opening BLOB NOT NULL,
    envelope BLOB NOT NULL) STRICT;
CREATE TRIGGER statement_keeps BEFORE UPDATE ON statement
    BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER statement_stays BEFORE DELETE ON statement
    BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TABLE witness (place INTEGER PRIMARY KEY, envelope BLOB NOT NULL) STRICT;
CREATE TRIGGER witness_keeps BEFORE UPDATE ON witness
    BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER witness_stays BEFORE DELETE ON witness
    BEGIN SELECT RAISE(ABORT, 'append only'); END;
";

/// The open log of one node.
pub struct AuditLog {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
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
        let log = Self { connection, path };
        log.settle()?;
        Ok(log)
    }

    /// Writes an entry, and returns when it is on disk and its head is noted.
    ///
    /// # Errors
    /// [`AuditError`]; what the entry is about must not be done then.
    pub fn append(&mut self, at: Timestamp, by: &Actor, what: Event) -> Result<Entry, AuditError> {
        let turn = self.turn()?;
        let (sequence, previous) = self.agreed(&turn)?;
        let sequence = sequence.saturating_add(1);
        let body = Body { sequence, at, by: by.clone(), what };
        let broken = || AuditError::Broken { path: self.path.clone(), sequence };
        let bytes = serde_json::to_vec(&body).map_err(|_| broken())?;
        let head = head_after(previous, &bytes);
        let place = i64::try_from(sequence).map_err(|_| broken())?;
        turn.execute(
            "INSERT INTO entry (sequence, body, head) VALUES (?1, ?2, ?3)",
            params![place, bytes, head.as_bytes()],
        )
        .and_then(|_| turn.commit())
        .map_err(|source| self.failed(source))?;
        self.settle()?;
        Ok(Entry { body, bytes, head })
    }

    /// Every entry, in order, after the whole chain and the head beside it were verified.
    ///
    /// # Errors
    /// [`AuditError`] at the first place that does not hold.
    pub fn entries(&self) -> Result<Vec<Entry>, AuditError> {
        let turn = self.turn()?;
        self.agreed(&turn)?;
        let failed = |source| self.failed(source);
        let mut statement = turn
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
            let entry = checked(previous, sequence, bytes, &head)
                .filter(|_| u64::try_from(place) == Ok(sequence));
            let broken = || AuditError::Broken { path: self.path.clone(), sequence };
            entries.push(entry.ok_or_else(broken)?);
        }
        Ok(entries)
    }

    /// Takes the log for one reading or one entry.
    fn turn(&self) -> Result<Transaction<'_>, AuditError> {
        Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
            .map_err(|source| self.failed(source))
    }

    /// Brings the note beside the log up to it.
    fn settle(&self) -> Result<(), AuditError> {
        let turn = self.turn()?;
        self.agreed(&turn).map(drop)
    }

    /// The last place, after the note beside the log was compared with it.
    fn agreed(&self, turn: &Transaction<'_>) -> Result<Place, AuditError> {
        let failed = |source| self.failed(source);
        let mut newest = turn
            .prepare("SELECT sequence, head FROM entry ORDER BY sequence DESC LIMIT 2")
            .map_err(failed)?;
        let rows = newest
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .map_err(failed)?;
        let mut places: Vec<Place> = Vec::new();
        for row in rows {
            let (sequence, head) = row.map_err(failed)?;
            let sequence = u64::try_from(sequence).unwrap_or(0);
            let broken = |_| AuditError::Broken { path: self.path.clone(), sequence };
            places.push((sequence, Digest::from_bytes(&head).map_err(broken)?));
        }
        let last = places.first().copied().unwrap_or(START);
        let before = places.get(1).copied().or((last.0 == 1).then_some(START));
        head::agree(&self.path, before, last)?;
        Ok(last)
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> AuditError {
        AuditError::Database { path: self.path.clone(), source }
    }
}

/// The head of a log after an entry of these bytes.
#[must_use]
pub fn head_after(previous: Digest, body: &[u8]) -> Digest {
    Digest::of_parts(DOMAIN, &[previous.as_bytes(), body])
}

/// An entry, if it follows from the head before it and says its own place.
pub(super) fn checked(
    previous: Digest,
    sequence: u64,
    bytes: Vec<u8>,
    head: &[u8],
) -> Option<Entry> {
    let body: Body = serde_json::from_slice(&bytes).ok()?;
    let computed = head_after(previous, &bytes);
    let is_plain = serde_json::to_vec(&body).is_ok_and(|plain| plain == bytes);
    let holds = is_plain && body.sequence == sequence && head == computed.as_bytes();
    holds.then_some(Entry { body, bytes, head: computed })
}
