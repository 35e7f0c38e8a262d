//! `init`, `config check` and `completions`.
//!
//! **Invariant:** nothing that exists is overwritten.

use super::{Cli, CliError, Exit, Session, register};
use crate::audit::{AuditLog, Event};
use crate::config::{self, Choices, Config, rho_of, template};
use crate::engine;
use crate::files;
use crate::kernel::source::RejectedRows;
use crate::keys::KeyStore;
use crate::register::Register;
use clap::{Args, CommandFactory, ValueEnum};
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::municipality;
use fellestall_shared::privacy::Rho;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The municipality's number, as 4601.
    #[arg(long, value_name = "NUMBER")]
    municipality: MunicipalityNumber,
    /// The folder of the export.
    #[arg(long, value_name = "FOLDER")]
    records: PathBuf,
    /// The mapping file, if the export is not in the standard form.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// What is done when a row cannot be understood.
    #[arg(long, value_enum, default_value_t = Rejected::Refuse)]
    rejected_rows: Rejected,
    /// Privacy loss that is allowed for all time, in rho.
    #[arg(long, value_name = "RHO", default_value = "10", value_parser = rho)]
    lifetime: Rho,
    /// Privacy loss that is allowed in one calendar year, in rho.
    #[arg(long, value_name = "RHO", default_value = "2", value_parser = rho)]
    year: Rho,
    /// Privacy loss that is allowed for one study, in rho.
    #[arg(long, value_name = "RHO", default_value = "5", value_parser = rho)]
    study: Rho,
    /// Seconds between two questions to the coordinator.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    poll_seconds: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rejected {
    /// Release nothing until it is mended.
    Refuse,
    /// Leave the row out.
    Skip,
}

fn rho(text: &str) -> Result<Rho, &'static str> {
    rho_of(text).ok_or("a number of rho above 0 with at most 6 decimals, as 0.25")
}

pub(super) fn init(session: &mut Session<'_>, arguments: &InitArgs) -> Result<Exit, CliError> {
    let path = session.directory.join(config::FILE);
    if path.exists() {
        return Err(CliError::Exists { path });
    }
    if municipality::find(&arguments.municipality).is_none() {
        tracing::warn!(
            municipality = %arguments.municipality,
            snapshot = municipality::VALID_FROM,
            "there is no municipality of this number in the snapshot; the coordinator will not invite it"
        );
    }
    let text = template(&Choices {
        municipality: arguments.municipality.clone(),
        records: absolute(&arguments.records)?,
        mapping: arguments.mapping.as_deref().map(absolute).transpose()?,
        rejected_rows: match arguments.rejected_rows {
            Rejected::Refuse => RejectedRows::Refuse,
            Rejected::Skip => RejectedRows::Skip,
        },
        lifetime: arguments.lifetime,
        year: arguments.year,
        study: arguments.study,
        poll_seconds: arguments.poll_seconds,
    });
    // Checked before anything is written, so that a mistake leaves no half-made node.
    Config::parse(&session.directory, &text)?;
    files::create_directory(&session.directory)?;
    files::refuse_open(&session.directory)?;
    let keys = KeyStore::new(&session.directory);
    keys.generate()?;
    let fingerprint = keys.release_public()?.fingerprint();
    let (now, by) = (session.clock.now(), session.actor());
    let mut log = AuditLog::open(&session.directory)?;
    log.append_once(now, &by, Event::NodeMade { release_key: fingerprint })?;
    if !files::create(&path, text.as_bytes())? {
        return Err(CliError::Exists { path });
    }
    register::write_empty(&session.directory)?;
    log.note_settings(now, &by)?;
    let facts = json!({
        "configuration": path, "municipality": arguments.municipality, "release_key": fingerprint,
    });
    let directory = session.directory.display().to_string();
    session.out.facts(&facts, || {
        format!(
            "Made {directory}.\nIt holds this node's keys and, later, its ledger: back it up, keep it \
             secret, and never run two copies of it.\n\nNext:\n  fellestall-node config check\n  \
             fellestall-node check-data\n  fellestall-node enrol --invitation FILE"
        )
    })?;
    Ok(Exit::Done)
}

/// A path that means the same from the configuration's directory as from here.
fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path).map_err(|source| CliError::Input { what: "the folder", source })
}

pub(super) fn check(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let config = session.config()?;
    engine::source(&config)?;
    let register = Register::read(&session.directory)?;
    let keys = KeyStore::new(&session.directory);
    keys.refuse_open()?;
    keys.count()?;
    let fingerprint = keys.release_public()?.fingerprint();
    let facts = json!({
        "municipality": config.municipality,
        "records": config.records.to_string(),
        "mapping": config.mapping,
        "rejected_rows": config.rejected_rows,
        "budget": {
            "lifetime": config.budget.lifetime.to_string(),
            "year": config.budget.year.to_string(),
            "study": config.budget.study.to_string(),
        },
        "registered_purposes": register.purposes().len(),
        "release_key": fingerprint,
    });
    session.out.facts(&facts, || {
        format!(
            "The configuration, the mapping, the register and the keys can be used.\nMunicipality {}, records in {}.",
            config.municipality,
            config.records
        )
    })?;
    Ok(Exit::Done)
}

pub(super) fn completions(
    session: &mut Session<'_>,
    shell: clap_complete::Shell,
) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fellestall-node", &mut script);
    session.out.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
