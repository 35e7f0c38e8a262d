//! `round close`, `round revise`, `publications` and `verify`.
//!
//! **Invariant:** a publication is written out in exactly the bytes that are stored.

use super::output::table;
use super::{CliError, Desk, Output, rounds};
use crate::publish::{self, PublicationFile, csv, table as figures};
use crate::rounds::publication;
use crate::rounds::status::{self, Unopened};
use crate::store::publications::StoredPublication;
use clap::Subcommand;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::ids::RoundId;
use fellestall_shared::labels::Language;
use fellestall_shared::signed::VerifyingKey;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Commands about what was published.
#[derive(Debug, Subcommand)]
pub enum Publications {
    /// List every version of every round.
    List,
    /// Write one publication out, in the bytes that are stored.
    Export {
        /// The publication, as core.1.2026H1.v1.
        id: PublicationId,
        /// In which form.
        #[arg(long = "as", value_enum, default_value_t = Form::Json)]
        form: Form,
        /// To this file, instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// In which form a publication is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// The public document.
    Json,
    /// The document with every signed release in it, for auditors.
    Bundle,
    /// The figures, one a line.
    Csv,
    /// The rates, one a line.
    RatesCsv,
    /// Tables for a terminal.
    Text,
}

/// One version of a round's publication.
#[derive(Debug, Clone)]
pub struct PublicationId {
    /// The round.
    pub round: RoundId,
    /// The version.
    pub version: u32,
}

impl FromStr for PublicationId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "a publication is written as core.1.2026H1.v1".to_owned();
        let (round, version) = text.rsplit_once(".v").ok_or_else(wanted)?;
        let version = version.parse().map_err(|_| wanted())?;
        Ok(Self { round: round.parse().map_err(|_| wanted())?, version })
    }
}

/// Columns of a table whose terminal is not known.
const WIDTH: u16 = 100;
/// Publications that are listed, at the most.
const LINES: u32 = 1_000;

#[derive(Serialize)]
struct Line {
    id: String,
    round: String,
    version: u32,
    digest: String,
    published: String,
}

impl Line {
    fn of(publication: &StoredPublication) -> Self {
        Self {
            id: format!("{}.v{}", publication.round, publication.version),
            round: publication.round.to_string(),
            version: publication.version,
            digest: publication.digest.to_string(),
            published: publication.created.to_string(),
        }
    }
}

pub(super) async fn close(
    desk: &Desk,
    round: &RoundId,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let loaded = rounds::load(desk, round).await?;
    let (printer, now) = (desk.home.printer(), desk.clock.now());
    // What closed before is given as it is, and opens nothing more.
    if loaded.closed.is_none() {
        desk.open_shared(&loaded).await?;
    }
    let published = publication::close(&desk.store, printer, &loaded, now).await?;
    output.facts(&Line::of(&published), |line| {
        format!("{} is closed; version {} is published as {}.", line.round, line.version, line.id)
    })
}

pub(super) async fn revise(
    desk: &Desk,
    round: &RoundId,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let loaded = rounds::load(desk, round).await?;
    let (printer, now) = (desk.home.printer(), desk.clock.now());
    // A round that is open is refused, and opens nothing before that.
    if loaded.closed.is_some() {
        desk.open_shared(&loaded).await?;
    }
    let published = publication::revise(&desk.store, printer, &loaded, now).await?;
    let unopened = status::unopened(&desk.store, &loaded).await?;
    output.facts(&published.as_ref().map(Line::of), |line| match (line, unopened) {
        (Some(line), _) => format!("Version {} is published as {}.", line.version, line.id),
        (None, None) => "Nothing new came since the newest version; it stands.".to_owned(),
        (None, Some(Unopened { reports, minimum })) => format!(
            "The newest version stands. Late reports of shared tables wait ({reports}): their sum is opened when there are {minimum}."
        ),
    })
}

pub(super) async fn publications(
    desk: &Desk,
    command: Publications,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        Publications::List => list(desk, output).await,
        Publications::Export { id, form, out } => {
            let Some(stored) = desk.store.publication(&id.round, id.version).await? else {
                return Err(CliError::NoPublication { round: id.round, version: id.version });
            };
            let bytes = form_of(stored, form)?;
            match out {
                None => output.bytes(&bytes),
                Some(path) => std::fs::write(&path, bytes).map_err(|source| CliError::File {
                    path,
                    what: "written",
                    source,
                }),
            }
        }
    }
}

async fn list(desk: &Desk, output: &mut Output<'_>) -> Result<(), CliError> {
    let stored = desk.store.publications(LINES).await?;
    let lines: Vec<Line> = stored
        .into_iter()
        .map(|line| Line {
            id: format!("{}.v{}", line.round, line.version),
            round: line.round.to_string(),
            version: line.version,
            digest: line.digest.to_string(),
            published: line.created.to_string(),
        })
        .collect();
    output.facts(&lines, |lines| {
        let row = |line: &Line| [line.id.clone(), line.published.clone(), line.digest.clone()];
        table(["publication", "published", "digest"], lines.iter().map(row), "None yet.")
    })
}

fn form_of(stored: StoredPublication, form: Form) -> Result<Vec<u8>, CliError> {
    let parse = |bytes: &[u8]| {
        serde_json::from_slice::<PublicationFile>(bytes)
            .map(|file| file.publication)
            .map_err(|error| CliError::Encoding(error.into()))
    };
    let failed = |error: csv::CsvError| CliError::Encoding(error.into());
    match form {
        Form::Json => Ok(stored.document),
        Form::Bundle => Ok(stored.bundle),
        Form::Csv => csv::figures(&parse(&stored.document)?, Language::Nb).map_err(failed),
        Form::RatesCsv => csv::rates(&parse(&stored.document)?, Language::Nb).map_err(failed),
        Form::Text => {
            let publication = parse(&stored.document)?;
            Ok(figures::render(&publication, Language::Nb, WIDTH).into_bytes())
        }
    }
}

/// Verifies a publication or bundle offline.
pub(super) fn verify(
    file: PathBuf,
    trusted: Option<&VerifyingKey>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let bytes = std::fs::read(&file).map_err(|source| CliError::File {
        path: file,
        what: "read",
        source,
    })?;
    let report = publish::verify(&bytes, trusted, Catalogue::builtin()?)?;
    output.facts(&report, ToString::to_string)
}

/// The key that a file must be signed with: as given, or that of the coordinator in the directory.
pub(super) fn trusted(
    directory: &Path,
    given: Option<String>,
) -> Result<Option<VerifyingKey>, CliError> {
    match given {
        Some(text) => {
            let key = serde_json::from_value(serde_json::Value::String(text));
            key.map(Some).map_err(|_| CliError::TrustedKey)
        }
        None if crate::home::Home::exists(directory) => {
            Ok(Some(crate::home::Home::open(directory)?.signing_key.verifying_key()))
        }
        None => Ok(None),
    }
}
