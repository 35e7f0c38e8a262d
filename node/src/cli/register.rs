//! `register list`, `register check` and `register add`.
//!
//! **Invariant:** the register is the municipality's own file: it is only added to, by an entry that
//! was checked together with all that stands there, and never changed or removed here.

use super::output::table;
use super::studies;
use super::{CliError, Exit, Session};
use crate::audit::AuditLog;
use crate::decisions;
use crate::files;
use crate::kernel::Withdrawal;
use crate::register::{self, AtEnd, Choices, Register, RegisteredPurpose};
use crate::state::State;
use clap::{Args, Subcommand, ValueEnum};
use fellestall_shared::wire::v1::LegalBasis;
use serde_json::{Value, json};
use std::path::Path;
use time::Date;

#[derive(Debug, Subcommand)]
pub(super) enum RegisterCommand {
    /// List the purposes that the municipality processes records for.
    List,
    /// Check the register, and which of the studies seen it permits today.
    Check,
    /// Add an entry under which a study could run; read it afterwards, and correct it.
    Add(AddArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The study: core, core.2 (a version), or the digest.
    study: String,
    /// A version of the consent form that counts; several may be named.
    #[arg(long = "form", value_name = "VERSION")]
    forms: Vec<String>,
    /// The version of the information letter in use.
    #[arg(long, value_name = "VERSION")]
    information_letter: String,
    /// From when a withdrawal counts.
    #[arg(long, value_enum)]
    withdrawal: Effect,
    /// What happens with the project's data when the project ends.
    #[arg(long, value_enum)]
    at_end: End,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Effect {
    /// From the period in which it came.
    NextPeriod,
    /// For every period that is counted afterwards.
    AtOnce,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum End {
    /// They are deleted.
    Delete,
    /// They are made anonymous.
    Anonymise,
    /// They are archived by law.
    Archive,
}

impl From<Effect> for Withdrawal {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::NextPeriod => Self::NextPeriod,
            Effect::AtOnce => Self::AtOnce,
        }
    }
}

impl From<End> for AtEnd {
    fn from(end: End) -> Self {
        match end {
            End::Delete => Self::Delete,
            End::Anonymise => Self::Anonymise,
            End::Archive => Self::Archive,
        }
    }
}

pub(super) fn dispatch(
    session: &mut Session<'_>,
    command: &RegisterCommand,
) -> Result<Exit, CliError> {
    match command {
        RegisterCommand::List => list(session),
        RegisterCommand::Check => check(session),
        RegisterCommand::Add(arguments) => add(session, arguments),
    }
}

/// Writes the commented register without a purpose, unless there is a register.
pub(super) fn write_empty(directory: &Path) -> Result<(), CliError> {
    let _stands = files::create(&directory.join(register::FILE), register::EMPTY.as_bytes())?;
    Ok(())
}

fn today(session: &Session<'_>) -> Result<Date, CliError> {
    session.clock.now().date().ok_or(CliError::Clock)
}

fn basis_text(basis: LegalBasis) -> &'static str {
    match basis {
        LegalBasis::Consent => "consent",
        LegalBasis::PublicTask => "public task",
    }
}

fn facts(purpose: &RegisteredPurpose, today: Date) -> Value {
    json!({
        "purpose": purpose.purpose,
        "title": purpose.title,
        "controller": purpose.controller,
        "legal_basis": purpose.legal_basis,
        "assessment": purpose.assessment,
        "information_letter": purpose.information_letter,
        "accepted_forms": purpose.accepted_forms,
        "withdrawal": purpose.withdrawal,
        "starts": purpose.starts.to_string(),
        "ends": purpose.ends.to_string(),
        "in_force": purpose.in_force(today),
        "at_end": purpose.at_end,
        "fields": purpose.fields,
    })
}

fn list(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let register = Register::read(&session.directory)?;
    let today = today(session)?;
    let purposes = register.purposes();
    let listed: Vec<_> = purposes.iter().map(|purpose| facts(purpose, today)).collect();
    let language = session.language;
    session.out.facts(&listed, || {
        if purposes.is_empty() {
            return format!(
                "No purpose is registered in {}: nothing can be approved. Add one for a study: \
                 fellestall-node register add --help",
                register::FILE
            );
        }
        let head = ["purpose", "title", "legal basis", "starts", "ends", "today", "columns"];
        let mut rows = table(head);
        for purpose in purposes {
            let force = if purpose.in_force(today) { "in force" } else { "not in force" };
            rows.add_row([
                purpose.purpose.to_string(),
                purpose.title.text(language).to_owned(),
                basis_text(purpose.legal_basis).to_owned(),
                purpose.starts.to_string(),
                purpose.ends.to_string(),
                force.to_owned(),
                purpose.fields.len().to_string(),
            ]);
        }
        rows.to_string()
    })?;
    Ok(Exit::Done)
}

fn check(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let register = Register::read(&session.directory)?;
    let today = today(session)?;
    let state = State::open(&session.directory)?;
    let known = match state.membership()? {
        Some(membership) => decisions::studies(&state, &membership, session.clock.now())?.0,
        None => Vec::new(),
    };
    let judged: Vec<_> = known
        .iter()
        .filter(|known| known.in_force)
        .map(|known| {
            let why_not = register.permit(&known.study, today).err().map(|why| why.to_string());
            (known.name(), why_not)
        })
        .collect();
    let studies: Vec<_> = judged
        .iter()
        .map(|(study, why_not)| {
            json!({ "study": study, "permitted": why_not.is_none(), "why_not": why_not })
        })
        .collect();
    let count = register.purposes().len();
    session.out.facts(&json!({ "purposes": count, "studies": studies }), || {
        let mut lines = vec![format!("{} can be used. Purposes: {count}.", register::FILE)];
        lines.extend(judged.iter().map(|(study, why_not)| match why_not {
            None => format!("{study}: permitted"),
            Some(why) => format!("{study}: not permitted: {why}"),
        }));
        lines.join("\n")
    })?;
    Ok(Exit::Done)
}

fn add(session: &mut Session<'_>, arguments: &AddArgs) -> Result<Exit, CliError> {
    let (_, known) = studies::known(session)?;
    let known = decisions::find(&known, &arguments.study)?;
    let document = known.study.document();
    let choices = Choices {
        information_letter: arguments.information_letter.clone(),
        accepted_forms: arguments.forms.iter().cloned().collect(),
        withdrawal: arguments.withdrawal.into(),
        at_end: arguments.at_end.into(),
    };
    let entry = register::add(&session.directory, document, &choices)?;
    let by = session.actor();
    AuditLog::open(&session.directory)?.note_settings(session.clock.now(), &by)?;
    let path = session.directory.join(register::FILE);
    let facts = json!({
        "study": known.name(), "purpose": document.purpose, "register": path, "entry": entry,
    });
    session.out.facts(&facts, || {
        format!(
            "Added to {}:\n\n{entry}\nIt allows what the study asks, and no more. The municipality \
             answers for it: read it, correct it, then: fellestall-node register check",
            path.display()
        )
    })?;
    Ok(Exit::Done)
}
