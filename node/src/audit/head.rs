//! The head file: the last place and head of the log, noted beside it.
//!
//! It makes entries visible that were removed from the end: the note is ahead of the log then. A crash
//! may leave the note one entry behind, never ahead.
//!
//! **Invariant:** written only while the log is locked, and never backwards.

use super::AuditError;
use crate::files::{self, FileError};
use fellestall_shared::digest::Digest;
use std::io;
use std::path::{Path, PathBuf};

/// A place in the log and the head there.
pub(super) type Place = (u64, Digest);

/// Before the first entry.
pub(super) const START: Place = (0, Digest::ZERO);

/// The head file of a log: its name with `.head` after it.
pub(super) fn beside(log: &Path) -> PathBuf {
    log.with_extension("sqlite.head")
}

/// Checks that the log, whose two last places these are, is not behind the note, and brings the note
/// up to it.
///
/// # Errors
/// [`AuditError::Behind`] if the log is not the noted one or at most one entry further.
pub(super) fn agree(log: &Path, before_last: Option<Place>, last: Place) -> Result<(), AuditError> {
    let head = beside(log);
    let noted = match std::fs::read_to_string(&head) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Some(String::new()),
        Err(source) => {
            let (action, path) = ("read", head);
            return Err(FileError::Io { action, path, source }.into());
        }
    };
    let now = note(last);
    match noted {
        Some(text) if text == now => Ok(()),
        Some(text) if before_last.is_some_and(|place| text == note(place)) => {
            Ok(files::replace(&head, now.as_bytes())?)
        }
        None if last == START => Ok(files::replace(&head, now.as_bytes())?),
        _ => Err(AuditError::Behind { path: log.to_owned(), head, sequence: last.0 }),
    }
}

fn note((sequence, head): Place) -> String {
    format!("{sequence} {head}\n")
}
