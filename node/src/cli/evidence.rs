//! `evidence`.
//!
//! **Invariant:** nothing that exists is overwritten, no record is read and nothing is charged.

use super::person::write_new;
use super::{CliError, Exit, Session};
use crate::audit::{AuditLog, Event};
use crate::evidence::{Facts, render};
use clap::Args;
use fellestall_shared::labels::Language;
use serde_json::json;
use std::path::PathBuf;

/// The languages, with the name of each page.
const PAGES: [(Language, &str); 3] = [
    (Language::Nb, "evidence.nb.html"),
    (Language::Nn, "evidence.nn.html"),
    (Language::En, "evidence.en.html"),
];

#[derive(Debug, Args)]
#[command(after_help = "\
Without --lang there is a page in each of the three languages; with it, one.")]
pub(super) struct EvidenceArgs {
    /// The folder to write to; made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

pub(super) fn write(session: &mut Session<'_>, arguments: &EvidenceArgs) -> Result<Exit, CliError> {
    let facts = Facts::gather(&session.directory, session.clock.now())?;
    let wanted = |language| session.chosen_language.is_none_or(|chosen| chosen == language);
    let pages: Vec<_> = PAGES.into_iter().filter(|(language, _)| wanted(*language)).collect();
    let mut written = Vec::new();
    for (language, name) in pages {
        written.push((arguments.out.join(name), render(&facts, language)?));
    }
    let numbers = serde_json::to_string_pretty(&facts).map_err(std::io::Error::other);
    written.push((arguments.out.join("evidence.json"), numbers.map_err(CliError::Output)?));
    if let Some((path, _)) = written.iter().find(|(path, _)| path.exists()) {
        return Err(CliError::FileExists { path: path.clone() });
    }
    let (now, by) = (session.clock.now(), session.actor());
    AuditLog::open(&session.directory)?.append(now, &by, Event::EvidenceMade)?;
    crate::files::create_directory(&arguments.out)?;
    for (path, text) in &written {
        write_new(path, text)?;
    }
    let paths: Vec<_> = written.iter().map(|(path, _)| path).collect();
    session.out.facts(&json!({ "written": paths }), || {
        let lines: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        format!("Written:\n{}", lines.join("\n"))
    })?;
    Ok(Exit::Done)
}
