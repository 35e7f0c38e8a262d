//! What one participant has a right to know: which consents are recorded, and which releases the
//! records could have been part of. Computed here when it is asked for, and not kept.
//!
//! **Invariant:** that somebody looked is written in the audit log; whom it was about is written
//! nowhere but in the report itself, which has no identifier in it.

use crate::audit::{Actor, AuditError, AuditLog, Event};
use crate::config::{Config, ConfigError};
use crate::decisions::{self, DecisionError, KnownStudy};
use crate::engine::{self, EngineError};
use crate::evidence::Cost;
use crate::kernel::insight::{
    self, Answered, InsightError, PersonConsent, PersonPurpose, PersonRelease,
};
use crate::kernel::person::{PersonId, When};
use crate::kernel::{KernelError, LedgerEntry, Standing, Terms};
use crate::register::{Register, RegisterError};
use crate::state::{Membership, State, StateError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::{MunicipalityNumber, Purpose, ReleaseId, RoundId, StatisticId};
use fellestall_shared::labels::Labels;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::{Bound, Delta};
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::LegalBasis;
use serde::{Serialize, Serializer};
use std::path::Path;
use time::Date;

mod page;
mod text;

pub use page::html;
pub use text::text;

/// One participant's report. It has a serialised form because it is that person's to take along; it
/// has no debug form, so that it does not end in a log.
#[derive(Serialize)]
pub struct Report {
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// The day it is made: records and consents are as they are on it.
    pub made_on: String,
    /// The purposes of the register.
    pub purposes: Vec<PurposeReport>,
    /// Everything that left the municipality, oldest first.
    pub releases: Vec<ReleaseReport>,
}

/// One purpose.
#[derive(Serialize)]
pub struct PurposeReport {
    /// The purpose.
    pub purpose: Purpose,
    /// What it is called.
    pub title: Labels,
    /// On what ground records are processed.
    pub legal_basis: LegalBasis,
    /// How the consents stand today.
    #[serde(serialize_with = "standing")]
    pub today: Standing,
    /// The rows of the consent table.
    pub history: Vec<ConsentReport>,
}

/// One row of the consent table, in its codes.
#[derive(Serialize)]
pub struct ConsentReport {
    /// How it stands.
    pub status: &'static str,
    /// How it was given.
    pub mode: &'static str,
    /// When, as 2026-12-31; `unknown` if it is not known.
    pub date: String,
    /// The version of the form.
    pub form_version: String,
    /// The last day on which it holds, if it has one.
    pub valid_until: Option<String>,
    /// The day it was withdrawn, if it was.
    pub withdrawn_on: Option<String>,
}

/// One release.
#[derive(Serialize)]
pub struct ReleaseReport {
    /// The round.
    pub round: RoundId,
    /// The period.
    pub period: Period,
    /// The study's title; `None` if the study is not at hand any more.
    pub title: Option<Labels>,
    /// How the consents stand for it; `None` if the register has no terms for it any more.
    #[serde(serialize_with = "maybe_standing")]
    pub standing: Option<Standing>,
    /// What the release cost.
    pub cost: Cost,
    /// The delta of its epsilon.
    pub delta: String,
    /// Its tables.
    pub tables: Vec<TableReport>,
}

/// One table of a release.
#[derive(Serialize)]
pub struct TableReport {
    /// The statistic.
    pub statistic: StatisticId,
    /// Its title.
    pub title: Labels,
    /// Whether the participant's records, as they are now, could have been part of it.
    pub could_be_part: bool,
    /// How much they could have changed it at the most.
    pub bound: Bound,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum RightsError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The register cannot be used.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The studies cannot be read.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// The ledger or the mapping cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// That somebody looks cannot be written down; so nothing is shown.
    #[error("that somebody looks could not be written in the audit log, so nothing was looked up")]
    Audit(#[from] AuditError),
    /// The records cannot be read, or nobody has the identifier.
    #[error(transparent)]
    Insight(#[from] InsightError),
    /// The clock is outside the calendar.
    #[error("this machine's clock is outside the calendar; set it right")]
    Clock,
}

impl From<KernelError> for RightsError {
    fn from(error: KernelError) -> Self {
        Self::Engine(error.into())
    }
}

/// The report about one participant, after that somebody looks was written in the audit log.
///
/// # Errors
/// [`RightsError`]; it does not say who was asked about.
pub fn report(
    directory: &Path,
    id: &PersonId,
    now: Timestamp,
    by: &Actor,
) -> Result<Report, RightsError> {
    let today = now.date().ok_or(RightsError::Clock)?;
    let config = Config::read(directory)?;
    let register = Register::read(directory)?;
    let source = engine::source(&config)?;
    let state = State::open(directory)?;
    let (history, known) = match state.membership()? {
        None => (Vec::new(), Vec::new()),
        Some(membership) => answered(&config, &state, &membership, now)?,
    };
    AuditLog::open(directory)?.append(now, by, Event::PersonLookedUp)?;
    let asked: Vec<(Purpose, LegalBasis, Terms)> = register
        .purposes()
        .iter()
        .map(|one| (one.purpose.clone(), one.legal_basis, one.terms_today()))
        .collect();
    let behind: Vec<Option<&KnownStudy>> = history
        .iter()
        .map(|entry| known.iter().find(|known| is_behind(known, entry, &config.municipality)))
        .collect();
    let releases: Vec<Answered<'_>> = history
        .iter()
        .zip(&behind)
        .filter_map(|(entry, known)| {
            let (study, period) = (&(*known)?.study, entry.period);
            let terms = register.purpose(&study.document().purpose);
            let terms = terms.and_then(|registered| registered.terms(period).ok());
            Some(Answered { release: entry.release, study, period, terms })
        })
        .collect();
    let found = insight::person(&source, id, &asked, &releases, today)?;
    let delta = config.budget.delta;
    let release = |(entry, known): (&LedgerEntry, Option<&KnownStudy>)| {
        let part = found.releases.iter().find(|part| part.release == entry.release);
        of_release(entry, known.map(|known| &known.study), part, delta)
    };
    Ok(Report {
        municipality: config.municipality.clone(),
        made_on: today.to_string(),
        purposes: register
            .purposes()
            .iter()
            .zip(&found.purposes)
            .map(|(registered, part)| PurposeReport {
                purpose: registered.purpose.clone(),
                title: registered.title.clone(),
                legal_basis: registered.legal_basis,
                today: part.today,
                history: rows(part),
            })
            .collect(),
        releases: history.iter().zip(behind).map(release).collect(),
    })
}

/// The ledger and the studies, which are verified with the coordinator's key.
fn answered(
    config: &Config,
    state: &State,
    membership: &Membership,
    now: Timestamp,
) -> Result<(Vec<LedgerEntry>, Vec<KnownStudy>), RightsError> {
    let history = engine::open(config, membership)?.history()?;
    let (known, _) = decisions::studies(state, membership, now)?;
    Ok((history, known))
}

/// Whether a release answers this very study version.
fn is_behind(known: &KnownStudy, entry: &LedgerEntry, municipality: &MunicipalityNumber) -> bool {
    entry.release == ReleaseId::of(known.study.digest(), entry.period, municipality)
}

fn of_release(
    entry: &LedgerEntry,
    study: Option<&Study>,
    part: Option<&PersonRelease>,
    delta: Delta,
) -> ReleaseReport {
    let standing = part.and_then(|part| part.standing);
    let tables = part.zip(study).map_or_else(Vec::new, |(part, study)| {
        let titles = study.tables().iter().map(|table| table.statistic.title());
        part.tables
            .iter()
            .zip(titles)
            .map(|(table, title)| TableReport {
                statistic: table.statistic.clone(),
                title: title.clone(),
                could_be_part: standing == Some(Standing::Counted) && table.takes_part,
                bound: table.bound,
            })
            .collect()
    });
    ReleaseReport {
        round: entry.round.clone(),
        period: entry.period,
        title: study.map(|study| study.document().title.clone()),
        standing,
        cost: Cost::of(entry.charge, delta),
        delta: delta.to_string(),
        tables,
    }
}

fn rows(part: &PersonPurpose) -> Vec<ConsentReport> {
    let when = |when: When| match when {
        When::On(day) => day.to_string(),
        When::Unknown => "unknown".to_owned(),
    };
    let day = |day: Option<Date>| day.map_or_else(|| "unknown".to_owned(), |day| day.to_string());
    let mut history: Vec<&PersonConsent> = part.history.iter().collect();
    history.sort_by_key(|row| row.date);
    history
        .into_iter()
        .map(|row| ConsentReport {
            status: row.status.code(),
            mode: row.mode.code(),
            date: day(row.date),
            form_version: row.form_version.clone(),
            valid_until: row.valid_until.map(when),
            withdrawn_on: row.withdrawn_on.map(when),
        })
        .collect()
}

/// The code of a standing.
fn standing_code(standing: Standing) -> &'static str {
    match standing {
        Standing::Counted => "counted",
        Standing::NotGiven => "not_given",
        Standing::Objected => "objected",
        Standing::Expired => "expired",
        Standing::OtherForm => "other_form",
        Standing::Unknown => "unknown",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn standing<S: Serializer>(standing: &Standing, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(standing_code(*standing))
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes references"
)]
fn maybe_standing<S: Serializer>(standing: &Option<Standing>, to: S) -> Result<S::Ok, S::Error> {
    standing.map(standing_code).serialize(to)
}
