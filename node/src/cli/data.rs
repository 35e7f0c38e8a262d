//! `check-data`.
//!
//! **Invariant:** the report goes to the operator's terminal only; it has file, line, column and
//! rule, never a value.

use super::{CliError, Exit, Session};
use crate::engine;
use crate::kernel::source;
use crate::waiting::told;

pub(super) fn check(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let config = session.config()?;
    let today = session.clock.now().date().ok_or(CliError::Clock)?;
    let source = engine::source(&config)?;
    let report = told(&source.progress, || source::check_on(&source, today))?;
    session.out.facts(&report, || report.to_string())?;
    Ok(if report.can_release() { Exit::Done } else { Exit::Failed })
}
