//! `plan`.
//!
//! **Invariant:** nothing is counted, charged or sent; a statement is shown as it is sent, without the
//! key.

use super::studies::{known, open_period};
use super::{CliError, Exit, Session};
use crate::decisions;
use crate::engine;
use crate::forecast::half_year;
use crate::kernel::postgres::{TablePlan, plan};
use crate::kernel::source::{Origin, SourceError, Table};
use crate::kernel::{Terms, Withdrawal};
use crate::register::{Register, RegisteredPurpose};
use clap::Args;
use fellestall_shared::period::Period;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// The study: core, core.2 (a version), or the digest.
    study: String,
    /// The period; without it the open round's, or else the half-year that it is now.
    #[arg(long, value_name = "PERIOD")]
    period: Option<Period>,
}

pub(super) fn show(session: &mut Session<'_>, arguments: &PlanArgs) -> Result<Exit, CliError> {
    let config = session.config()?;
    let (membership, studies) = known(session)?;
    let known = decisions::find(&studies, &arguments.study)?;
    let period = match arguments.period {
        Some(period) => period,
        None => match open_period(session, &membership, known)? {
            Some(period) => period,
            None => half_year(session.clock.now()).ok_or(CliError::Clock)?,
        },
    };
    let (study, name) = (&known.study, known.name());
    let registered = Register::read(&session.directory)?;
    let terms = registered.purpose(&study.document().purpose).map(RegisteredPurpose::terms_today);
    let is_registered = terms.is_some();
    let terms = terms.unwrap_or_else(|| Terms {
        accepted_forms: BTreeSet::new(),
        withdrawal: Withdrawal::NextPeriod,
    });
    let database = match engine::source(&config)?.origin {
        Origin::Folder(place) | Origin::Sqlite(place) => {
            let reads: Vec<&str> = Table::ALL
                .into_iter()
                .filter(|table| {
                    let column = format!("{table}.");
                    study.document().fields.iter().any(|field| field.starts_with(&column))
                })
                .map(Table::name)
                .collect();
            let facts = json!({
                "study": name, "period": period, "records": place, "tables": reads,
            });
            session.out.facts(&facts, || {
                format!(
                    "{name} over {period}: the records are in {}. A release reads each file or table once, from front to back, and counts all tables of the study in that one pass.\nThe study looks at: {}.",
                    place.display(),
                    reads.join(", ")
                )
            })?;
            return Ok(Exit::Done);
        }
        Origin::Postgres(database) => database,
    };
    let plans = plan(&database, study, period, &terms).map_err(SourceError::from)?;
    let facts = json!({
        "study": name, "period": period, "records": database.to_string(),
        "registered": is_registered, "tables": plans,
    });
    session.out.facts(&facts, || {
        let mut text = format!(
            "{name} over {period}: the records are in {database}. All statements of a release are one read-only transaction. Nothing was counted now.\n\
             $1 is the node's key for choosing cells, $2 the purpose, $3 the accepted forms of consent."
        );
        if !is_registered {
            text.push_str(
                "\nThe purpose is not in the register of processing: no forms are accepted here, and a withdrawal counts from the next period.",
            );
        }
        for plan in &plans {
            table(&mut text, plan);
        }
        text
    })?;
    Ok(Exit::Done)
}

fn table(text: &mut String, table: &TablePlan) {
    let TablePlan { statistic, statement, plan } = table;
    // Writing to a String does not fail.
    let _written = write!(text, "\n\n-- {statistic}\n{statement};\n\n-- PostgreSQL would do:");
    for line in plan {
        let _written = write!(text, "\n--   {line}");
    }
}
