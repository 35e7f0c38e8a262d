//! Figures before they are published, under embargo, and publishing them.
//!
//! **Invariant:** a preview is computed by what publishes, and is stored nowhere; who looked is in the
//! log; what is published is what was looked at, or nothing.

use super::rounds::load;
use crate::admin::asked::{Asked, OwnForm, Refusal, explain};
use crate::admin::frame::Frame;
use crate::admin::notice::Notice;
use crate::admin::show::{figure, fill};
use crate::admin::words::Words;
use crate::present::{COUNTRY, Presentation, PresentedTable, Reason, Symbol};
use crate::publish::Fixed;
use crate::rounds::LoadedRound;
use crate::rounds::publication::{self, FiguresError, Preview, PublicationError};
use crate::rounds::status::{self, Unopened};
use crate::store::audit::Event;
use crate::store::rounds::PublishRoundError;
use askama::Template;
use axum::extract::{Path, RawQuery};
use axum::response::Response;
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::Language;
use http::StatusCode;

/// Decisions that are listed, at the most; more are only counted.
const DECISIONS: usize = 500;

/// A figure with what is said of it.
struct Row {
    label: String,
    shown: String,
    interval: String,
    deviation: String,
    raw: String,
}

/// A table of one region.
struct Table {
    id: String,
    title: String,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "admin/preview.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    round: String,
    is_first: bool,
    /// What was wrong with the last try.
    problem: Option<String>,
    /// Why there is nothing to publish.
    nothing: Option<(String, Option<String>)>,
    content: Option<Content>,
}

/// What would be published.
struct Content {
    basis: String,
    /// Whether nobody can see the figures yet.
    is_sealed: bool,
    summary: String,
    regions: Vec<(String, String, bool)>,
    tables: Vec<Table>,
    decisions: Vec<(String, String, String)>,
    decided: String,
}

/// `GET /rounds/{round}/preview`.
pub(in crate::admin) async fn page(
    asked: Asked,
    Path(round): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let region = query.split('&').find_map(|pair| pair.strip_prefix("region="));
    asked.answer(build(&asked, &round, region.unwrap_or(COUNTRY), None).await)
}

async fn build(
    asked: &Asked,
    round: &str,
    region: &str,
    problem: Option<String>,
) -> Result<Page, Refusal> {
    let (w, desk) = (asked.words(), &asked.desk);
    let p = &w.preview;
    let loaded = load(asked, round).await?;
    let (store, now) = (desk.store(), desk.now());
    store.note(Event::Previewed, round, &asked.visitor()?.staff.name, now).await?;
    let (content, nothing) = match publication::preview(store, desk.printer(), &loaded, now).await {
        Ok(Some(preview)) => (Some(content(asked, &preview, region)?), None),
        Ok(None) => (None, Some((nothing(asked, &loaded).await?, None))),
        Err(PublicationError::Round(PublishRoundError::Compute(error))) => {
            (None, Some((p.not_possible.clone(), Some(explain(&error)))))
        }
        Err(error) => return Err(error.into()),
    };
    let title = format!("{}: {}", p.title, loaded.round.id());
    Ok(Page {
        f: Frame::new(asked, &title, "/rounds"),
        w,
        round: loaded.round.id().to_string(),
        is_first: loaded.closed.is_none(),
        problem,
        nothing,
        content,
    })
}

/// Why there is no next version: nothing came, or too few late reports to be opened.
async fn nothing(asked: &Asked, loaded: &LoadedRound) -> Result<String, Refusal> {
    let p = &asked.words().preview;
    let unopened = status::unopened(asked.desk.store(), loaded).await?;
    Ok(unopened.map_or_else(
        || p.nothing_new.clone(),
        |Unopened { reports, minimum }| {
            fill(&p.unopened, &[("reports", &reports), ("minimum", &minimum)])
        },
    ))
}

fn content(asked: &Asked, preview: &Preview, region: &str) -> Result<Content, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let Preview { version, basis, releases, presentation } = preview;
    let Some(presentation) = presentation else {
        let said: [(&str, &dyn std::fmt::Display); 2] =
            [("version", version), ("releases", releases)];
        return Ok(Content {
            basis: basis.to_string(),
            is_sealed: true,
            summary: fill(&w.preview.sealed_summary, &said),
            regions: Vec::new(),
            tables: Vec::new(),
            decisions: Vec::new(),
            decided: String::new(),
        });
    };
    let mut regions: Vec<(String, String, bool)> = Vec::new();
    for category in presentation.tables.iter().flat_map(|table| &table.regions) {
        if !regions.iter().any(|(code, _, _)| *code == category.code) {
            let label = category.label.text(language).to_owned();
            regions.push((category.code.clone(), label, category.code == region));
        }
    }
    if !regions.is_empty() && !regions.iter().any(|(_, _, is_here)| *is_here) {
        return Err(Refusal::Missing);
    }
    let tables = presentation.tables.iter().filter_map(|table| shown(asked, table, region));
    let decided = presentation.decisions.len();
    Ok(Content {
        basis: basis.to_string(),
        is_sealed: false,
        summary: fill(
            &w.preview.summary,
            &[("version", version), ("releases", releases), ("asked", &presentation.asked)],
        ),
        regions,
        tables: tables.collect(),
        decisions: decisions(asked, presentation),
        decided: fill(&w.preview.decided, &[("number", &decided)]),
    })
}

fn decisions(asked: &Asked, presentation: &Presentation) -> Vec<(String, String, String)> {
    let (w, language) = (asked.words(), asked.language);
    let p = &w.preview;
    let line = |decision: &crate::present::Decision| {
        let reason = match decision.reason {
            Reason::BelowThreshold => &p.below_threshold,
            Reason::TooUncertain => &p.too_uncertain,
            Reason::TooFewMunicipalities => &p.too_few,
            Reason::Pooled => &p.pooled,
        };
        let mut place = vec![decision.table.clone(), decision.region.clone()];
        place.extend(decision.codes.iter().cloned());
        (place.join(" / "), reason.clone(), figure(decision.on, language))
    };
    presentation.decisions.iter().take(DECISIONS).map(line).collect()
}

/// A table of one region, a row for each cell; `None` if it does not have the region.
fn shown(asked: &Asked, table: &PresentedTable, region: &str) -> Option<Table> {
    let language = asked.language;
    let at = table.regions.iter().position(|category| category.code == region)?;
    let labels = labels(table, language);
    let start = at.checked_mul(labels.len())?;
    let rows = (start..).zip(labels).map(|(cell, label)| row(table, cell, label, language));
    Some(Table {
        id: table.id.clone(),
        title: table.title.text(language).to_owned(),
        rows: rows.collect(),
    })
}

/// The label of each cell of a region, in the order of the cells.
fn labels(table: &PresentedTable, language: Language) -> Vec<String> {
    let mut labels = vec![String::new()];
    for dimension in &table.dimensions {
        let mut next = Vec::with_capacity(labels.len().saturating_mul(dimension.categories.len()));
        for before in &labels {
            for category in &dimension.categories {
                let label = category.label.text(language);
                let comma = if before.is_empty() { "" } else { ", " };
                next.push(format!("{before}{comma}{label}"));
            }
        }
        labels = next;
    }
    labels
}

fn row(table: &PresentedTable, cell: usize, label: String, language: Language) -> Row {
    let cells = &table.cells;
    let of = |column: &[Option<Fixed>]| column.get(cell).copied().flatten();
    let text = |value: Option<Fixed>| value.map_or_else(String::new, |it| figure(it, language));
    let symbol = cells.symbols.get(cell).copied().flatten().map_or("", Symbol::text);
    let shown = format!("{} {symbol}", text(of(&cells.shown)));
    let interval = match (of(&cells.lower95), of(&cells.upper95)) {
        (Some(lower), Some(upper)) => {
            format!("{} – {}", figure(lower, language), figure(upper, language))
        }
        _ => String::new(),
    };
    Row {
        label,
        shown: shown.trim().to_owned(),
        interval,
        deviation: text(of(&cells.deviation)),
        raw: text(of(&cells.raw)),
    }
}

/// `POST /rounds/{round}/publish`.
pub(in crate::admin) async fn publish(Path(round): Path<String>, sent: OwnForm) -> Response {
    let basis = sent.field("basis").parse::<Digest>();
    let asked = sent.asked;
    let Ok(basis) = basis else { return asked.refuse(Refusal::Form) };
    match try_publish(&asked, &round, basis).await {
        Ok(None) => asked.done(Notice::Published, "/publications").await,
        Ok(Some(problem)) => {
            let page = build(&asked, &round, COUNTRY, Some(problem)).await;
            asked.answer_with(StatusCode::CONFLICT, page)
        }
        Err(refusal) => asked.refuse(refusal),
    }
}

/// Publishes what was looked at, or says why not.
async fn try_publish(asked: &Asked, round: &str, seen: Digest) -> Result<Option<String>, Refusal> {
    let (w, desk) = (asked.words(), &asked.desk);
    let loaded = load(asked, round).await?;
    asked.act(&format!("publish {}", loaded.round.id())).await?;
    let (store, printer, now) = (desk.store(), desk.printer(), desk.now());
    let published = if loaded.round.study().layout().is_some() {
        let leader = &desk.leader;
        publication::open_and_publish(store, printer, leader, &loaded, seen, now).await
    } else {
        publication::publish_previewed(store, printer, &loaded, seen, now).await
    };
    match published {
        Ok(_) => Ok(None),
        Err(PublicationError::Aggregation(error)) => {
            Ok(Some(format!("{} {}", w.common.program_says, explain(&error))))
        }
        Err(PublicationError::Round(PublishRoundError::Compute(FiguresError::Changed))) => {
            Ok(Some(w.preview.changed.clone()))
        }
        Err(PublicationError::Round(PublishRoundError::Compute(error))) => {
            Ok(Some(format!("{} {}", w.common.program_says, explain(&error))))
        }
        Err(error) => Err(error.into()),
    }
}
