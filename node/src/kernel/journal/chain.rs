//! Reading the chain: every row is checked against its signed release and against the row before.
//!
//! **Invariant:** a charge is counted only from signed bytes that hold; the columns beside them, for
//! people with a database tool, must say the same.

use super::{JournalError, LedgerEntry, Owner, reports, schema};
use crate::kernel::release::{Recorded, Release};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{ReleaseId, RoundId, StudyId};
use fellestall_shared::round::{ledger_head, wire_size};
use fellestall_shared::signed::{Envelope, Verified};
use fellestall_shared::wire::v1::ReleaseDocument;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::path::Path;

/// The whole chain, verified.
pub(super) struct Chain {
    /// Every charge, in order.
    pub(super) entries: Vec<LedgerEntry>,
    /// The release that was asked for, if it is there.
    pub(super) wanted: Option<Release<Recorded>>,
}

impl Chain {
    /// Reads and verifies all rows.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] with the first column that does not hold.
    pub(super) fn read(
        connection: &Connection,
        path: &Path,
        owner: &Owner,
        wanted: Option<ReleaseId>,
    ) -> Result<Self, JournalError> {
        let failed = |source| JournalError::from_sqlite(path, source);
        let mut statement = connection.prepare(schema::SELECT).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut chain = Self { entries: Vec::new(), wanted: None };
        while let Some(row) = rows.next().map_err(failed)? {
            let sequence = chain.next_sequence();
            let (entry, bytes, wire_size) = check(row, sequence, chain.head(), owner)
                .map_err(|what| JournalError::damaged(path, sequence, what))?;
            if wanted == Some(entry.release) {
                let report = reports::of(connection, path, owner, &entry)?;
                let recorded = Release::recorded(entry.release, bytes, wire_size, report, &entry);
                chain.wanted = Some(recorded);
            }
            chain.entries.push(entry);
        }
        Ok(chain)
    }

    /// Whether nothing was ever charged.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The place of the next release.
    pub(super) fn next_sequence(&self) -> u64 {
        self.entries.last().map_or(1, |entry| entry.sequence.saturating_add(1))
    }

    /// The head of the chain.
    pub(super) fn head(&self) -> Digest {
        self.entries.last().map_or(Digest::ZERO, |entry| entry.head)
    }

    /// The next sequence and the head as they were before the last release; `None` without one.
    pub(super) fn before_last(&self) -> Option<(u64, Digest)> {
        let (last, before) = self.entries.split_last()?;
        Some((last.sequence, before.last().map_or(Digest::ZERO, |entry| entry.head)))
    }
}

/// The study of a round, from its id.
pub(super) fn study_of(round: &RoundId) -> Option<StudyId> {
    round.as_str().split('.').next()?.parse().ok()
}

/// Checks one row; the error is the column that does not hold.
fn check(
    row: &Row<'_>,
    sequence: u64,
    previous: Digest,
    owner: &Owner,
) -> Result<(LedgerEntry, Vec<u8>, usize), &'static str> {
    let bytes = blob(row, "envelope")?;
    let envelope = Envelope::from_json(bytes).map_err(|_| "envelope")?;
    if envelope.to_json().map_err(|_| "envelope")? != bytes {
        return Err("envelope");
    }
    let release: Verified<ReleaseDocument> =
        envelope.verify(&owner.key).map_err(|_| "signature")?;
    let payload = release.digest();
    let head = ledger_head(previous, payload);
    let study = study_of(&release.round).ok_or("round")?;
    if release.municipality != owner.municipality {
        return Err("municipality");
    }
    let question = ReleaseId::of(release.study, release.period, &release.municipality);
    if release.release != question {
        return Err("release_id");
    }
    if release.ledger_sequence != sequence || release.ledger_previous != previous {
        return Err("place in the chain");
    }
    integer(row, "sequence", sequence)?;
    integer(row, "year", u64::from(release.period.year()))?;
    integer(row, "charge_micro", release.charge_micro.micro())?;
    text(row, "study", study.as_str())?;
    text(row, "round", release.round.as_str())?;
    text(row, "period", &release.period.to_string())?;
    digest(row, "release_id", release.release.digest())?;
    digest(row, "study_digest", release.study)?;
    digest(row, "consent_snapshot", release.consent_snapshot)?;
    digest(row, "previous", previous)?;
    digest(row, "head", head)?;
    digest(row, "payload_digest", payload)?;
    let sent = !matches!(row.get_ref("receipt"), Ok(ValueRef::Null));
    if sent {
        digest(row, "receipt", payload)?;
    }
    let entry = LedgerEntry {
        sequence,
        release: release.release,
        study,
        round: release.round.clone(),
        period: release.period,
        charge: release.charge_micro,
        payload,
        report: release.report,
        head,
        sent,
    };
    let wire_size = wire_size(&release).map_err(|_| "envelope")?;
    Ok((entry, bytes.to_vec(), wire_size))
}

fn blob<'r>(row: &'r Row<'_>, column: &'static str) -> Result<&'r [u8], &'static str> {
    match row.get_ref(column) {
        Ok(ValueRef::Blob(bytes)) => Ok(bytes),
        _ => Err(column),
    }
}

fn digest(row: &Row<'_>, column: &'static str, expected: Digest) -> Result<(), &'static str> {
    if blob(row, column)? == expected.as_bytes() { Ok(()) } else { Err(column) }
}

fn text(row: &Row<'_>, column: &'static str, expected: &str) -> Result<(), &'static str> {
    match row.get_ref(column) {
        Ok(ValueRef::Text(text)) if text == expected.as_bytes() => Ok(()),
        _ => Err(column),
    }
}

fn integer(row: &Row<'_>, column: &'static str, expected: u64) -> Result<(), &'static str> {
    match row.get_ref(column) {
        Ok(ValueRef::Integer(found)) if u64::try_from(found) == Ok(expected) => Ok(()),
        _ => Err(column),
    }
}
