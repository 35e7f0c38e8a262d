//! The whole check of a log: its chain, its head, its countersignatures, and the ledger beside it.
//!
//! **Invariant:** a report exists only for a log that holds throughout.

use super::{AuditError, AuditLog, Countersignature, Entry, Event};
use crate::kernel::LedgerEntry;
use crate::state::State;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
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
    /// How many releases it tells of.
    pub releases: u64,
    /// How far it was countersigned, if it was.
    pub countersigned: Option<Countersigned>,
}

/// How far a log was countersigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Countersigned {
    /// The number of the last countersignature.
    pub number: u64,
    /// The entries that it is over; `None` for one that was fetched when the node was recovered.
    pub entries: Option<u64>,
    /// When.
    pub at: Timestamp,
}

/// Verifies the log in a node's directory: every entry, the chain, the head beside it, and the
/// countersignatures that are kept with it.
///
/// # Errors
/// [`AuditError`] with the first entry that does not hold.
pub fn verify(directory: &Path) -> Result<Report, AuditError> {
    let log = AuditLog::open(directory)?;
    let entries = log.entries()?;
    let membership = State::open(directory).and_then(|state| state.membership());
    let held = match membership.map_err(|_| AuditError::NoKey)? {
        Some(membership) => log.countersignatures(&membership.coordinator_key)?,
        None => Vec::new(),
    };
    checked(&directory.join(super::FILE), &entries, &held)
}

/// Compares the entries of a log, whose chain holds, with what was countersigned.
///
/// # Errors
/// [`AuditError::Countersigned`] with the first countersignature that is over other entries.
pub fn checked(
    path: &Path,
    entries: &[Entry],
    held: &[Countersignature],
) -> Result<Report, AuditError> {
    let mut before: Option<&Countersignature> = None;
    for signed in held {
        let number = signed.witness.number;
        let differs =
            |sequence| AuditError::Countersigned { path: path.to_owned(), number, sequence };
        signed.check(entries).map_err(differs)?;
        // One that was fetched begins anew, and so does another enrolment.
        let known = before
            .filter(|before| signed.over.is_some() && before.witness.node == signed.witness.node);
        if known.is_some_and(|before| signed.witness.previous != before.witness.digest()) {
            return Err(differs(signed.over.map_or(0, |(entries, _)| entries)));
        }
        before = Some(signed);
    }
    let is_release = |entry: &&Entry| matches!(entry.body.what, Event::Released { .. });
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Ok(Report {
        entries: count(entries.len()),
        head: entries.last().map_or(Digest::ZERO, |entry| entry.head),
        last: entries.last().map(|entry| entry.body.at),
        releases: count(entries.iter().filter(is_release).count()),
        countersigned: held.last().map(|last| Countersigned {
            number: last.witness.number,
            entries: last.over.map(|(entries, _)| entries),
            at: last.witness.at,
        }),
    })
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
                let same = kept.is_some_and(|kept| {
                    kept.round == *round
                        && kept.release == *release
                        && kept.charge == *charge
                        && kept.payload == *payload
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
