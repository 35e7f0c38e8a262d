//! `study publish`, `list`, `tables` and `template`.
//!
//! **Invariant:** a study is checked in full before it is signed.

use super::output::table;
use super::{CliError, Desk, Output, Template};
use crate::rounds;
use crate::store::studies::Kept;
use crate::template;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::labels::Language;
use fellestall_shared::privacy::Rho;
use fellestall_shared::secure::SealingKey;
use fellestall_shared::signed::VerifyingKey;
use fellestall_shared::wire::v1::{HelperIdentity, StudyDocument};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

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
