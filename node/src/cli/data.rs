//! `check-data`.
//!
//! **Invariant:** the report goes to the operator's terminal only; it has file, line, column and
//! rule, never a value.

use super::{CliError, Exit, Session};
use crate::engine;
use crate::kernel::source;

pub(super) fn check(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let config = session.config()?;
    let today = session.clock.now().date().ok_or(CliError::Clock)?;
    let report = source::check_on(&engine::source(&config)?, today)?;
    session.out.facts(&report, || report.to_string())?;
    Ok(if report.can_release() { Exit::Done } else { Exit::Failed })
}
