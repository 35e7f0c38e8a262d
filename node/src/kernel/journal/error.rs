//! What can be wrong with the journal, in words for the operator.
//!
//! **Invariant:** an error names files, columns and places in the chain; never a value.

use rusqlite::ErrorCode;
use std::io;
use std::path::{Path, PathBuf};

/// The database's code for an index of the write-ahead log that could not be made larger.
const SHM_SIZE: i32 = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

/// Why the journal cannot be used. Nothing is released then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be opened or made.
    #[error(
        "the ledger {} cannot be opened: check that its folder exists and that this user may write there",
        path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It cannot be written.
    #[error(
        "the ledger {} cannot be written: the file or its disk is read-only; nothing was released",
        path.display()
    )]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// There is no room for it.
    #[error(
        "the disk of the ledger {} is full; nothing was released. Make room and run again",
        path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Another process has it.
    #[error("another process is making a release with the ledger {}; run again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It does not add up.
    #[error(
        "the ledger {} is damaged ({what}, at release {sequence}), or was not written with this \
         node's release key and municipality; nothing is released from it. Keep the file, stop the \
         node, and put the newest whole copy of its folder back",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the chain; 0 for the file as a whole.
        sequence: u64,
        /// The first part that does not hold.
        what: &'static str,
    },
    /// It is older than the head that was noted beside it.
    #[error(
        "the ledger {} does not reach to the head noted in {}: it is an older copy, or releases were \
         lost from it; nothing is released. Put the newest copy of both back; do not delete either",
        path.display(),
        head.display()
    )]
    Behind {
        /// The journal.
        path: PathBuf,
        /// The head file.
        head: PathBuf,
    },
    /// What was lost cannot be put back.
    #[error(
        "what is missing from the ledger {} cannot be put back: what the coordinator has does not continue it, or this copy made releases of its own; nothing was changed and nothing is released from it. Put the newest copy of the node's folder back, if there is one. Otherwise keep this folder and ask the coordinator's operator for a new enrolment in another one (--dir); count the whole old budget as spent in its configuration",
        path.display()
    )]
    Gap {
        /// The journal.
        path: PathBuf,
    },
    /// A newer version of the program wrote it.
    #[error(
        "the ledger {} has format {found}, and this program knows format {known}: install the newer \
         version of fellestall-node that wrote it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The version known here.
        known: i64,
    },
    /// The system did not say whether a release is on disk.
    #[error(
        "the system could not say whether a release reached the ledger {}; nothing was sent. Check \
         the disk and start the node again: it finds the release or does not",
        path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What the database says.
        #[source]
        source: Box<rusqlite::Error>,
    },
    /// An earlier failure left it in an unknown state.
    #[error("the ledger {} was left after a failed write; start the node again", path.display())]
    Stopped {
        /// The file.
        path: PathBuf,
    },
    /// Reading or writing failed.
    #[error("the ledger {} cannot be read or written; check that its disk is sound and has room", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl JournalError {
    pub(super) fn damaged(path: &Path, sequence: u64, what: &'static str) -> Self {
        Self::Damaged { path: path.to_owned(), sequence, what }
    }

    /// What a failure of the database means to an operator.
    pub(super) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            // A full disk shows here first: the index of the write-ahead log gets no room.
            _ if source.sqlite_error().is_some_and(|error| error.extended_code == SHM_SIZE) => {
                Self::Full { path }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::Open { path, source: Box::new(source) }
            }
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Disk { path, source: Box::new(source) },
            _ => Self::Damaged { path, sequence: 0, what: "file" },
        }
    }

    /// What a failure of the file system means to an operator.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory => Self::Open { path, source: Box::new(source) },
            _ => Self::Disk { path, source: Box::new(source) },
        }
    }
}
