//! `log list`, `log verify` and `log export`.
//!
//! **Invariant:** nothing is shown of a log that does not hold.

use super::output::table;
use super::{CliError, Exit, Session};
use crate::audit::{self, AuditLog, Event, Report};
use crate::config::Config;
use crate::engine;
use crate::files;
use crate::state::State;
use clap::{Args, Subcommand};
use fellestall_shared::digest::Digest;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// List every entry.
    List,
    /// Check every entry, the chain, the head beside it, and the releases against the ledger.
    Verify(VerifyArgs),
    /// Write the log to a file, as JSON lines that anyone can check.
    Export(ExportArgs),
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Check an exported file instead of this node's own log.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The file to write; only its owner may read it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn dispatch(session: &mut Session<'_>, command: &LogCommand) -> Result<Exit, CliError> {
    match command {
        LogCommand::List => list(session),
        LogCommand::Verify(arguments) => verify(session, arguments),
        LogCommand::Export(arguments) => export(session, arguments),
    }
}

fn list(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let entries = AuditLog::open(&session.directory)?.entries()?;
    let facts: Vec<_> =
        entries.iter().map(|entry| json!({ "entry": entry.body, "head": entry.head })).collect();
    session.out.facts(&facts, || {
        let mut rows = table(["no.", "when", "who", "what", ""]);
        for entry in &entries {
            let (what, about) = words(&entry.body.what);
            let (sequence, at) = (entry.body.sequence.to_string(), entry.body.at.to_string());
            rows.add_row([sequence, at, entry.body.by.name().to_owned(), what, about]);
        }
        rows.to_string()
    })?;
    Ok(Exit::Done)
}

/// An event in words: what, and about what.
fn words(event: &Event) -> (String, String) {
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::to_value(event) else {
        return (String::new(), String::new());
    };
    let text = |value: &serde_json::Value| match value {
        // A digest is told by its beginning.
        serde_json::Value::String(text) if text.len() == 64 => text.chars().take(12).collect(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let what = fields.remove("event").map_or_else(String::new, |name| text(&name));
    let about = fields.iter().map(|(name, value)| format!("{name} {}", text(value)));
    let about: Vec<_> = about.map(|part| part.replace('_', " ")).collect();
    (what.replace('_', " "), about.join(", "))
}

fn verify(session: &mut Session<'_>, arguments: &VerifyArgs) -> Result<Exit, CliError> {
    let (report, key) = match &arguments.file {
        Some(path) => {
            let failed = |source| CliError::Input { what: "the exported log", source };
            let text = std::fs::read_to_string(path).map_err(failed)?;
            let read = audit::import(path, &text)?;
            let report = audit::checked(path, &read.entries, &read.countersignatures)?;
            (report, read.coordinator.map(|key| key.fingerprint()))
        }
        None => verified(session)?,
    };
    let facts = json!({ "log": report, "coordinator_key": key });
    session.out.facts(&facts, || {
        let last = report.last.map_or_else(|| "-".to_owned(), |moment| moment.to_string());
        let signed = report.countersigned.as_ref().map_or_else(
            || "It was not countersigned yet.".to_owned(),
            |signed| {
                let up_to = signed
                    .entries
                    .map_or_else(String::new, |up_to| format!(" up to entry {up_to}"));
                let key = key.map_or_else(String::new, |key| {
                    format!(" by the key {key}: compare it with the coordinator's")
                });
                format!("Countersigned{up_to} at {}{key}.", signed.at)
            },
        );
        format!(
            "The log holds: {} entries, {} releases, the last of {last}.\n{signed}\nHead {}",
            report.entries, report.releases, report.head
        )
    })?;
    Ok(Exit::Done)
}

/// This node's own log, checked against its ledger too once there is one; the coordinator's key.
fn verified(session: &Session<'_>) -> Result<(Report, Option<Digest>), CliError> {
    let report = audit::verify(&session.directory)?;
    let Some(membership) = State::open(&session.directory)?.membership()? else {
        return Ok((report, None));
    };
    let ledger = engine::open(&Config::read(&session.directory)?, &membership)?.history()?;
    let entries = AuditLog::open(&session.directory)?.entries()?;
    audit::compare(&session.directory, &entries, &ledger)?;
    Ok((report, Some(membership.coordinator_key.fingerprint())))
}

fn export(session: &mut Session<'_>, arguments: &ExportArgs) -> Result<Exit, CliError> {
    let log = AuditLog::open(&session.directory)?;
    let entries = log.entries()?;
    let membership = State::open(&session.directory)?.membership()?;
    let key = membership.map(|membership| membership.coordinator_key);
    let held = key.as_ref().map(|key| log.countersignatures(key)).transpose()?;
    let path = session.directory.join(audit::FILE);
    let text = audit::export(&path, &entries, key.as_ref().zip(held.as_deref()))?;
    if !files::create(&arguments.out, text.as_bytes())? {
        return Err(CliError::Taken { path: arguments.out.clone() });
    }
    let facts = json!({ "file": arguments.out, "entries": entries.len() });
    session.out.facts(&facts, || {
        let file = arguments.out.display();
        format!(
            "Wrote {} entries to {file}. Check it with: log verify --file {file}",
            entries.len()
        )
    })?;
    Ok(Exit::Done)
}
