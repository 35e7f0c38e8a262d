//! `study publish`, `list`, `tables` and `template`.
//!
//! **Invariant:** a study is checked in full before it is signed.

use super::output::table;
use super::{CliError, Desk, Output};
use crate::rounds;
use crate::store::studies::Kept;
use crate::template;
use clap::Subcommand;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::ids::StatisticId;
use fellestall_shared::labels::Language;
use fellestall_shared::privacy::Rho;
use fellestall_shared::secure::SealingKey;
use fellestall_shared::signed::VerifyingKey;
use fellestall_shared::wire::v1::{HelperIdentity, Residence, StudyDocument};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Commands about studies.
#[derive(Debug, Subcommand)]
pub enum Studies {
    /// Check, sign and publish a study from a file (TOML, or JSON if it ends in .json).
    Publish {
        /// The file.
        file: PathBuf,
    },
    /// List the published studies.
    List,
    /// List the tables that a study may ask for.
    Tables,
    /// Print a study to start from.
    Template(Template),
}

/// What the template asks for.
#[derive(Debug, clap::Args)]
pub struct Template {
    /// A table, as S2; may be given several times [default: the core set].
    #[arg(long = "statistic", value_name = "ID")]
    pub statistics: Vec<StatisticId>,
    /// The privacy loss of each table, in millionths of rho.
    #[arg(long, value_name = "MICRO", default_value_t = 125_000)]
    pub rho_micro: u64,
    /// First day that a period may contain.
    #[arg(long, value_name = "DATE")]
    pub starts: String,
    /// Last day that a period may contain.
    #[arg(long, value_name = "DATE")]
    pub ends: String,
    /// Nothing is published from fewer nodes.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub minimum_nodes: u32,
    /// Publish the noisy tables of single municipalities, and of counties, too.
    #[arg(long)]
    pub municipal_figures: bool,
    /// Where a person is counted whom several municipalities hold.
    #[arg(long, value_enum, default_value_t = Counted::Anywhere)]
    pub residence: Counted,
    /// Tables whose noise nodes share, so that nobody sees a single node's table, as S2,S4; all of them
    /// if none is named.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 0..)]
    pub shared: Option<Vec<StatisticId>>,
    /// Tables that nodes release with noise of their own and share too, as S2,S4: each has half of the
    /// loss.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 1..)]
    pub both: Vec<StatisticId>,
    /// The card of the server that holds the other half of every report (JSON).
    #[arg(long, value_name = "FILE")]
    pub helper_card: Option<PathBuf>,
    /// So many of the minimum of nodes may collude or add no noise [default: a fifth, rounded down].
    #[arg(long, value_name = "N")]
    pub tolerated: Option<u32>,
    /// The largest count that one node can report in one cell of a shared table.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub largest_count: u32,
}

/// Where a person is counted whom several municipalities hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Counted {
    /// In every municipality that holds the person.
    Anywhere,
    /// Where the person lives on the last day of the period.
    OnCensusDate,
}

impl From<Counted> for Residence {
    fn from(counted: Counted) -> Self {
        match counted {
            Counted::Anywhere => Self::Anywhere,
            Counted::OnCensusDate => Self::OnCensusDate,
        }
    }
}

#[derive(Serialize)]
struct Line {
    study: String,
    version: u32,
    title: String,
    tables: usize,
    charge_micro: u64,
    starts: String,
    ends: String,
    digest: String,
}

fn line(study: &fellestall_shared::study::Study) -> Line {
    let document = study.document();
    Line {
        study: document.study.to_string(),
        version: document.version,
        title: document.title.text(Language::Nb).to_owned(),
        tables: document.tables.len(),
        charge_micro: study.charge().micro(),
        starts: document.starts.clone(),
        ends: document.ends.clone(),
        digest: study.digest().to_string(),
    }
}

pub(super) async fn publish(
    desk: &Desk,
    file: PathBuf,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let document = read(&file)?;
    let (key, now) = (&desk.home.signing_key, desk.clock.now());
    let published = rounds::publish_study(&desk.store, key, desk.catalogue, &document, now).await?;
    output.facts(&line(&published.study), |line| {
        let what = match published.kept {
            Kept::New => "is published",
            Kept::Stood => "was published before, with the same content",
        };
        format!(
            "{} version {} {what}: {} tables, {} rho for a period at each node.",
            line.study,
            line.version,
            line.tables,
            Rho::from_micro(line.charge_micro)
        )
    })
}

fn read(path: &Path) -> Result<StudyDocument, CliError> {
    let text = std::fs::read_to_string(path).map_err(|source| CliError::File {
        path: path.to_owned(),
        what: "read",
        source,
    })?;
    let failed = |source| CliError::StudyFile { path: path.to_owned(), source };
    if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).map_err(|error| failed(error.into()))
    } else {
        toml::from_str(&text).map_err(|error| failed(error.into()))
    }
}

pub(super) async fn list(desk: &Desk, output: &mut Output<'_>) -> Result<(), CliError> {
    let key = desk.home.signing_key.verifying_key();
    let mut lines = Vec::new();
    for stored in desk.store.studies().await? {
        let (_, study) = rounds::read_study(&key, desk.catalogue, &stored.envelope)?;
        lines.push(line(&study));
    }
    output.facts(&lines, |lines| {
        let row = |line: &Line| {
            [
                format!("{}:{}", line.study, line.version),
                line.title.clone(),
                line.tables.to_string(),
                Rho::from_micro(line.charge_micro).to_string(),
                format!("{} to {}", line.starts, line.ends),
            ]
        };
        let heads = ["study", "title", "tables", "rho a period", "periods within"];
        table(heads, lines.iter().map(row), "No study is published yet.")
    })
}

#[derive(Serialize)]
struct TableLine {
    statistic: String,
    definition: u32,
    core: bool,
    cells: usize,
    title: String,
}

pub(super) fn tables(output: &mut Output<'_>) -> Result<(), CliError> {
    let lines: Vec<TableLine> = Catalogue::builtin()?
        .statistics()
        .iter()
        .map(|statistic| TableLine {
            statistic: statistic.id().to_string(),
            definition: statistic.definition(),
            core: statistic.is_core(),
            cells: statistic.cells(),
            title: statistic.title().text(Language::Nb).to_owned(),
        })
        .collect();
    output.facts(&lines, |lines| {
        let row = |line: &TableLine| {
            let core = if line.core { "core" } else { "" };
            [line.statistic.clone(), line.title.clone(), line.cells.to_string(), core.to_owned()]
        };
        table(["table", "title", "cells", ""], lines.iter().map(row), "The catalogue is empty.")
    })
}

/// What a template takes of a helper's card.
#[derive(Deserialize)]
struct Card {
    name: String,
    signing_key: VerifyingKey,
    sealing_key: SealingKey,
}

/// The identity on a helper's card.
fn card(path: &Path) -> Result<HelperIdentity, CliError> {
    let text = std::fs::read_to_string(path).map_err(|source| CliError::File {
        path: path.to_owned(),
        what: "read",
        source,
    })?;
    let failed =
        |error: serde_json::Error| CliError::HelperCard { path: path.to_owned(), source: error };
    let Card { name, signing_key, sealing_key } = serde_json::from_str(&text).map_err(failed)?;
    Ok(HelperIdentity { name, signing_key, sealing_key })
}

pub(super) fn template(wish: Template, output: &mut Output<'_>) -> Result<(), CliError> {
    let sharing = template::Sharing {
        shared: wish.shared,
        both: wish.both,
        helper: wish.helper_card.as_deref().map(card).transpose()?,
        tolerated: wish.tolerated,
        largest_count: wish.largest_count,
    };
    let wish = template::Wish {
        statistics: wish.statistics,
        rho: Rho::from_micro(wish.rho_micro),
        starts: wish.starts,
        ends: wish.ends,
        minimum_nodes: wish.minimum_nodes,
        municipal_figures: wish.municipal_figures,
        residence: wish.residence.into(),
        sharing,
    };
    let document = template::study(&wish, Catalogue::builtin()?)?;
    let text = toml::to_string(&document).map_err(|error| CliError::Encoding(error.into()))?;
    output.facts(&document, |_| text)
}
