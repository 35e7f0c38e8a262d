//! All publications, newest first, with what each version changed.

use crate::public::Site;
use crate::versions::words::Words;
use crate::versions::{LINES, PageError, changes, line, publication};
use crate::web::frame::{self, Frame};
use crate::web::{Trouble, answer, say};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use fellestall_shared::labels::Language;
use http::HeaderMap;
use serde::Deserialize;
use std::sync::Arc;

/// Publications on one page.
const PER_PAGE: usize = 20;

#[derive(Template)]
#[template(path = "versions/list.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    entries: Vec<Entry>,
    newer: Option<usize>,
    older: Option<usize>,
}

/// One publication.
struct Entry {
    id: String,
    title: String,
    period: String,
    version: u32,
    published: String,
    day: String,
    reported: usize,
    asked: usize,
    changes: Vec<String>,
}

/// Which part of the list.
#[derive(Debug, Deserialize)]
pub(crate) struct Part {
    page: Option<usize>,
}

/// `GET /{language}/publications`.
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    Path(code): Path<String>,
    Query(part): Query<Part>,
    headers: HeaderMap,
) -> Response {
    let Some(language) = frame::language(&code) else {
        return answer(&site, Language::Nb, &headers, Err(Trouble::Missing));
    };
    let number = part.page.unwrap_or(1).max(1);
    answer(&site, language, &headers, list(&site, language, number).await)
}

async fn list(site: &Site, language: Language, number: usize) -> Result<String, Trouble> {
    let w = Words::of(language);
    let lines = site.databank.store().publications(LINES).await?;
    let before = (number - 1).saturating_mul(PER_PAGE);
    if number > 1 && before >= lines.len() {
        return Err(Trouble::Missing);
    }
    let mut entries = Vec::new();
    for one in lines.iter().skip(before).take(PER_PAGE) {
        let found = publication(site, &one.round, one.version).await.map_err(PageError::from)?;
        let Some(found) = found else { continue };
        let changes: Option<changes::Changes> = crate::versions::changes(site, &found).await?;
        entries.push(Entry {
            id: line(one).id,
            title: found.title.text(language).to_owned(),
            period: say::period(found.period, language),
            version: one.version,
            published: one.created.to_string(),
            day: say::day(one.created, language),
            reported: found.coverage.reported,
            asked: found.coverage.asked,
            changes: changes.map(|changes| changes.sentences(w)).unwrap_or_default(),
        });
    }
    let path = if number > 1 {
        format!("/publications?page={number}")
    } else {
        "/publications".to_owned()
    };
    let f = Frame::new(site, language, &w.title, &path)?;
    let newer = number.checked_sub(1).filter(|number| *number > 0);
    let older = (before.saturating_add(PER_PAGE) < lines.len()).then_some(number + 1);
    Ok(Page { f, w, entries, newer, older }.render()?)
}
