//! Destroying what is no longer needed for a purpose whose project has ended.
//!
//! The steps are: the snapshot key, the documents that no release rests on, the attestation, the
//! entry in the audit log. Each is repeated without harm, so a purge that was cut off is completed by
//! doing it again.
//!
//! **Invariant:** the attestation is written after everything in it is gone.

use super::attestation::{self, Attestation, KeptItem, attestations};
use super::{Holdings, Item, RetentionError, Unanswered, Why};
use crate::audit::{Actor, AuditLog, Event};
use crate::keys::KeyStore;
use crate::register::Register;
use crate::state::State;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::Purpose;
use fellestall_shared::signed::{SigningKey, Verified};
use std::path::Path;
use time::Date;

/// A purge that is done.
pub struct Purged {
    /// What the node attests.
    pub attestation: Verified<Attestation>,
    /// Whether it was done before, so that nothing changed now.
    pub was_done: bool,
}

/// Destroys what is no longer needed for a purpose after its project's end, and attests it. Again,
/// it changes nothing and gives the same attestation.
///
/// # Errors
/// [`RetentionError::NotEnded`] up to and including the project's last day; what could not be
/// destroyed, written or read. The command may be given again.
pub fn purge(
    directory: &Path,
    purpose: &Purpose,
    register: &Register,
    now: Timestamp,
    by: &Actor,
) -> Result<Purged, RetentionError> {
    let registered = register
        .purpose(purpose)
        .ok_or_else(|| RetentionError::Unregistered { purpose: purpose.clone() })?;
    let ends = registered.ends;
    if now.date().is_none_or(|today| today <= ends) {
        return Err(RetentionError::NotEnded { purpose: purpose.clone(), ends });
    }
    let keys = KeyStore::new(directory);
    let holdings = Holdings::gather(directory)?;
    if holdings.membership.is_none() {
        return Err(RetentionError::NotEnrolled);
    }
    keys.destroy_snapshot(purpose)?;
    let mut state = State::open(directory)?;
    // Noted first: from here on the coordinator's list does not bring the documents back.
    state.set_purged(purpose, ends)?;
    let Unanswered { studies, rounds, tasks, decisions } = holdings.unanswered(purpose);
    state.destroy(&studies, (&rounds, &tasks), &decisions)?;
    let earlier = attestations(directory, purpose)?;
    let number = earlier.len();
    let same = |attestation: &Verified<Attestation>| attestation.ended == ends.to_string();
    let last = earlier.into_iter().next_back().filter(same);
    let was_done = last.is_some();
    let attestation = if let Some(stands) = last {
        stands
    } else {
        let key = keys.release()?;
        attest(directory, &holdings, &key, (purpose, ends), now, number)?
    };
    note(directory, purpose, attestation.digest(), now, by)?;
    Ok(Purged { attestation, was_done })
}

/// Signs and writes the attestation.
fn attest(
    directory: &Path,
    holdings: &Holdings,
    key: &SigningKey,
    (purpose, ends): (&Purpose, Date),
    now: Timestamp,
    earlier: usize,
) -> Result<Verified<Attestation>, RetentionError> {
    let Some(membership) = &holdings.membership else { return Err(RetentionError::NotEnrolled) };
    let mut kept = vec![
        KeptItem { item: Item::Configuration, why: Why::NeededToRun },
        KeptItem { item: Item::Register, why: Why::RecordOfProcessing },
        KeptItem { item: Item::Enrolment, why: Why::NeededToRun },
        KeptItem { item: Item::ConsoleUsers, why: Why::NeededToRun },
        KeptItem { item: Item::Keys, why: Why::NeededToRun },
        KeptItem { item: Item::Ledger, why: Why::BudgetStaysSpent },
        KeptItem { item: Item::AuditLog, why: Why::Accountability },
    ];
    if holdings.answered(purpose) {
        kept.push(KeptItem { item: Item::AnsweredStudies, why: Why::ExplainsReleases });
    }
    let last = holdings.history.last();
    let document = Attestation {
        node: membership.node.clone(),
        municipality: membership.municipality.clone(),
        purpose: purpose.clone(),
        ended: ends.to_string(),
        purged_at: now,
        removed: vec![Item::SnapshotKey, Item::UnansweredDocuments],
        kept,
        ledger_sequence: last.map_or(0, |entry| entry.sequence),
        ledger_head: last.map_or(Digest::ZERO, |entry| entry.head),
    };
    let path = || directory.to_owned();
    let failed = |source| RetentionError::Attestation { path: path(), source };
    let envelope = key.sign(&document).map_err(failed)?;
    attestation::write(directory, purpose, earlier, &envelope)?;
    envelope.verify(&key.verifying_key()).map_err(failed)
}

/// Notes the purge in the audit log, once for each attestation.
fn note(
    directory: &Path,
    purpose: &Purpose,
    attestation: Digest,
    now: Timestamp,
    by: &Actor,
) -> Result<(), RetentionError> {
    let purged = Event::Purged { purpose: purpose.clone(), attestation };
    Ok(AuditLog::open(directory)?.append_once(now, by, purged)?)
}
