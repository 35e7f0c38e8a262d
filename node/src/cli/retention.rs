//! `retention`, `purge` and `attestation verify`.
//!
//! **Invariant:** nothing is destroyed before a project's end, and never the ledger or the audit log.

use super::output::table;
use super::{CliError, Exit, Session};
use crate::keys::KeyStore;
use crate::register::Register;
use crate::retention::{self, Attestation, Kept};
use clap::{Args, Subcommand};
use fellestall_shared::ids::Purpose;
use fellestall_shared::labels::Language;
use fellestall_shared::signed::Verified;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct PurgeArgs {
    /// The purpose, as the register of processing names it.
    purpose: Purpose,
}

#[derive(Debug, Subcommand)]
pub(super) enum AttestationCommand {
    /// Check that this node signed an attestation, and show it.
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The attestation's file.
    file: PathBuf,
}

pub(super) fn list(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let register = Register::read(&session.directory)?;
    let today = session.clock.now().date().ok_or(CliError::Clock)?;
    let kept = retention::kept(&session.directory, &register, today)?;
    let language = session.language;
    session.out.facts(&kept, || kept_text(&kept, language))?;
    Ok(Exit::Done)
}

fn kept_text(kept: &[Kept], language: Language) -> String {
    let mut rows = table(["kept", "for", "why", "until", "may be purged"]);
    for one in kept {
        rows.add_row([
            one.item.text(language).to_owned(),
            one.purpose.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            one.why.text(language).to_owned(),
            one.until.text(language),
            if one.may_be_purged { "yes" } else { "no" }.to_owned(),
        ]);
    }
    rows.to_string()
}

pub(super) fn purge(session: &mut Session<'_>, arguments: &PurgeArgs) -> Result<Exit, CliError> {
    let register = Register::read(&session.directory)?;
    let (now, by) = (session.clock.now(), session.actor());
    let purged = retention::purge(&session.directory, &arguments.purpose, &register, now, &by)?;
    let facts = json!({
        "was_done": purged.was_done,
        "digest": purged.attestation.digest(),
        "attestation": &*purged.attestation,
    });
    let language = session.language;
    session.out.facts(&facts, || {
        let first =
            if purged.was_done { "This was done before; nothing changed." } else { "Done." };
        format!("{first}\n{}", attestation_text(&purged.attestation, language))
    })?;
    Ok(Exit::Done)
}

pub(super) fn attestation(
    session: &mut Session<'_>,
    command: &AttestationCommand,
) -> Result<Exit, CliError> {
    let AttestationCommand::Verify(arguments) = command;
    let key = KeyStore::new(&session.directory).release_public()?;
    let verified = retention::verify(&arguments.file, &key)?;
    let facts: Value = json!({ "digest": verified.digest(), "attestation": &*verified });
    let language = session.language;
    session.out.facts(&facts, || {
        format!("The signature holds.\n{}", attestation_text(&verified, language))
    })?;
    Ok(Exit::Done)
}

fn attestation_text(verified: &Verified<Attestation>, language: Language) -> String {
    let document: &Attestation = verified;
    let mut lines = vec![
        format!(
            "The node {} of municipality {} attests on {}: the project for the purpose {} ended on {}.",
            document.node,
            document.municipality,
            document.purged_at,
            document.purpose,
            document.ended
        ),
        "Destroyed, and not held any more:".to_owned(),
    ];
    lines.extend(document.removed.iter().map(|item| format!("  {}", item.text(language))));
    lines.push("Kept, and why:".to_owned());
    lines.extend(
        document
            .kept
            .iter()
            .map(|kept| format!("  {}: {}", kept.item.text(language), kept.why.text(language))),
    );
    lines.push(format!(
        "The ledger stands at release {} with the head {}.",
        document.ledger_sequence, document.ledger_head
    ));
    lines.push(format!("Digest {}", verified.digest()));
    lines.join("\n")
}
