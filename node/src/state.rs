//! What a node remembers besides its keys and its ledger: where the coordinator is, how the
//! enrolment stands, which signed documents it has seen, what its operators decided, and who may sign
//! in to its console.
//!
//! **Invariant:** nothing here is about people, and nothing here is needed to know what was
//! released: that is the ledger's.

use crate::files::{self, FileError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::signed::VerifyingKey;
use fellestall_shared::wire::v1::Invitation;
use rusqlite::{Connection, OptionalExtension, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod documents;
mod purge;
mod tasks;
mod users;
pub use documents::{FirstApproval, StoredDecision, StoredEnvelope};
pub use users::{Role, StoredUser};

/// The file's name.
pub const FILE: &str = "state.sqlite";
/// The version of the tables.
const SCHEMA: i64 = 3;
/// How long one process of this node waits for another.
const BUSY: Duration = Duration::from_secs(10);

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database refused.
    #[error("{}: {}", path.display(), sqlite_help(source))]
    Database {
        /// The file.
        path: PathBuf,
        /// The database's answer.
        #[source]
        source: rusqlite::Error,
    },
    /// Written by a newer version of the program.
    #[error(
        "{} was written by a newer version of Fellestall ({found}, this one knows {SCHEMA}): run that version",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// Something stored is not what it should be.
    #[error("{} is damaged ({what}); restore the node's directory from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What.
        what: &'static str,
    },
}

/// What a failure of the database means to an operator.
pub(crate) fn sqlite_help(error: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full; make room and run the command again",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process of this node has held it for long; is one stuck?"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "cannot be opened for writing; does the directory belong to the user who runs this?"
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            "is damaged; restore the node's directory from a backup"
        }
        _ => "it could not be read or written",
    }
}

/// How the enrolment stands, as far as this node knows.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Enrolment {
    /// Asked for; the coordinator's operator has not decided.
    Pending {
        /// The invitation that it was asked with.
        invitation: Invitation,
    },
    /// Approved.
    Approved(Membership),
    /// Refused.
    Refused,
}

/// What a node knows once it is enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The node's id.
    pub node: NodeId,
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// Where the coordinator answers.
    pub url: String,
    /// The coordinator's certificate authority (DER, base64).
    pub authority: String,
    /// The key that signs studies and rounds.
    pub coordinator_key: VerifyingKey,
    /// When the client certificate expires.
    pub certificate_expires: Timestamp,
}

/// When this node last heard from the coordinator, and what went wrong since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The last answer.
    pub last_answer: Option<Timestamp>,
    /// What went wrong since, if anything.
    pub failure: Option<String>,
}

/// The open state of one node.
pub struct State {
    connection: Connection,
    path: PathBuf,
}

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS study (
    digest TEXT PRIMARY KEY, envelope BLOB NOT NULL, in_force INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS round (
    digest TEXT PRIMARY KEY, envelope BLOB NOT NULL, open INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS decision (
    study TEXT PRIMARY KEY, answer TEXT NOT NULL, envelope BLOB NOT NULL,
    decided_at INTEGER NOT NULL, sent INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS first_approval (
    study TEXT PRIMARY KEY, by TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS console_user (
    folded TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, salt BLOB NOT NULL,
    proof BLOB NOT NULL, added_at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS task (
    round TEXT PRIMARY KEY, task BLOB NOT NULL, acceptance BLOB NOT NULL) STRICT;
";

impl State {
    /// Opens the state in a node's directory, and makes it if it is not there.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        let path = directory.join(FILE);
        // An empty file is an empty database; made here so that its mode is right from the start.
        if !path.exists() {
            files::create(&path, b"")?;
        }
        files::refuse_open(&path)?;
        let failed = |source| StateError::Database { path: path.clone(), source };
        let connection = Connection::open(&path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let found: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if found > SCHEMA {
            return Err(StateError::Newer { path, found });
        }
        if found < SCHEMA {
            connection.execute_batch(TABLES).map_err(failed)?;
            connection.pragma_update(None, "user_version", SCHEMA).map_err(failed)?;
        }
        Ok(Self { connection, path })
    }

    /// The node's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// How the enrolment stands; `None` if none was asked for.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn enrolment(&self) -> Result<Option<Enrolment>, StateError> {
        self.fact("enrolment")
    }

    /// What is known since the enrolment was approved; `None` before that.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn membership(&self) -> Result<Option<Membership>, StateError> {
        Ok(match self.enrolment()? {
            Some(Enrolment::Approved(membership)) => Some(membership),
            _ => None,
        })
    }

    /// Remembers how the enrolment stands.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_enrolment(&mut self, enrolment: &Enrolment) -> Result<(), StateError> {
        self.set_fact("enrolment", enrolment)
    }

    /// The digest of the invitation that the node was last enrolled with.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn last_invitation(&self) -> Result<Option<Digest>, StateError> {
        self.fact("last_invitation")
    }

    /// Remembers the invitation that the node was enrolled with, as a digest.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_last_invitation(&mut self, invitation: Digest) -> Result<(), StateError> {
        self.set_fact("last_invitation", &invitation)
    }

    /// The last contact with the coordinator.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn contact(&self) -> Result<Contact, StateError> {
        Ok(self.fact("contact")?.unwrap_or_default())
    }

    /// Remembers the last contact.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn set_contact(&mut self, contact: &Contact) -> Result<(), StateError> {
        self.set_fact("contact", contact)
    }

    fn fact<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, StateError> {
        let text: Option<String> = self
            .connection
            .query_row("SELECT value FROM fact WHERE name = $1", [name], |row| row.get(0))
            .optional()
            .map_err(|source| self.database(source))?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| self.damaged(name))).transpose()
    }

    fn set_fact<T: Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), StateError> {
        let text = serde_json::to_string(value).map_err(|_| self.damaged(name))?;
        self.connection
            .execute(
                "INSERT OR REPLACE INTO fact (name, value) VALUES ($1, $2)",
                params![name, text],
            )
            .map(drop)
            .map_err(|source| self.database(source))
    }

    fn database(&self, source: rusqlite::Error) -> StateError {
        StateError::Database { path: self.path.clone(), source }
    }

    fn damaged(&self, what: &'static str) -> StateError {
        StateError::Damaged { path: self.path.clone(), what }
    }
}

#[cfg(test)]
mod tests;
