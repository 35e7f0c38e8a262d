//! The evidence pack: what a controller needs for an assessment of its own, from the live
//! configuration, the register and the ledger.
//!
//! **Invariant:** no record is read and nothing is charged. Every figure is the ledger's, the register's
//! or follows from them by a formula that is named; where the municipality has to write something,
//! there is a blank. No legal conclusion is drawn and no reference is invented.

use crate::audit::{AuditError, AuditLog, Entry, Event};
use crate::config::{Config, ConfigError};
use crate::decisions::{self, DecisionError, KnownStudy};
use crate::engine::{self, EngineError};
use crate::forecast::{Mode, Promise, SharedForecast};
use crate::kernel::{Account, Balance, Kernel, KernelError, LedgerEntry};
use crate::keys::{KeyError, KeyStore};
use crate::register::{Register, RegisterError, RegisteredPurpose};
use crate::retention::{self, RetentionError};
use crate::state::{Membership, State, StateError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{ReleaseId, StudyId};
use fellestall_shared::municipality;
use fellestall_shared::privacy::{Delta, Rho};
use fellestall_shared::signed::{Envelope, SignatureError, Verified};
use fellestall_shared::study::{Study, Table};
use fellestall_shared::wire::v1::{Answer, ReleaseDocument};
use std::collections::BTreeMap;
use std::path::Path;
use time::Date;

mod facts;
mod figure;
mod page;
#[cfg(test)]
mod tests;

pub use facts::{
    AccountFacts, BudgetFacts, DimensionFacts, Facts, PurposeFacts, ReleaseFacts, StudyFacts,
    TableFacts,
};
pub use figure::{Cost, Noise};
pub use page::{RenderError, render};

/// The fields of what leaves, as the protocol has them: there is no other, and none for a person.
pub const RELEASE_FIELDS: [&str; 11] = [
    "release",
    "node",
    "municipality",
    "round",
    "study",
    "period",
    "tables",
    "charge_micro",
    "consent_snapshot",
    "ledger_sequence",
    "ledger_previous",
];

/// The field that a release has besides, if its study has shared tables.
pub const SHARED_FIELD: [&str; 1] = ["report"];

/// The fields of the report that goes before such a release: names, and shares that are random by
/// themselves.
pub const REPORT_FIELDS: [&str; 8] = [
    "release",
    "node",
    "municipality",
    "round",
    "task",
    "public_share",
    "leader_share",
    "helper_share",
];

/// Why there is no evidence pack.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The register cannot be used.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The studies cannot be read.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The attestations cannot be read.
    #[error(transparent)]
    Retention(#[from] RetentionError),
    /// A recorded release does not hold.
    #[error("a release in the ledger cannot be read")]
    Release(#[from] SignatureError),
    /// The audit log cannot be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The clock is outside the calendar.
    #[error("this machine's clock is outside the calendar; set it right")]
    Clock,
}

impl From<KernelError> for EvidenceError {
    fn from(error: KernelError) -> Self {
        Self::Engine(error.into())
    }
}

impl Facts {
    /// Gathers the facts of the node in `directory`.
    ///
    /// # Errors
    /// [`EvidenceError`]; no record is read.
    pub fn gather(directory: &Path, now: Timestamp) -> Result<Self, EvidenceError> {
        let today = now.date().ok_or(EvidenceError::Clock)?;
        let config = Config::read(directory)?;
        let register = Register::read(directory)?;
        let state = State::open(directory)?;
        let membership = state.membership()?;
        let delta = config.budget.delta;
        let mut facts = Self {
            made_on: today,
            program: env!("CARGO_PKG_VERSION"),
            municipality: config.municipality.clone(),
            municipality_name: municipality::find(&config.municipality).map(|found| found.name),
            node: membership.as_ref().map(|membership| membership.node.clone()),
            coordinator: membership.as_ref().map(|membership| membership.url.clone()),
            release_key: KeyStore::new(directory).release_public()?.fingerprint(),
            delta: delta.to_string(),
            purposes: Vec::new(),
            studies: Vec::new(),
            budget: BudgetFacts::unspent(&config),
            releases: Vec::new(),
            release_fields: RELEASE_FIELDS.to_vec(),
            report_fields: Vec::new(),
        };
        for registered in register.purposes() {
            let purged = retention::attestations(directory, &registered.purpose)?;
            let purged = purged.iter().map(Verified::digest).collect();
            facts.purposes.push(PurposeFacts::of(registered, today, purged));
        }
        if let Some(membership) = &membership {
            let kernel = engine::open(&config, membership)?;
            let history = kernel.history()?;
            facts.releases = releases(&config, &kernel, &history)?;
            facts.budget = BudgetFacts::of(&config, &kernel, &history)?;
            let (known, _) = decisions::studies(&state, membership, now)?;
            let studies =
                known.iter().filter_map(|known| study(known, membership, &history, delta));
            facts.studies = studies.collect();
            let shares = |study: &StudyFacts| study.promise.is_some();
            if facts.studies.iter().any(shares) {
                facts.release_fields.extend(SHARED_FIELD);
                facts.report_fields = REPORT_FIELDS.to_vec();
            }
        }
        Ok(facts)
    }
}

/// A study that is approved or was answered; `None` for any other.
fn study(
    known: &KnownStudy,
    membership: &Membership,
    history: &[LedgerEntry],
    delta: Delta,
) -> Option<StudyFacts> {
    let (study, document) = (&known.study, known.study.document());
    let question = |entry: &&LedgerEntry| {
        entry.release == ReleaseId::of(study.digest(), entry.period, &membership.municipality)
    };
    let rounds = history.iter().filter(question).count();
    let approved = known.answer == Some(Answer::Approved);
    if rounds == 0 && !approved {
        return None;
    }
    Some(StudyFacts {
        study: known.name(),
        digest: study.digest(),
        title: document.title.clone(),
        purpose: document.purpose.clone(),
        approved,
        rounds,
        minimum_nodes: document.minimum_nodes,
        municipal_figures: document.municipal_figures,
        municipalities_per_person: document.municipalities_per_person,
        residence: document.residence,
        fields: document.fields.iter().cloned().collect(),
        tables: tables(study, delta),
        promise: Promise::of(study, delta),
        cells: study.tables().iter().map(|table| table.statistic.cells()).sum(),
        cost: Cost::of(study.charge(), delta),
        cost_several: Cost::of(
            figure::times(study.charge(), document.municipalities_per_person),
            delta,
        ),
    })
}

fn tables(study: &Study, delta: Delta) -> Vec<TableFacts> {
    let nodes = study.document().minimum_nodes;
    let of = |table: &Table| {
        let statistic = table.statistic;
        let dimensions = statistic.dimensions().iter().map(|domain| DimensionFacts {
            label: domain.label().clone(),
            categories: domain.categories().iter().map(|one| one.label().clone()).collect(),
        });
        TableFacts {
            statistic: statistic.id().clone(),
            definition: statistic.definition(),
            title: statistic.title().clone(),
            description: statistic.description().clone(),
            dimensions: dimensions.collect(),
            cells: statistic.cells(),
            bound: statistic.bound(),
            cost: Cost::of(table.charge, delta),
            mode: Mode::of(table),
            noise: table.local.map(|loss| Noise::of(loss, statistic.bound())),
            shared: SharedForecast::of(table, (nodes, nodes), delta),
        }
    };
    study.tables().iter().map(of).collect()
}

fn releases(
    config: &Config,
    kernel: &Kernel,
    history: &[LedgerEntry],
) -> Result<Vec<ReleaseFacts>, EvidenceError> {
    let key = KeyStore::new(&config.directory).release_public()?;
    let log = AuditLog::open(&config.directory)?.entries()?;
    let made_on = |id: ReleaseId| {
        let made = |entry: &&Entry| matches!(&entry.body.what, Event::Released { release, .. } if *release == id);
        log.iter().find(made)?.body.at.date()
    };
    let delta = config.budget.delta;
    let mut spent = Rho::ZERO;
    let mut all = Vec::with_capacity(history.len());
    for entry in history {
        spent = spent.plus(entry.charge).unwrap_or(Rho::from_micro(u64::MAX));
        let release = kernel.recorded(entry.release)?.ok_or(KernelError::Lost)?;
        let document = Envelope::from_json(release.bytes())?.verify::<ReleaseDocument>(&key)?;
        all.push(ReleaseFacts {
            sequence: entry.sequence,
            made_on: made_on(entry.release),
            release: entry.release,
            round: entry.round.clone(),
            period: entry.period,
            tables: document.tables.len(),
            cells: document.tables.iter().map(|table| table.values.len()).sum(),
            report: document.report,
            cost: Cost::of(entry.charge, delta),
            spent_after: Cost::of(spent, delta),
            payload: release.payload_digest(),
            consent_snapshot: document.consent_snapshot,
            ledger_head: entry.head,
            sent: entry.sent,
        });
    }
    Ok(all)
}

impl PurposeFacts {
    fn of(registered: &RegisteredPurpose, today: Date, purged: Vec<Digest>) -> Self {
        Self {
            purpose: registered.purpose.clone(),
            title: registered.title.clone(),
            controller: registered.controller.clone(),
            legal_basis: registered.legal_basis,
            assessment: registered.assessment.clone(),
            fields: registered.fields.iter().cloned().collect(),
            information_letter: registered.information_letter.clone(),
            accepted_forms: registered.accepted_forms.iter().cloned().collect(),
            withdrawal: registered.withdrawal,
            starts: registered.starts,
            ends: registered.ends,
            ended: today > registered.ends,
            at_end: registered.at_end,
            purged,
        }
    }
}

impl BudgetFacts {
    fn unspent(config: &Config) -> Self {
        let cap = config.budget.lifetime;
        let account = Account { spent: Rho::ZERO, left: cap };
        let lifetime = AccountFacts::of(String::new(), cap, account, config.budget.delta);
        Self { lifetime, years: Vec::new(), studies: Vec::new() }
    }

    fn of(
        config: &Config,
        kernel: &Kernel,
        history: &[LedgerEntry],
    ) -> Result<Self, EvidenceError> {
        let mut facts = Self::unspent(config);
        let (budget, delta) = (&config.budget, config.budget.delta);
        let mut years: BTreeMap<u16, Balance> = BTreeMap::new();
        let mut studies: BTreeMap<StudyId, Balance> = BTreeMap::new();
        for entry in history {
            let balance = kernel.balance(&entry.study, entry.period)?;
            years.insert(entry.period.year(), balance);
            studies.insert(entry.study.clone(), balance);
            facts.lifetime =
                AccountFacts::of(String::new(), budget.lifetime, balance.lifetime, delta);
        }
        let years = years.into_iter().map(|(year, balance)| {
            AccountFacts::of(year.to_string(), budget.year, balance.year, delta)
        });
        facts.years = years.collect();
        let studies = studies.into_iter().map(|(study, balance)| {
            AccountFacts::of(study.to_string(), budget.study, balance.study, delta)
        });
        facts.studies = studies.collect();
        Ok(facts)
    }
}

impl AccountFacts {
    fn of(of: String, cap: Rho, account: Account, delta: Delta) -> Self {
        let (cap, spent) = (Cost::of(cap, delta), Cost::of(account.spent, delta));
        Self { of, cap, spent, left: account.left.to_string() }
    }
}
