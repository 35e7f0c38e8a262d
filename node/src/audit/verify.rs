//! The whole check of a log: its chain, its head, its countersignatures, and the ledger beside it.
//!
//! **Invariant:** a report exists only for a log that holds throughout.

use super::{AuditError, AuditLog, Entry, Event};
use crate::kernel::LedgerEntry;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::round::ledger_head;
use serde::Serialize;
use std::path::Path;

/// A log that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many entries there are.
    pub entries: u64,
    /// The head after the last.
    pub head: Digest,
    /// When the last was written.
    pub last: Option<Timestamp>,
    /// How many releases it tells of; each was compared with the ledger if that was given.
    pub releases: u64,
}

/// Verifies the log in a node's directory: every entry, the chain and the head beside it.
///
/// # Errors
/// [`AuditError`] with the first entry that does not hold.
pub fn verify(directory: &Path) -> Result<Report, AuditError> {
    let log = AuditLog::open(directory)?;
    Ok(report(&log.entries()?))
}

/// Compares the releases of a verified log with those of a verified ledger, both ways.
///
/// The last release of the ledger may be missing here: the node stopped between the two, and writes
/// it down when it runs again. So may those from before the log, and those that were recovered.
///
/// # Errors
/// [`AuditError::Ledger`].
pub fn compare(
    directory: &Path,
    entries: &[Entry],
    ledger: &[LedgerEntry],
) -> Result<(), AuditError> {
    let differs = |sequence| AuditError::Ledger { path: directory.join(super::FILE), sequence };
    let (mut told, mut from) = (Vec::new(), u64::MAX);
    for entry in entries {
        match &entry.body.what {
            Event::Released { round, release, payload, ledger_sequence, charge } => {
                let place = usize::try_from(*ledger_sequence).ok().and_then(|n| n.checked_sub(1));
                let kept = place.and_then(|place| ledger.get(place));
                let before = place.and_then(|place| place.checked_sub(1));
                let previous = before.and_then(|place| ledger.get(place));
                let previous = previous.map_or(Digest::ZERO, |entry| entry.head);
                let same = kept.is_some_and(|kept| {
                    kept.round == *round
                        && kept.release == *release
                        && kept.charge == *charge
                        && kept.head == ledger_head(previous, *payload)
                });
                if !same {
                    return Err(differs(entry.body.sequence));
                }
                told.push(*ledger_sequence);
                from = from.min(*ledger_sequence);
            }
            Event::Recovered { ledger_sequence } => {
                told.extend(1..=*ledger_sequence);
            }
            _ => {}
        }
    }
    let last = ledger.last().map_or(0, |entry| entry.sequence);
    let untold = |entry: &&LedgerEntry| {
        entry.sequence >= from && entry.sequence != last && !told.contains(&entry.sequence)
    };
    if ledger.iter().any(|entry| untold(&entry)) { Err(differs(0)) } else { Ok(()) }
}

/// What a verified log amounts to.
#[must_use]
pub fn report(entries: &[Entry]) -> Report {
    let is_release = |entry: &&Entry| matches!(entry.body.what, Event::Released { .. });
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Report {
        entries: count(entries.len()),
        head: entries.last().map_or(Digest::ZERO, |entry| entry.head),
        last: entries.last().map(|entry| entry.body.at),
        releases: count(entries.iter().filter(is_release).count()),
    }
}
