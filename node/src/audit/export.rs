//! The log as a file of its own, for who looks at it elsewhere: JSON lines with the exact bodies.
//!
//! **Invariant:** what is read back is checked as the log itself is: body by body, head by head.

use super::chain::checked;
use super::{AuditError, Entry};
use fellestall_shared::digest::Digest;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One line of an exported log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    /// An entry.
    Entry {
        /// The exact JSON that the head is over.
        body: String,
        /// The head after it.
        head: Digest,
    },
}

/// A verified log as JSON lines.
///
/// # Errors
/// [`AuditError::Broken`] for an entry that is not text, which none is.
pub fn export(path: &Path, entries: &[Entry]) -> Result<String, AuditError> {
    let mut text = String::new();
    for entry in entries {
        let broken = || AuditError::Broken { path: path.to_owned(), sequence: entry.body.sequence };
        let body = String::from_utf8(entry.bytes.clone()).map_err(|_| broken())?;
        let line = Line::Entry { body, head: entry.head };
        text.push_str(&serde_json::to_string(&line).map_err(|_| broken())?);
        text.push('\n');
    }
    Ok(text)
}

/// The entries of an exported log, every one checked.
///
/// # Errors
/// [`AuditError::Broken`] at the first that does not hold.
pub fn import(path: &Path, text: &str) -> Result<Vec<Entry>, AuditError> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines() {
        let previous = entries.last().map_or(Digest::ZERO, |entry| entry.head);
        let sequence = entries.last().map_or(0, |entry| entry.body.sequence).saturating_add(1);
        let entry = serde_json::from_str(line).ok().and_then(|Line::Entry { body, head }| {
            checked(previous, sequence, body.into_bytes(), head.as_bytes())
        });
        entries.push(entry.ok_or(AuditError::Broken { path: path.to_owned(), sequence })?);
    }
    Ok(entries)
}
