//! How a study would be counted in the database: its statements, and what PostgreSQL would do.
//!
//! **Invariant:** nothing is counted, and the node's keys are not here: zeros stand for them.

use super::count;
use super::error::{PostgresError, What};
use super::layout::Layout;
use super::scope::{Scope, Who};
use super::session::Session;
use super::{PostgresConfig, ask};
use crate::kernel::consent::Terms;
use fellestall_shared::period::Period;
use fellestall_shared::study::Study;
use serde::Serialize;
use sqlx::Row;

/// How one table of a study would be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TablePlan {
    /// The statistic.
    pub statistic: String,
    /// The statement, as it is sent; `$1` is the node's key, `$2` the purpose, `$3` the accepted forms.
    pub statement: String,
    /// What PostgreSQL would do, line by line (EXPLAIN).
    pub plan: Vec<String>,
}

/// The statement of each table of a study over a period, and PostgreSQL's plan for it.
///
/// # Errors
/// [`PostgresError`] if the database cannot be asked.
pub fn plan(
    config: &PostgresConfig,
    study: &Study,
    period: Period,
    terms: &Terms,
) -> Result<Vec<TablePlan>, PostgresError> {
    let document = study.document();
    let who = Who {
        purpose: &document.purpose,
        basis: document.legal_basis,
        terms,
        residence: document.residence,
        census: period.last_day(),
        period: Some(period),
    };
    let mut session = Session::open(config)?;
    let layout = Layout::read(&mut session)?;
    let mut plans = Vec::new();
    for table in study.tables() {
        let statistic = table.statistic;
        let (declared, window) = (statistic.fields(), statistic.window());
        let scope = Scope { who: &who, layout: &layout, declared, window };
        let statement = count::statement(statistic, &scope);
        let what = What::Plan(statistic.id().to_string());
        let asked = format!("explain (verbose) {statement}");
        let rows = ask(&mut session, what.clone(), asked, &who, &[0; 32])?;
        let lines: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        // The white space that is trimmed from cells stands in conditions as it is.
        let shown = |line: String| line.replace(char::is_control, " ");
        let lines = lines.map_err(|_| PostgresError::Broke { what })?;
        let plan = lines.into_iter().map(shown).collect();
        plans.push(TablePlan { statistic: statistic.id().to_string(), statement, plan });
    }
    session.end();
    Ok(plans)
}
