//! The reports beside the releases: exactly the bytes that are sent, checked against the release that
//! names them.
//!
//! **Invariant:** a report is given out only if its signature is this node's, its digest is the one in
//! the signed release, and its share is the one that it names. It is missing only where the coordinator
//! has the release, and so took the report before.

use super::{JournalError, LedgerEntry, Owner, schema};
use fellestall_shared::secure::Bytes;
use fellestall_shared::secure::vdaf::leader_share_digest;
use fellestall_shared::signed::Verified;
use fellestall_shared::wire::v1::{Report, ReportDocument};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::path::Path;

/// Checks every report against the chain; each is read on its own.
///
/// # Errors
/// [`JournalError::Damaged`].
pub(super) fn check_all(
    connection: &Connection,
    path: &Path,
    owner: &Owner,
    entries: &[LedgerEntry],
) -> Result<(), JournalError> {
    let failed = |source| JournalError::from_sqlite(path, source);
    let mut expected = entries.iter().filter(|entry| entry.report.is_some()).peekable();
    let mut statement = connection.prepare(schema::SELECT_REPORTS).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let sequence: i64 = row.get(0).map_err(failed)?;
        let sequence =
            u64::try_from(sequence).map_err(|_| JournalError::damaged(path, 0, "report"))?;
        while let Some(absent) = expected.next_if(|entry| entry.sequence < sequence) {
            may_be_absent(path, absent)?;
        }
        let damaged = || JournalError::damaged(path, sequence, "report");
        let entry = expected.next_if(|entry| entry.sequence == sequence).ok_or_else(damaged)?;
        check(body(row).ok_or_else(damaged)?, owner, entry).ok_or_else(damaged)?;
    }
    expected.try_for_each(|absent| may_be_absent(path, absent))
}

/// The report of a release, if it has one and it is here.
///
/// # Errors
/// [`JournalError::Damaged`].
pub(super) fn of(
    connection: &Connection,
    path: &Path,
    owner: &Owner,
    entry: &LedgerEntry,
) -> Result<Option<Bytes>, JournalError> {
    if entry.report.is_none() {
        return Ok(None);
    }
    let failed = |source| JournalError::from_sqlite(path, source);
    let mut statement = connection.prepare(schema::SELECT_REPORT).map_err(failed)?;
    let mut rows = statement.query([schema::integer(entry.sequence, path)?]).map_err(failed)?;
    let Some(row) = rows.next().map_err(failed)? else {
        return may_be_absent(path, entry).map(|()| None);
    };
    let damaged = || JournalError::damaged(path, entry.sequence, "report");
    let body = body(row).ok_or_else(damaged)?;
    check(body, owner, entry).ok_or_else(damaged)?;
    Ok(Some(Bytes(body.to_vec())))
}

/// A release that the coordinator has may be without its report, as after a recovery.
fn may_be_absent(path: &Path, entry: &LedgerEntry) -> Result<(), JournalError> {
    if entry.sent { Ok(()) } else { Err(JournalError::damaged(path, entry.sequence, "report")) }
}

fn body<'r>(row: &'r Row<'_>) -> Option<&'r [u8]> {
    match row.get_ref(1) {
        Ok(ValueRef::Blob(bytes)) => Some(bytes),
        _ => None,
    }
}

/// Whether these are the bytes that were made for a release.
fn check(body: &[u8], owner: &Owner, entry: &LedgerEntry) -> Option<()> {
    let sent: Report = serde_json::from_slice(body).ok()?;
    let same = serde_json::to_vec(&sent).ok()? == body;
    let Report { report, leader_share } = sent;
    let report: Verified<ReportDocument> = report.verify(&owner.key).ok()?;
    let holds = same
        && entry.report == Some(report.digest())
        && report.release == entry.release
        && report.leader_share == leader_share_digest(&leader_share.0);
    holds.then_some(())
}
