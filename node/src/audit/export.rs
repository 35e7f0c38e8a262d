//! The log as a file of its own, for who looks at it elsewhere: JSON lines with the exact bodies, and
//! with what opens the countersignatures.
//!
//! **Invariant:** what is read back is checked as the log itself is: body by body, head by head.

use super::chain::checked;
use super::{AuditError, Countersignature, Entry};
use fellestall_shared::digest::Digest;
use fellestall_shared::signed::{Envelope, VerifyingKey};
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
    /// The key that countersigned; before the first countersignature.
    Coordinator(VerifyingKey),
    /// A countersignature.
    Countersignature {
        /// The entries that it is over, and what opens its commitment.
        over: Option<(u64, Digest)>,
        /// The signed witness.
        witness: Envelope,
    },
}

/// What an exported log holds, every part of it checked for itself.
#[derive(Debug)]
pub struct Imported {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The countersignatures.
    pub countersignatures: Vec<Countersignature>,
    /// The key that they hold under: to be compared with the coordinator's.
    pub coordinator: Option<VerifyingKey>,
}

/// A verified log as JSON lines.
///
/// # Errors
/// [`AuditError::Broken`] for an entry that is not text, which none is.
pub fn export(
    path: &Path,
    entries: &[Entry],
    countersigned: Option<(&VerifyingKey, &[Countersignature])>,
) -> Result<String, AuditError> {
    let mut lines = Vec::new();
    for entry in entries {
        let sequence = entry.body.sequence;
        let broken = |_| AuditError::Broken { path: path.to_owned(), sequence };
        let body = String::from_utf8(entry.bytes.clone()).map_err(broken)?;
        lines.push(Line::Entry { body, head: entry.head });
    }
    if let Some((key, held)) = countersigned {
        lines.push(Line::Coordinator(key.clone()));
        lines.extend(held.iter().map(|held| Line::Countersignature {
            over: held.over,
            witness: held.witness.envelope().clone(),
        }));
    }
    let mut text = String::new();
    for line in &lines {
        text.push_str(&serde_json::to_string(line).map_err(|_| AuditError::NotStated)?);
        text.push('\n');
    }
    Ok(text)
}

/// Reads an exported log and checks every line.
///
/// # Errors
/// [`AuditError::Broken`] at the first entry that does not hold, [`AuditError::NotAWitness`] for a
/// countersignature that does not.
pub fn import(path: &Path, text: &str) -> Result<Imported, AuditError> {
    let mut read =
        Imported { entries: Vec::new(), countersignatures: Vec::new(), coordinator: None };
    for line in text.lines() {
        let (sequence, previous) = read
            .entries
            .last()
            .map_or((1, Digest::ZERO), |last| (last.body.sequence.saturating_add(1), last.head));
        let broken = || AuditError::Broken { path: path.to_owned(), sequence };
        match serde_json::from_str(line).map_err(|_| broken())? {
            Line::Entry { body, head } => {
                let entry = checked(previous, sequence, body.into_bytes(), head.as_bytes());
                read.entries.push(entry.ok_or_else(broken)?);
            }
            Line::Coordinator(key) if read.coordinator.is_none() => read.coordinator = Some(key),
            Line::Coordinator(_) => return Err(AuditError::NotAWitness),
            Line::Countersignature { over, witness } => {
                let key = read.coordinator.as_ref().ok_or(AuditError::NotAWitness)?;
                let witness = witness.verify(key).map_err(|_| AuditError::NotAWitness)?;
                read.countersignatures.push(Countersignature { over, witness });
            }
        }
    }
    Ok(read)
}
