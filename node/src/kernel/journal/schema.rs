//! The journal's file: how it is opened, its tables, and its version.
//!
//! Version 2 added the table of reports; a file of version 1 has none of them, and is brought up in one
//! transaction when it is opened.
//!
//! **Invariant:** a file of a newer version, or that something else made, is refused and left as it
//! is. What a version wrote is never written again: a later one only adds to it.

use super::JournalError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// The version of the tables below.
pub(super) const VERSION: i64 = 2;
/// Marks the file as a ledger of this program: "FELL" in ASCII.
const APPLICATION: i64 = 0x4645_4c4c;

const TABLES: &str = "
CREATE TABLE release (
    sequence         INTEGER PRIMARY KEY,
    release_id       BLOB    NOT NULL UNIQUE,
    study            TEXT    NOT NULL,
    study_digest     BLOB    NOT NULL,
    round            TEXT    NOT NULL,
    period           TEXT    NOT NULL,
    year             INTEGER NOT NULL,
    charge_micro     INTEGER NOT NULL,
    consent_snapshot BLOB    NOT NULL,
    previous         BLOB    NOT NULL,
    head             BLOB    NOT NULL,
    payload_digest   BLOB    NOT NULL,
    envelope         BLOB    NOT NULL,
    receipt          BLOB
) STRICT;";

/// What version 2 added: the exact bytes of the report that a release names. Apart from the release, so
/// that reading the chain does not read megabytes of shares.
const REPORTS: &str = "
CREATE TABLE report (
    sequence INTEGER PRIMARY KEY,
    body     BLOB    NOT NULL
) STRICT;";

pub(super) const INSERT: &str = "
INSERT INTO release (sequence, release_id, study, study_digest, round, period, year, charge_micro,
    consent_snapshot, previous, head, payload_digest, envelope, receipt)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

pub(super) const INSERT_REPORT: &str = "INSERT INTO report (sequence, body) VALUES (?1, ?2)";

pub(super) const SELECT: &str = "
SELECT sequence, release_id, study, study_digest, round, period, year, charge_micro,
    consent_snapshot, previous, head, payload_digest, envelope, receipt
FROM release ORDER BY sequence";

pub(super) const SELECT_REPORTS: &str = "SELECT sequence, body FROM report ORDER BY sequence";

pub(super) const SELECT_REPORT: &str = "SELECT sequence, body FROM report WHERE sequence = ?1";

/// Opens the file, readable by its owner alone, with a log that is forced to disk at every commit.
pub(super) fn open(path: &Path, busy: Duration) -> Result<Connection, JournalError> {
    make_private(path).map_err(|source| JournalError::from_io(path, source))?;
    let failed = |source| JournalError::from_sqlite(path, source);
    let connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(busy).map_err(failed)?;
    let set = |name, value: &str| connection.pragma_update(None, name, value).map_err(failed);
    set("trusted_schema", "OFF")?;
    set("cell_size_check", "ON")?;
    set("journal_mode", "WAL")?;
    set("synchronous", "FULL")?;
    let integrity: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if integrity == "ok" { Ok(connection) } else { Err(JournalError::damaged(path, 0, "file")) }
}

/// Makes the tables in an empty file, and adds to a file of version 1 what it lacks: all or nothing.
pub(super) fn make(connection: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let failed = |source| JournalError::from_sqlite(path, source);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = transaction.query_row(tables, [], |row| row.get(0)).map_err(failed)?;
    let found = version(&transaction).map_err(failed)?;
    let is_empty = tables == 0 && found == (0, 0);
    if is_empty {
        transaction.execute_batch(TABLES).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
    }
    if is_empty || found == (APPLICATION, 1) {
        transaction.execute_batch(REPORTS).map_err(failed)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Refuses a file of another version or another program.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    match version(connection).map_err(|source| JournalError::from_sqlite(path, source))? {
        (APPLICATION, VERSION) => Ok(()),
        (APPLICATION, found) if found > VERSION => {
            Err(JournalError::Newer { path: path.to_owned(), found, known: VERSION })
        }
        _ => Err(JournalError::damaged(path, 0, "version")),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((number("application_id")?, number("user_version")?))
}

/// A number as `SQLite` holds it; a larger one can only come from a damaged ledger.
pub(super) fn integer(number: u64, path: &Path) -> Result<i64, JournalError> {
    i64::try_from(number).map_err(|_| JournalError::damaged(path, 0, "number"))
}

/// Makes the file before `SQLite` does, so that no other user can read it for a moment.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
