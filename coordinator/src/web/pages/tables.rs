//! The table finder: every table by study, and those that a search finds.

use crate::databank::{Catalogue, Listed};
use crate::public::Site;
use crate::web::answer::{Trouble, answer};
use crate::web::frame::{self, Frame};
use crate::web::say;
use crate::web::selection::escaped;
use crate::web::words::{Tables, Words};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use fellestall_shared::labels::Language;
use http::HeaderMap;
use std::sync::Arc;

/// Tables on one page.
const PAGE: usize = 30;
/// Characters of a search.
const LONGEST: usize = 100;

#[derive(Template)]
#[template(path = "web/tables.html")]
struct Page {
    f: Frame,
    w: &'static Tables,
    wanted: String,
    found: usize,
    groups: Vec<Group>,
    number: usize,
    pages: usize,
    before: Option<String>,
    after: Option<String>,
}

/// The tables of one study.
struct Group {
    title: String,
    tables: Vec<Row>,
}

/// One table.
struct Row {
    id: String,
    title: String,
    description: String,
    periods: String,
    updated: String,
}

/// `GET /{language}/tables?q=&page=`.
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    Path(code): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let Some(language) = frame::language(&code) else {
        return answer(&site, Language::Nb, &headers, Err(Trouble::Missing));
    };
    answer(&site, language, &headers, tables(&site, language, &fields).await)
}

async fn tables(
    site: &Site,
    language: Language,
    fields: &[(String, String)],
) -> Result<String, Trouble> {
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let wanted: String = field("q").trim().chars().take(LONGEST).collect();
    let catalogue = site.databank.catalogue().await?;
    let found = search(&catalogue, &wanted, language);
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = field("page").parse().unwrap_or(1_usize).clamp(1, pages);
    let shown = found.iter().skip((page - 1) * PAGE).take(PAGE);
    let groups = grouped(shown.copied(), language);
    let w = &Words::of(language)?.tables;
    let q = escaped(&wanted);
    let f = Frame::new(site, language, &w.title, &format!("/tables?q={q}&page={page}"))?;
    let to = |page: usize| format!("/{}/tables?q={q}&page={page}", f.lang);
    let before = (page > 1).then(|| to(page - 1));
    let after = (page < pages).then(|| to(page + 1));
    let found = found.len();
    let number = page;
    Ok(Page { f, w, wanted, found, groups, number, pages, before, after }.render()?)
}

/// The tables that have every wished word in their id, titles, description or variables.
fn search<'c>(catalogue: &'c Catalogue, wanted: &str, language: Language) -> Vec<&'c Listed> {
    let words: Vec<String> = wanted.split_whitespace().map(str::to_lowercase).collect();
    let has = |listed: &&Listed| {
        let entry = &listed.entry;
        let texts = [&entry.title, &entry.description, &entry.study_title];
        let texts = texts.into_iter().chain(&entry.variables).map(|text| text.text(language));
        let all: Vec<&str> = texts.chain([entry.id.as_str()]).collect();
        let all = all.join("\n").to_lowercase();
        words.iter().all(|word| all.contains(word.as_str()))
    };
    let mut found: Vec<&Listed> = catalogue.tables.values().filter(has).collect();
    // Within a study in the order of the catalogue: S2 before S14.
    found.sort_by_key(|listed| {
        let entry = &listed.entry;
        let number = entry.statistic.to_string();
        let number: u32 = number.trim_start_matches('S').parse().unwrap_or(u32::MAX);
        (entry.study.to_string(), number, entry.id.len(), entry.id.clone())
    });
    found
}

fn grouped<'c>(shown: impl Iterator<Item = &'c Listed>, language: Language) -> Vec<Group> {
    let mut groups: Vec<(String, Group)> = Vec::new();
    for listed in shown {
        let study = listed.entry.study.to_string();
        if groups.last().is_none_or(|(last, _)| *last != study) {
            let title = listed.entry.study_title.text(language).to_owned();
            groups.push((study, Group { title, tables: Vec::new() }));
        }
        if let Some((_, group)) = groups.last_mut() {
            group.tables.push(row(listed, language));
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn row(listed: &Listed, language: Language) -> Row {
    let period = |at: Option<&(fellestall_shared::period::Period, _, _)>| {
        at.map(|(period, _, _)| say::period(*period, language)).unwrap_or_default()
    };
    let (first, last) = (period(listed.rounds.first()), period(listed.rounds.last()));
    let periods = if first == last { last } else { format!("{first} – {last}") };
    Row {
        id: listed.entry.id.clone(),
        title: listed.entry.title.text(language).to_owned(),
        description: listed.entry.description.text(language).to_owned(),
        periods,
        updated: say::day(listed.updated, language),
    }
}
