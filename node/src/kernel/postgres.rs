//! Records in PostgreSQL: counted where they are.
//!
//! All statements of a release are one read-only transaction: they see the same records. First each
//! table is checked, then each statistic is counted, and at last the digest of who was counted is made.
//!
//! **Invariant:** what leaves the database is the count of each cell, each participant held to the
//! bound, and a keyed digest of the cohort; no row, no identifier. Only one participant's own report
//! reads that participant's rows.

use super::consent::{SnapshotKey, Standing, Terms};
use super::count::{CountError, CountKey};
use super::error::KernelError;
use super::person::{Person, PersonId};
use super::raw::Raw;
use super::release::Counts;
use super::source::{QualityReport, SourceError, Table};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{Purpose, ReleaseId};
use fellestall_shared::round::Round;
use fellestall_shared::statistic::Statistic;
use fellestall_shared::wire::v1::{LegalBasis, Residence};
use layout::Layout;
use scope::{Scope, Who};
use session::Session;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeSet;
use time::Date;

mod check;
mod cohort;
mod config;
mod count;
mod coverage;
mod error;
mod facts;
mod layout;
mod person;
mod plan;
mod scope;
mod session;
mod statement;
#[cfg(test)]
mod tests;
mod text;

pub use check::{Flaw, FlawRule, FlawedRows};
pub use config::{PostgresConfig, Tls};
pub use error::{ColumnFault, PostgresError, What};
pub use plan::{TablePlan, plan};

impl From<PostgresError> for KernelError {
    fn from(error: PostgresError) -> Self {
        Self::Source(SourceError::Postgres(error))
    }
}

/// Counts the tables of a round in the database.
///
/// # Errors
/// [`KernelError`], before anything is counted if a table that the round reads is not recorded, or
/// any row of any table cannot be used.
///
/// # Privacy
/// P2: as `kernel::count`: the bound that each table's noise is made for is the one that was enforced
/// on each participant.
pub(super) fn counts(
    config: &PostgresConfig,
    round: &Round,
    terms: &Terms,
    question: ReleaseId,
    (key, snapshot): (&CountKey, &SnapshotKey),
) -> Result<Counts, KernelError> {
    let document = round.study().document();
    let who = Who {
        purpose: &document.purpose,
        basis: document.legal_basis,
        terms,
        residence: document.residence,
        census: round.period().last_day(),
        period: Some(round.period()),
    };
    let mut session = Session::open(config)?;
    let layout = Layout::read(&mut session)?;
    refuse_absent(&layout, round, config)?;
    check::refuse_broken(&mut session, &layout)?;
    let mut tables = Vec::new();
    for table in round.study().tables() {
        let cells = cells(&mut session, &layout, table.statistic, &who, key)?;
        tables.push(Raw::new(cells, table.statistic.bound()));
    }
    let consent_snapshot = digest(&mut session, &layout, &who, question, snapshot)?;
    session.end();
    Ok(Counts { tables, consent_snapshot })
}

/// How the consents stand on the last day of a period, for each purpose on its terms.
///
/// # Errors
/// [`SourceError`], as for a release.
///
/// # Privacy
/// Exact: for the municipality's own screen.
pub(super) fn coverage(
    config: &PostgresConfig,
    purposes: &[(Purpose, LegalBasis, Terms)],
    day: Date,
) -> Result<Vec<Vec<(Standing, usize)>>, SourceError> {
    let (mut session, layout) = sound(config)?;
    let mut found = Vec::new();
    for (purpose, basis, terms) in purposes {
        let (basis, residence) = (*basis, Residence::Anywhere);
        let who = Who { purpose, basis, terms, residence, census: day, period: None };
        found.push(coverage::standings(&mut session, &layout, &who)?);
    }
    session.end();
    Ok(found)
}

/// Everything that is recorded of one participant; `None` of somebody who is none.
///
/// # Errors
/// [`SourceError`], as for a release.
///
/// # Privacy
/// For the participant's own report. Only that participant's rows are read.
pub(super) fn person(
    config: &PostgresConfig,
    id: &PersonId,
) -> Result<Option<Person>, SourceError> {
    let (mut session, layout) = sound(config)?;
    let person = person::read(&mut session, &layout, id)?;
    session.end();
    Ok(person)
}

/// What is wrong with the records, for the operator's own screen.
///
/// # Errors
/// [`SourceError`] if the database cannot be asked.
pub(super) fn check(config: &PostgresConfig) -> Result<QualityReport, SourceError> {
    let mut session = Session::open(config)?;
    let layout = Layout::read(&mut session)?;
    let report = check::report(&mut session, &layout)?;
    session.end();
    Ok(report)
}

/// A session over records that can be counted.
fn sound(config: &PostgresConfig) -> Result<(Session, Layout), PostgresError> {
    let mut session = Session::open(config)?;
    let layout = Layout::read(&mut session)?;
    check::refuse_broken(&mut session, &layout)?;
    Ok((session, layout))
}

/// Refuses a round that reads a table which this municipality does not record.
fn refuse_absent(
    layout: &Layout,
    round: &Round,
    config: &PostgresConfig,
) -> Result<(), KernelError> {
    let absent = Table::ALL.into_iter().filter(|table| !layout.has(*table)).find(|table| {
        let column = format!("{table}.");
        let tables = round.study().tables();
        tables.iter().any(|t| t.statistic.fields().iter().any(|f| f.starts_with(&column)))
    });
    match absent {
        None => Ok(()),
        Some(table) => {
            let file = format!("table or view {table} in the schema {}", config.schema);
            Err(KernelError::NotRecorded { table, file })
        }
    }
}

/// The cells of one statistic.
fn cells(
    session: &mut Session,
    layout: &Layout,
    statistic: &Statistic,
    who: &Who<'_>,
    key: &CountKey,
) -> Result<Vec<i64>, KernelError> {
    let (declared, window) = (statistic.fields(), statistic.window());
    let text = count::statement(statistic, &Scope { who, layout, declared, window });
    let what = What::Count(statistic.id().to_string());
    let overflow = || CountError::Overflow { statistic: statistic.id().clone() };
    let rows = match ask(session, what.clone(), text, who, key.as_bytes()) {
        // numeric_value_out_of_range: a sum that does not fit.
        Err(PostgresError::Statement { code, .. }) if code == "22003" => {
            return Err(overflow().into());
        }
        answer => answer?,
    };
    let mut cells = vec![0; statistic.cells()];
    for row in rows {
        let broke = |_| PostgresError::Broke { what: what.clone() };
        let cell: i64 = row.try_get("cell").map_err(broke)?;
        let amount: i64 = row.try_get("amount").map_err(broke)?;
        let own = usize::try_from(cell).ok().and_then(|cell| cells.get_mut(cell));
        *own.ok_or_else(|| category(statistic))? = amount;
    }
    Ok(cells)
}

/// A code outside a domain, which the tests keep from happening.
fn category(statistic: &Statistic) -> KernelError {
    let overflow = CountError::Overflow { statistic: statistic.id().clone() };
    let error = statistic.dimensions().first().map_or(overflow, |domain| CountError::Category {
        statistic: statistic.id().clone(),
        variable: domain.variable(),
    });
    error.into()
}

/// The digest of who may be counted.
fn digest(
    session: &mut Session,
    layout: &Layout,
    who: &Who<'_>,
    question: ReleaseId,
    key: &SnapshotKey,
) -> Result<Digest, PostgresError> {
    let declared = BTreeSet::new();
    let window = fellestall_shared::statistic::Window::CensusDate;
    let text = count::snapshot(&Scope { who, layout, declared: &declared, window });
    let begin = key.begin(question);
    let rows = ask(session, What::Snapshot, text, who, &begin)?;
    let digest = rows.first().and_then(|row| row.try_get::<Vec<u8>, _>("digest").ok());
    let digest = digest.and_then(|digest| Digest::from_bytes(&digest).ok());
    digest.ok_or(PostgresError::Broke { what: What::Snapshot })
}

/// Asks a statement with its parameters: a secret, the purpose and the accepted forms.
fn ask(
    session: &mut Session,
    what: What,
    text: String,
    who: &Who<'_>,
    secret: &[u8],
) -> Result<Vec<sqlx::postgres::PgRow>, PostgresError> {
    let forms: Vec<String> = who.terms.accepted_forms.iter().cloned().collect();
    let query = sqlx::query(AssertSqlSafe(text));
    session.all(what, query.bind(secret).bind(who.purpose.as_str()).bind(forms))
}
