//! The front page: what these figures are, how sure they are, and the newest of them.

use crate::present::{COUNTRY, Presentation, PresentedTable, TableKind};
use crate::public::Site;
use crate::versions::{Line, line};
use crate::web::answer::{Trouble, answer};
use crate::web::frame::{self, Frame};
use crate::web::say;
use crate::web::words::{Front, Words};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use fellestall_shared::labels::Language;
use http::HeaderMap;
use std::sync::Arc;

/// Publications on the front page.
const NEWS: u32 = 6;
/// Headline figures.
const HEADLINES: usize = 3;

#[derive(Template)]
#[template(path = "web/front.html")]
struct Page {
    f: Frame,
    w: &'static Front,
    about: Option<About>,
    headlines: Vec<Headline>,
    news: Vec<News>,
}

/// What the headline figures are about.
struct About {
    study: String,
    period: String,
    reported: u32,
    asked: u32,
    is_provisional: bool,
}

/// One national figure with its interval.
struct Headline {
    label: String,
    note: String,
    value: String,
    unit: String,
    range: String,
    table: String,
}

/// One publication.
struct News {
    line: Line,
    title: String,
    period: String,
    day: String,
}

/// `GET /{language}`: the address without the slash at its end.
pub(crate) async fn bare(
    State(site): State<Arc<Site>>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Response {
    match frame::language(&code) {
        Some(_) => Redirect::permanent(&format!("/{code}/")).into_response(),
        None => answer(&site, Language::Nb, &headers, Err(Trouble::Missing)),
    }
}

/// `GET /{language}/`.
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(language) = frame::language(&code) else {
        return answer(&site, Language::Nb, &headers, Err(Trouble::Missing));
    };
    answer(&site, language, &headers, front(&site, language).await)
}

async fn front(site: &Site, language: Language) -> Result<String, Trouble> {
    let w = &Words::of(language)?.front;
    let mut publications = site.databank.store().publications(NEWS).await?;
    // Of those that were published together, the latest round is the newest.
    publications
        .sort_by(|a, b| (b.created, &b.round, b.version).cmp(&(a.created, &a.round, a.version)));
    let (mut newest, mut news) = (None, Vec::new());
    for publication in publications {
        let (round, version) = (&publication.round, publication.version);
        let Some(shown) = site.databank.presentation(round, version).await? else { continue };
        news.push(News {
            line: line(&publication),
            title: shown.study_title.text(language).to_owned(),
            period: say::period(shown.period, language),
            day: say::day(publication.created, language),
        });
        newest.get_or_insert(shown);
    }
    let about = newest.as_deref().map(|shown| About {
        study: shown.study_title.text(language).to_owned(),
        period: say::period(shown.period, language),
        reported: shown.reported,
        asked: shown.asked,
        is_provisional: shown.provisional,
    });
    let headlines = newest.as_deref().map(|shown| headlines(shown, language)).unwrap_or_default();
    let f = Frame::new(site, language, &w.title, "/")?;
    Ok(Page { f, w, about, headlines, news }.render()?)
}

/// The first national figure of a table of counts that has a total, and of each table of rates.
fn headlines(shown: &Presentation, language: Language) -> Vec<Headline> {
    let counts = shown.tables.iter().find(|table| {
        let has_totals = table.dimensions.iter().all(|dimension| dimension.has_total);
        table.kind == TableKind::Counts && has_totals && !table.dimensions.is_empty()
    });
    let rates = shown.tables.iter().filter(|table| table.kind == TableKind::Rates);
    let found = counts.into_iter().chain(rates);
    found.filter_map(|table| headline(table, language)).take(HEADLINES).collect()
}

fn headline(table: &PresentedTable, language: Language) -> Option<Headline> {
    let national = table.regions.iter().position(|region| region.code == COUNTRY)?;
    let size: usize = table.dimensions.iter().map(|dimension| dimension.categories.len()).product();
    let (cells, at) = (&table.cells, national * size);
    let number = |column: &[Option<crate::publish::Fixed>]| {
        let value = column.get(at).copied().flatten()?;
        Some(say::number(value, table.figure.decimals, language))
    };
    let (lower, upper) = (number(&cells.lower95)?, number(&cells.upper95)?);
    let first = table.dimensions.iter().filter_map(|dimension| dimension.categories.first());
    let note: Vec<&str> = first
        .filter(|category| category.code != crate::present::TOTAL)
        .map(|category| category.label.text(language))
        .collect();
    let title = table.title.text(language).to_owned();
    let (label, note) = if table.kind == TableKind::Counts {
        (table.figure.label.text(language).to_owned(), title)
    } else {
        (title, note.join(", "))
    };
    Some(Headline {
        label,
        note,
        value: number(&cells.shown)?,
        unit: table.figure.unit.text(language).to_owned(),
        range: say::range(&lower, &upper, language),
        table: table.id.clone(),
    })
}
