//! One table: filters, a chart with intervals, the numbers, and ways to take them along.

use crate::databank::{Cube, Role};
use crate::public::Site;
use crate::web::answer::{Trouble, answer};
use crate::web::frame::{self, Frame};
use crate::web::say;
use crate::web::selection::Selection;
use crate::web::snippets::{self, Snippet};
use crate::web::words::{Table, Words};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use fellestall_shared::labels::Language;
use http::HeaderMap;
use std::sync::Arc;

mod numbers;
mod picture;

use numbers::Numbers;
use picture::Picture;

/// Values above which a filter scrolls within itself.
const LONG: usize = 10;
/// What the databank's interface writes: the format and its name.
const FORMATS: [(&str, &str); 7] = [
    ("csv", "CSV"),
    ("xlsx", "Excel (xlsx)"),
    ("parquet", "Parquet"),
    ("json-stat2", "JSON-stat 2.0"),
    ("px", "PC-Axis (px)"),
    ("html", "HTML"),
    ("json-px", "JSON (PX)"),
];

#[derive(Template)]
#[template(path = "web/table.html")]
struct Page {
    f: Frame,
    w: &'static Table,
    id: String,
    description: String,
    must: String,
    is_provisional: bool,
    study: String,
    updated: String,
    filters: Vec<Filter>,
    picture: Option<Picture>,
    numbers: Numbers,
    query: String,
    snippets: Vec<Snippet>,
    downloads: Vec<Download>,
    publications: Vec<Publication>,
}

/// One dimension to choose from.
struct Filter {
    code: String,
    label: String,
    is_long: bool,
    values: Vec<FilterValue>,
}

/// One value to choose.
struct FilterValue {
    code: String,
    label: String,
    is_chosen: bool,
}

/// One format to download.
struct Download {
    to: String,
    name: &'static str,
}

/// Where the figures of one period come from.
struct Publication {
    id: String,
    period: String,
    version: u32,
    day: String,
    reported: u32,
    asked: u32,
}

/// `GET /{language}/tables/{id}`.
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    Path((code, id)): Path<(String, String)>,
    Query(fields): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let Some(language) = frame::language(&code) else {
        return answer(&site, Language::Nb, &headers, Err(Trouble::Missing));
    };
    answer(&site, language, &headers, table(&site, language, &id, &fields).await)
}

async fn table(
    site: &Site,
    language: Language,
    id: &str,
    fields: &[(String, String)],
) -> Result<String, Trouble> {
    let cube = site.databank.cube(id).await?.ok_or(Trouble::Missing)?;
    let selection = Selection::read(Arc::clone(&cube), language, fields);
    let newest = cube.slices.last().ok_or(Trouble::Missing)?;
    let w = &Words::of(language)?.table;
    let query = selection.query();
    let title = cube.title.text(language);
    let f = Frame::new(site, language, title, &format!("/tables/{}?{query}", cube.id))?;
    let url = |format: &str| selection.address("", f.lang, format);
    let download = |(format, name): &(&str, &'static str)| Download { to: url(format), name };
    let page = Page {
        id: cube.id.clone(),
        description: cube.description.text(language).to_owned(),
        must: newest.presentation.about.text(language).to_owned(),
        is_provisional: newest.presentation.provisional,
        study: newest.presentation.study_title.text(language).to_owned(),
        updated: say::day(cube.updated, language),
        filters: filters(&selection),
        picture: Picture::of(&selection, w)?,
        numbers: Numbers::of(&selection, w),
        snippets: snippets::of(&selection, &site.url, f.lang),
        downloads: FORMATS.iter().map(download).collect(),
        publications: publications(&cube, language),
        query,
        w,
        f,
    };
    Ok(page.render()?)
}

fn filters(selection: &Selection) -> Vec<Filter> {
    let language = selection.language;
    let filter = |(_, dimension, chosen): (usize, &crate::databank::Dimension, &[usize])| {
        let value = |(place, value): (usize, &crate::present::PresentedCategory)| FilterValue {
            code: value.code.clone(),
            label: said(dimension.role, &value.code, value.label.text(language), language),
            is_chosen: chosen.contains(&place),
        };
        Filter {
            code: dimension.code.clone(),
            label: capital(dimension.label.text(language)),
            is_long: dimension.values.len() > LONG,
            values: dimension.values.iter().enumerate().map(value).collect(),
        }
    };
    let filters = selection.dimensions().filter(|(_, dimension, _)| dimension.values.len() > 1);
    filters.map(filter).collect()
}

/// The newest publication of each period, latest first.
fn publications(cube: &Cube, language: Language) -> Vec<Publication> {
    let publication = |slice: &crate::databank::Slice| {
        let shown = &slice.presentation;
        Publication {
            id: format!("{}.v{}", shown.round, shown.version),
            period: capital(&say::period(shown.period, language)),
            version: shown.version,
            day: say::day(shown.published, language),
            reported: shown.reported,
            asked: shown.asked,
        }
    };
    cube.slices.iter().rev().map(publication).collect()
}

/// A value's label; a period in words.
pub(super) fn said(role: Role, code: &str, label: &str, language: Language) -> String {
    match code.parse() {
        Ok(period) if role == Role::Time => say::period(period, language),
        _ => label.to_owned(),
    }
}

/// A label with a capital at its beginning.
pub(super) fn capital(label: &str) -> String {
    let mut characters = label.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}
