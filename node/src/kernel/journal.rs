//! The journal: every release with its charge, in one `SQLite` file that is never rewritten.
//!
//! A release is one row: question, charge, consent snapshot, signed bytes and the previous head of
//! the chain. It is written in the transaction in which the caps were checked, and forced to disk
//! (`synchronous=FULL`) before anyone sees its bytes. After a crash there is a whole row or none. A
//! report that the release names is a second row, written in the same transaction.
//!
//! **Invariant:** nothing here is deleted or changed, except that a row once gets its receipt. The
//! whole chain is verified before every use, and every report when the file is opened and before it is
//! given out: a ledger that does not add up is not used at all.

use super::release::{Recorded, Release, Signed};
use chain::Chain;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, ReleaseId, RoundId, StudyId};
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::ledger_head;
use fellestall_shared::secure::Bytes;
use fellestall_shared::signed::{Envelope, Verified, VerifyingKey};
use fellestall_shared::wire::v1::{LedgerHead, ReleaseDocument};
use head::HeadFile;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod chain;
mod error;
mod head;
mod reports;
mod schema;

pub use error::JournalError;

/// How long a use of the journal waits for another process that is making a release.
const BUSY_TIMEOUT: Duration = Duration::from_mins(2);

/// One charge: the public side of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The place in the chain, from 1.
    pub sequence: u64,
    /// The question.
    pub release: ReleaseId,
    /// The study, whatever its version.
    pub study: StudyId,
    /// The round.
    pub round: RoundId,
    /// The period.
    pub period: Period,
    /// What it cost.
    pub charge: Rho,
    /// The digest of the signed payload.
    pub payload: Digest,
    /// The digest of the payload of its report, if it has shared tables.
    pub report: Option<Digest>,
    /// The head of the chain after it.
    pub head: Digest,
    /// Whether the coordinator has it.
    pub sent: bool,
}

/// Whose chain it must be.
struct Owner {
    key: VerifyingKey,
    municipality: MunicipalityNumber,
}

/// An open journal.
pub(super) struct Journal {
    connection: Connection,
    path: PathBuf,
    head: HeadFile,
    owner: Owner,
    /// Set when a commit failed: whether the row is there is known only after opening again.
    stopped: bool,
}

/// The journal, locked for one release, with its verified chain.
pub(super) struct Turn<'j> {
    transaction: Transaction<'j>,
    stopped: &'j mut bool,
    path: &'j Path,
    chain: Chain,
}

impl Journal {
    /// Opens the journal, makes it if there is none, and verifies all of it.
    ///
    /// # Errors
    /// [`JournalError`]; a damaged, foreign, older or newer ledger is not used.
    pub(super) fn open(
        path: &Path,
        key: VerifyingKey,
        municipality: MunicipalityNumber,
    ) -> Result<Self, JournalError> {
        let mut connection = schema::open(path, BUSY_TIMEOUT)?;
        schema::make(&mut connection, path)?;
        let owner = Owner { key, municipality };
        let head = HeadFile::beside(path);
        let mut journal = Self { connection, path: path.to_owned(), head, owner, stopped: false };
        drop(journal.begin(None)?);
        journal.check_reports()?;
        Ok(journal)
    }

    /// Takes the journal for one release: no other process can charge it until the turn ends.
    ///
    /// `wanted` is the release whose bytes the caller may need.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(super) fn begin(&mut self, wanted: Option<ReleaseId>) -> Result<Turn<'_>, JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped { path: self.path.clone() });
        }
        let failed = |source| JournalError::from_sqlite(&self.path, source);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        schema::check(&transaction, &self.path)?;
        let chain = Chain::read(&transaction, &self.path, &self.owner, wanted)?;
        self.head.agree(&chain, &self.path)?;
        Ok(Turn { transaction, stopped: &mut self.stopped, path: &self.path, chain })
    }

    /// The verified chain as it stands, without taking the journal.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(super) fn read(
        &self,
        wanted: Option<ReleaseId>,
    ) -> Result<(Vec<LedgerEntry>, Option<Release<Recorded>>), JournalError> {
        let failed = |source| JournalError::from_sqlite(&self.path, source);
        let snapshot = self.connection.unchecked_transaction().map_err(failed)?;
        let chain = Chain::read(&snapshot, &self.path, &self.owner, wanted)?;
        Ok((chain.entries, chain.wanted))
    }

    /// Checks every report against the chain.
    fn check_reports(&self) -> Result<(), JournalError> {
        let failed = |source| JournalError::from_sqlite(&self.path, source);
        let snapshot = self.connection.unchecked_transaction().map_err(failed)?;
        let chain = Chain::read(&snapshot, &self.path, &self.owner, None)?;
        reports::check_all(&snapshot, &self.path, &self.owner, &chain.entries)
    }

    /// Notes that the coordinator has a release.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(super) fn note_receipt(
        &mut self,
        sequence: u64,
        payload: Digest,
    ) -> Result<(), JournalError> {
        let turn = self.begin(None)?;
        let sql = "UPDATE release SET receipt = ?1 WHERE sequence = ?2 AND receipt IS NULL";
        turn.transaction
            .execute(sql, params![payload.as_bytes(), schema::integer(sequence, turn.path)?])
            .map_err(|source| JournalError::from_sqlite(turn.path, source))?;
        turn.commit()
    }

    /// Puts back those of `known` that this journal once held and does not hold any more, so that its
    /// chain then has all of them, and `until`; how many were missing. One row is written at a time,
    /// with its receipt, and its head noted: a crash leaves some of them, and the next try puts back the
    /// rest.
    ///
    /// # Errors
    /// [`JournalError::Gap`] if they are not this chain or do not continue it: nothing was written then.
    pub(super) fn recover(
        &mut self,
        known: Vec<Envelope>,
        until: LedgerHead,
    ) -> Result<usize, JournalError> {
        let turn = self.begin(None)?;
        let mut heads: Vec<(u64, Digest)> =
            turn.entries().iter().map(|entry| (entry.sequence, entry.head)).collect();
        drop(turn);
        let gap = || JournalError::Gap { path: self.path.clone() };
        let mut missing = Vec::new();
        for envelope in known {
            let bytes = envelope.to_json().map_err(|_| gap())?;
            let release: Verified<ReleaseDocument> =
                envelope.verify(&self.owner.key).map_err(|_| gap())?;
            let (last, previous) = heads.last().copied().unwrap_or((0, Digest::ZERO));
            if release.ledger_sequence <= last {
                let head = ledger_head(release.ledger_previous, release.digest());
                if !heads.contains(&(release.ledger_sequence, head)) {
                    return Err(gap());
                }
                continue;
            }
            let id = ReleaseId::of(release.study, release.period, &self.owner.municipality);
            let continues = release.ledger_sequence == last.saturating_add(1)
                && release.ledger_previous == previous
                && release.municipality == self.owner.municipality
                && release.release == id;
            if !continues {
                return Err(gap());
            }
            heads.push((release.ledger_sequence, ledger_head(previous, release.digest())));
            missing.push((release, bytes));
        }
        let reaches = heads.contains(&(until.sequence, until.head));
        if !reaches && until != (LedgerHead { sequence: 0, head: Digest::ZERO }) {
            return Err(gap());
        }
        for (release, bytes) in &missing {
            // The coordinator has it, and took its report before it, so that neither is sent again.
            self.begin(None)?.insert(release, bytes, None, Some(release.digest()))?;
        }
        Ok(missing.len())
    }

    /// Runs SQL on this handle, so that a test can have a full, read-only or failing disk.
    #[cfg(test)]
    pub(super) fn execute(&self, sql: &str) {
        self.connection.execute_batch(sql).expect("sound SQL");
    }
}

impl Turn<'_> {
    /// The charges so far.
    pub(super) fn entries(&self) -> &[LedgerEntry] {
        &self.chain.entries
    }

    /// The release that was wanted, if it is recorded.
    pub(super) fn take_recorded(&mut self) -> Option<Release<Recorded>> {
        self.chain.wanted.take()
    }

    /// Where the next release stands: its sequence, and the head before it.
    pub(super) fn place(&self) -> (u64, Digest) {
        (self.chain.next_sequence(), self.chain.head())
    }

    /// Records a release and its charge, and returns when both are on disk.
    ///
    /// # Errors
    /// [`JournalError`]; [`JournalError::Unknown`] if the system did not say whether they are: the
    /// journal then has to be opened again, which finds the release or does not.
    pub(super) fn record(self, release: &Signed) -> Result<(), JournalError> {
        self.insert(release.accepted.verified(), &release.bytes, release.report.as_ref(), None)
    }

    /// Writes the row of a release whose signature held, and its report beside it.
    ///
    /// # Errors
    /// As [`Self::record`].
    fn insert(
        self,
        release: &Verified<ReleaseDocument>,
        bytes: &[u8],
        report: Option<&Bytes>,
        receipt: Option<Digest>,
    ) -> Result<(), JournalError> {
        let (document, payload) = (&**release, release.digest());
        let head = ledger_head(document.ledger_previous, payload);
        let study = chain::study_of(&document.round).ok_or(JournalError::damaged(
            self.path,
            document.ledger_sequence,
            "round",
        ))?;
        let failed = |source| JournalError::from_sqlite(self.path, source);
        let sequence = schema::integer(document.ledger_sequence, self.path)?;
        self.transaction
            .execute(
                schema::INSERT,
                params![
                    sequence,
                    document.release.digest().as_bytes(),
                    study.as_str(),
                    document.study.as_bytes(),
                    document.round.as_str(),
                    document.period.to_string(),
                    document.period.year(),
                    schema::integer(document.charge_micro.micro(), self.path)?,
                    document.consent_snapshot.as_bytes(),
                    document.ledger_previous.as_bytes(),
                    head.as_bytes(),
                    payload.as_bytes(),
                    bytes,
                    receipt.as_ref().map(Digest::as_bytes),
                ],
            )
            .map_err(failed)?;
        if let Some(Bytes(body)) = report {
            self.transaction
                .execute(schema::INSERT_REPORT, params![sequence, body])
                .map_err(failed)?;
        }
        self.commit()
    }

    fn commit(self) -> Result<(), JournalError> {
        self.transaction.commit().map_err(|source| {
            *self.stopped = true;
            JournalError::Unknown { path: self.path.to_owned(), source: Box::new(source) }
        })
    }
}
