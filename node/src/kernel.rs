//! The privacy kernel: from records to a signed release on disk.
//!
//! [`Kernel::release`] is the whole path: check the caps, read the records, apply consent, count
//! over the public domain, add noise, sign, and write the release and its charge as one row. Where the
//! records are in PostgreSQL, consent and bounded counts are statements there (`postgres`), which mean
//! the same to the last integer.
//!
//! **Invariant:** exact values live and die in here. What comes out of [`Kernel`] is a signed noisy
//! release that is already on disk, or an error that says nothing about anyone. There is no clock,
//! no network and no way to get a charge back.

#![cfg_attr(not(test), deny(clippy::as_conversions, clippy::arithmetic_side_effects))]

use crate::kernel::count::{CountError, CountKey};
use crate::kernel::journal::Journal;
use crate::kernel::ledger::Ledger;
use crate::kernel::records::Records;
use crate::kernel::release::Counts;
use crate::kernel::source::{Origin, SourceConfig, Wanted};
use fellestall_shared::ids::{MunicipalityNumber, NodeId, ReleaseId, RoundId, StudyId};
use fellestall_shared::period::Period;
use fellestall_shared::round::Round;
use fellestall_shared::secure::Task;
use fellestall_shared::signed::{Envelope, SigningKey, VerifyingKey};
use fellestall_shared::wire::v1::{LedgerHead, Receipt};
use std::path::PathBuf;

mod bound;
mod consent;
mod contacts;
pub mod count;
mod error;
pub mod insight;
mod journal;
mod ledger;
mod mechanism;
mod minimise;
#[cfg(test)]
mod people;
pub mod person;
pub mod postgres;
pub mod raw;
pub mod records;
mod release;
mod report;
mod residence;
pub mod source;
mod variable;

pub use consent::{SnapshotKey, Standing, Terms, Withdrawal};
pub use error::KernelError;
pub use journal::{JournalError, LedgerEntry};
pub use ledger::{Account, Balance, Budget, BudgetError, Cap};
pub use mechanism::MechanismError;
pub use minimise::is_column;
pub use release::{MakeError, Planned, Recorded, Release, Sent};

/// What a kernel works with.
#[derive(Debug, Clone)]
pub struct KernelConfig {
    /// The journal's file; its folder must exist.
    pub journal: PathBuf,
    /// This node.
    pub node: NodeId,
    /// This municipality.
    pub municipality: MunicipalityNumber,
    /// The caps that the municipality set.
    pub budget: Budget,
}

/// What only this node knows.
pub struct Secrets {
    count_key: CountKey,
    release_key: SigningKey,
}

impl Secrets {
    /// The node's secrets: 32 random bytes made once, which choose cells, and the key that signs
    /// releases. Both belong to the journal for as long as it lives.
    #[must_use]
    pub fn new(count_key: [u8; 32], release_key: SigningKey) -> Self {
        Self { count_key: CountKey::from_bytes(count_key), release_key }
    }
}

/// A round of a study version that the municipality's operator approved, and that its register of
/// processing permits, with the terms of the purpose, and with its task if its study has shared tables.
#[derive(Debug, Clone)]
pub struct ApprovedRound {
    round: Round,
    terms: Terms,
    task: Option<Task>,
}

impl ApprovedRound {
    /// Made where the operator's decision and the register are checked, and nowhere else.
    #[must_use]
    pub(crate) fn new(round: Round, terms: Terms) -> Self {
        Self { round, terms, task: None }
    }

    /// The same round with its task, which was checked where the round was approved.
    #[must_use]
    pub(crate) fn with_task(self, task: Task) -> Self {
        Self { task: Some(task), ..self }
    }

    /// The task, if there is one already.
    #[must_use]
    pub fn task(&self) -> Option<&Task> {
        self.task.as_ref()
    }

    /// Whether it still lacks the task that its study's shared tables need.
    #[must_use]
    pub fn lacks_task(&self) -> bool {
        self.task.is_none() && self.round.study().layout().is_some()
    }

    /// The round.
    #[must_use]
    pub fn round(&self) -> &Round {
        &self.round
    }
}

/// The kernel of one node: its journal and its keys.
pub struct Kernel {
    config: KernelConfig,
    secrets: Secrets,
    journal: Journal,
}

impl Kernel {
    /// Opens a node's kernel: opens the journal, or makes it, and verifies all of it.
    ///
    /// # Errors
    /// [`KernelError::Journal`]: a damaged, older or newer ledger is not used.
    pub fn open(config: KernelConfig, secrets: Secrets) -> Result<Self, KernelError> {
        let key = secrets.release_key.verifying_key();
        let journal = Journal::open(&config.journal, key, config.municipality.clone())?;
        Ok(Self { config, secrets, journal })
    }

    /// Answers an approved round once and for all. A question that was answered before gets the
    /// same bytes, without a charge and without a look at the records.
    ///
    /// `snapshot` is the key of the purpose's consent snapshots. It blocks while it reads and counts:
    /// call it where blocking is allowed.
    ///
    /// # Errors
    /// [`KernelError`]; nothing is charged then, except after [`JournalError::Unknown`], where opening
    /// the journal again tells, and after a failure to read back what was written, where asking again
    /// gives it.
    ///
    /// # Privacy
    /// P2: the result satisfies zCDP with the study's charge, per participant of this municipality
    /// added or removed, and all results ever given satisfy it with the lifetime budget. Whether the
    /// budget allows it is decided before any record is read, and so is whether the study has told of
    /// the period's last day already: there are never two figures of one day to subtract, of which
    /// one has a participant who has withdrawn since. What nodes share is noised before it is split,
    /// with a share that has a guarantee of its own, and only for a task that enough nodes are in.
    pub fn release(
        &mut self,
        round: &ApprovedRound,
        source: &SourceConfig,
        snapshot: &SnapshotKey,
    ) -> Result<Release<Recorded>, KernelError> {
        let ApprovedRound { round, terms, task } = round;
        let id = round.question(&self.config.municipality);
        self.answer((round, task.as_ref()), |key| {
            if let Origin::Postgres(database) = &source.origin {
                return postgres::counts(database, round, terms, id, (key, snapshot));
            }
            let tables = round.study().tables().iter().map(|table| table.statistic);
            let wanted = Wanted { months: count::months_read(tables, round.period()), only: None };
            let (records, report) = source::read(source, &wanted)?;
            refuse_absent(&report, round)?;
            Ok(count(&records, round, terms, id, (key, snapshot))?)
        })
    }

    /// The release that was recorded under an id.
    ///
    /// # Errors
    /// [`KernelError::Journal`].
    pub fn recorded(&self, id: ReleaseId) -> Result<Option<Release<Recorded>>, KernelError> {
        Ok(self.journal.read(Some(id))?.1)
    }

    /// How the budget stands for a study and a period: over the lifetime, the period's calendar
    /// year and all versions of the study.
    ///
    /// # Errors
    /// [`KernelError::Journal`].
    pub fn balance(&self, study: &StudyId, period: Period) -> Result<Balance, KernelError> {
        let (entries, _) = self.journal.read(None)?;
        Ok(Ledger::new(self.config.budget, &entries).balance(study, period))
    }

    /// The round in which a study has told of the last day of a period already. Any round about that
    /// day but this one is refused.
    ///
    /// # Errors
    /// [`KernelError::Journal`].
    pub fn answered(
        &self,
        study: &StudyId,
        period: Period,
    ) -> Result<Option<RoundId>, KernelError> {
        let (entries, _) = self.journal.read(None)?;
        let ledger = Ledger::new(self.config.budget, &entries);
        Ok(ledger.answered(study, period).map(|entry| entry.round.clone()))
    }

    /// Every charge, in order.
    ///
    /// # Errors
    /// [`KernelError::Journal`].
    pub fn history(&self) -> Result<Vec<LedgerEntry>, KernelError> {
        Ok(self.journal.read(None)?.0)
    }

    /// Puts back those of `known` that this copy of the ledger does not hold, as after a backup was
    /// restored; how many they were. `known` are releases of this node as others have them, in order,
    /// and `until` is where its ledger was seen to stand: it must hold both in the end. They are read
    /// from their own signed bytes, and from nothing else.
    ///
    /// # Errors
    /// [`KernelError::Journal`]; after [`JournalError::Gap`] the ledger is as it was.
    ///
    /// # Privacy
    /// P2: it adds charges and takes none away, reads no record and draws no noise. What it adds was
    /// signed by this node's own release key, and takes the place in the chain that it had.
    pub fn recover(
        &mut self,
        known: Vec<Envelope>,
        until: LedgerHead,
    ) -> Result<usize, KernelError> {
        Ok(self.journal.recover(known, until)?)
    }

    /// Notes that the coordinator has a release. A second receipt changes nothing.
    ///
    /// # Errors
    /// [`KernelError::Receipt`] unless the receipt names this release and the digest of its payload;
    /// [`KernelError::Journal`].
    pub fn mark_sent(
        &mut self,
        release: Release<Recorded>,
        receipt: &Receipt,
    ) -> Result<Release<Sent>, KernelError> {
        if receipt.release != release.id() || receipt.digest != release.payload_digest() {
            return Err(KernelError::Receipt);
        }
        self.journal.note_receipt(release.sequence(), release.payload_digest())?;
        Ok(release.into_sent())
    }

    /// Answers a question once and for all: from the journal if it was answered before, and else
    /// with what `count` counts, which is called only after the caps were checked.
    fn answer(
        &mut self,
        (round, task): (&Round, Option<&Task>),
        count: impl FnOnce(&CountKey) -> Result<Counts, KernelError>,
    ) -> Result<Release<Recorded>, KernelError> {
        let config = &self.config;
        let id = round.question(&config.municipality);
        let mut turn = self.journal.begin(Some(id))?;
        if let Some(recorded) = turn.take_recorded() {
            return Ok(recorded);
        }
        let study = round.study();
        let (name, period) = (&study.document().study, round.period());
        let ledger = Ledger::new(config.budget, turn.entries());
        if let Some(earlier) = ledger.answered(name, period) {
            let (earlier, asked) = (earlier.round.clone(), round.id().clone());
            return Err(KernelError::AnsweredBefore { earlier, asked });
        }
        let task = own_task(round, task, config, &self.secrets.release_key.verifying_key())?;
        let grant = ledger.debit(name, period, study.charge())?;
        let (sequence, previous) = turn.place();
        let counts = count(&self.secrets.count_key)?;
        let planned = Release::plan(id, grant, sequence, previous);
        let owner = (&config.node, &config.municipality);
        let signed = planned.make(counts, (round, task), owner, &self.secrets.release_key)?;
        turn.record(&signed)?;
        // What is sent is what the journal gives back, verified, with its head noted.
        let mut turn = self.journal.begin(Some(id))?;
        turn.take_recorded().ok_or(KernelError::Lost)
    }
}

/// The task of a round whose study has shared tables: checked once more where the budget is spent.
fn own_task<'t>(
    round: &Round,
    task: Option<&'t Task>,
    config: &KernelConfig,
    key: &VerifyingKey,
) -> Result<Option<&'t Task>, KernelError> {
    if round.study().layout().is_none() {
        return Ok(None);
    }
    let task = task.ok_or(KernelError::NoTask)?;
    Task::check(task.document(), task.digest(), round).map_err(KernelError::Task)?;
    let listed = task.participant(&config.municipality);
    let own = listed.filter(|one| one.node == config.node && one.release_key == *key);
    own.map(|_| Some(task)).ok_or(KernelError::NotListed)
}

/// Refuses a round that reads a table which this municipality does not record.
fn refuse_absent(report: &source::QualityReport, round: &Round) -> Result<(), KernelError> {
    let tables = round.study().tables();
    let reads = |table: source::Table| {
        let column = format!("{table}.");
        tables.iter().any(|t| t.statistic.fields().iter().any(|f| f.starts_with(&column)))
    };
    match report.tables.iter().find(|table| !table.present && reads(table.table)) {
        None => Ok(()),
        Some(absent) => {
            Err(KernelError::NotRecorded { table: absent.table, file: absent.file.clone() })
        }
    }
}

/// Counts the tables of a round over those whose consent is in force for its purpose, and who are
/// counted in this municipality.
///
/// # Privacy
/// P2: the bound that each table's noise is made for is the one that was enforced on each
/// participant here. Exact counts go on to the mechanism and nowhere else.
fn count(
    records: &Records,
    round: &Round,
    terms: &Terms,
    question: ReleaseId,
    (key, snapshot): (&CountKey, &SnapshotKey),
) -> Result<Counts, CountError> {
    let document = round.study().document();
    let (purpose, basis) = (&document.purpose, document.legal_basis);
    let census = round.period().last_day();
    let cohort = consent::cohort(records, purpose, basis, terms, round.period())
        .of_those(|row| residence::is_counted_here(row, document.residence, census));
    let tables = round.study().tables();
    let asked: Vec<_> =
        tables.iter().map(|table| (table.statistic, table.statistic.bound())).collect();
    let tables = count::count(&asked, round.period(), &cohort, key)?;
    Ok(Counts { tables, consent_snapshot: cohort.snapshot(question, snapshot) })
}

#[cfg(test)]
mod equal_tests;
#[cfg(test)]
mod published_tables_tests;
#[cfg(test)]
mod tests;
