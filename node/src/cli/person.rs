//! `person`.
//!
//! **Invariant:** the participant's identifier comes from standard input and not from an argument:
//! arguments stand in the list of processes and in the shell's history. It is written nowhere.

use super::{CliError, Exit, Session};
use crate::files;
use crate::kernel::person::PersonId;
use crate::rights;
use clap::Args;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of an identifier, at the most.
const IDENTIFIER_BYTES: u64 = 1024;

#[derive(Debug, Args)]
#[command(after_help = "\
The participant's identifier is read from standard input: typed when it is asked for, or piped. It is \
no argument, because arguments can be read in the list of processes and in the shell's history. It is \
not stored or logged; the audit log gets only that somebody looked, and who.")]
pub(super) struct PersonArgs {
    /// Write the report to a new file, for the person: a page if it ends in .html, else text.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn report(session: &mut Session<'_>, arguments: &PersonArgs) -> Result<Exit, CliError> {
    // Checked before anybody is looked up.
    if let Some(path) = arguments.out.as_ref().filter(|path| path.exists()) {
        return Err(CliError::FileExists { path: path.clone() });
    }
    let id = ask(session.environment.is_watched)?;
    let (now, by) = (session.clock.now(), session.actor());
    let report = rights::report(&session.directory, &id, now, &by)?;
    let language = session.language;
    let Some(path) = &arguments.out else {
        session.out.facts(&report, || rights::text(&report, language))?;
        return Ok(Exit::Done);
    };
    let text = if session.out.is_json() {
        serde_json::to_string_pretty(&report)
            .map_err(std::io::Error::other)
            .map_err(CliError::Output)?
    } else if path.extension().is_some_and(|end| end == "html") {
        rights::html(&report, language)?
    } else {
        rights::text(&report, language)
    };
    write_new(path, &text)?;
    let said =
        format!("Written to {}, for the person alone; only this user can read it.", path.display());
    session.out.facts(&serde_json::json!({ "written": path }), || said)?;
    Ok(Exit::Done)
}

/// Writes a file that only this user reads, and that was not there.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    if files::create(path, text.as_bytes())? {
        return Ok(());
    }
    Err(CliError::FileExists { path: path.to_owned() })
}

/// The identifier from standard input; asked for if a person sits there.
fn ask(is_watched: bool) -> Result<PersonId, CliError> {
    let failed = |source| CliError::Input { what: "the participant's identifier", source };
    let input = std::io::stdin();
    if is_watched && input.is_terminal() {
        let mut errors = std::io::stderr();
        errors
            .write_all(b"The participant's identifier, as in the export: ")
            .and_then(|()| errors.flush())
            .map_err(failed)?;
    }
    // Room for all of it at once: a text that grows leaves copies behind.
    let mut line = Zeroizing::new(String::with_capacity(1024));
    input.lock().take(IDENTIFIER_BYTES).read_line(&mut line).map_err(failed)?;
    PersonId::new(&line).ok_or_else(|| failed(std::io::Error::other("nothing was given")))
}
