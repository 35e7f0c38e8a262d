//! The audit log: what was asked of this node, what it answered or refused and why, who decided, and
//! what was changed. A hash chain in one `SQLite` file.
//!
//! An entry is the JSON of [`Body`]; the head after it is the digest of the head before it and of its
//! exact bytes. The last head is noted in a file beside, so that removed entries are missed, and heads
//! are countersigned by the coordinator, so that a log that was written anew is found out even by who
//! trusts nobody at the municipality.
//!
//! **Invariant:** append only. No entry names a participant, holds a count, or says anything that
//! follows from records, except that the records could not be read.

use crate::files::FileError;
use crate::state::sqlite_help;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

mod chain;
mod countersign;
mod event;
mod export;
mod head;
mod notes;
mod verify;

pub use chain::{AuditLog, head_after};
pub use countersign::{Countersignature, Parties, commitment, head_of};
pub use event::{Event, Unanswered};
pub use export::{Imported, export, import};
pub use verify::{Countersigned, Report, checked, compare, verify};

/// The file's name.
pub const FILE: &str = "audit.sqlite";

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
    /// to 64 characters. Nobody is named as the node itself is.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let fits = |c: &char| c.is_alphanumeric() || "-_.@: ".contains(*c);
        let named = Self(name.trim().chars().filter(fits).take(64).collect());
        if named == Self::node() { Self("user: node".to_owned()) } else { named }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
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
    /// Its content in the bytes that the head is over.
    pub bytes: Vec<u8>,
    /// The head of the log after it.
    pub head: Digest,
}

/// Why the log cannot be used. Nothing is approved and nothing is released then.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
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
    /// The last entries are gone.
    #[error(
        "{} does not reach to the head noted in {}: entries were removed after {sequence}, or it is an older copy; nothing is released. Put the newest copy of the node's folder back",
        path.display(),
        head.display()
    )]
    Behind {
        /// The file.
        path: PathBuf,
        /// The head file.
        head: PathBuf,
        /// The last place that is there.
        sequence: u64,
    },
    /// The entries hold together, and are not those that were countersigned.
    #[error(
        "{}: the entries up to {sequence} are not those that the coordinator countersigned as number {number}: one of them was written anew; nothing is released until the data protection officer has looked at it",
        path.display()
    )]
    Countersigned {
        /// The file.
        path: PathBuf,
        /// The number of the countersignature.
        number: u64,
        /// The last entry that it is over.
        sequence: u64,
    },
    /// The coordinator's answer is not a witness of what was stated.
    #[error(
        "the coordinator's countersignature is not one of what this node stated; it is not taken"
    )]
    NotAWitness,
    /// The coordinator's key is not known, so that countersignatures cannot be checked.
    #[error(
        "the node's state cannot be read, and with it the key that the log is countersigned with"
    )]
    NoKey,
    /// A statement could not be made.
    #[error(
        "the statement for the coordinator could not be signed, or the system gave no random numbers"
    )]
    NotStated,
    /// The log and the ledger tell of different releases.
    #[error(
        "{}: the release at entry {sequence} is not in the ledger as it is written here, or one of the ledger is not written here; nothing is released until the data protection officer has looked at it",
        path.display()
    )]
    Ledger {
        /// The file.
        path: PathBuf,
        /// The entry; 0 for a release that no entry tells of.
        sequence: u64,
    },
}

#[cfg(test)]
mod tests;
