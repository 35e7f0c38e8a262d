//! What was published, version by version: pages, files, citations, a feed and a catalogue.
//!
//! **Invariant:** read only; every version stands for ever under its own address, and its files keep
//! their bytes whatever is published later.

use crate::api::error::chain;
use crate::formats::FormatError;
use crate::public::Site;
use crate::publish::{Publication, PublicationFile};
use crate::store::StoreError;
use crate::store::publications::{PublicationLine, StoredPublication};
use crate::web::Trouble;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use fellestall_shared::ids::RoundId;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use std::sync::Arc;

mod catalog;
mod changes;
mod cite;
mod feed;
mod files;
mod measurements;
mod pages;
mod words;

/// Publications in one list, at the most.
pub(crate) const LINES: u32 = 500;
/// A publication never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Why a file is not given.
pub(crate) enum PageError {
    NotFound,
    Store(StoreError),
    Format(FormatError),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<FormatError> for PageError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl From<PageError> for Trouble {
    fn from(error: PageError) -> Self {
        match error {
            PageError::NotFound => Self::Missing,
            PageError::Store(error) => Self::Store(error),
            PageError::Format(_) => Self::Store(StoreError::Damaged { column: "document" }),
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found\n").into_response(),
            Self::Store(error) => failed(&error),
            Self::Format(error) => failed(&error),
        }
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error = %chain(error), "a file failed");
    (StatusCode::INTERNAL_SERVER_ERROR, "The coordinator failed\n").into_response()
}

/// The routes.
pub fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/publications", get(list))
        .route("/publications/{file}", get(files::file))
        .route("/{language}/publications", get(pages::list::page))
        .route("/{language}/publications/{id}", get(pages::version::page))
        .route("/changelog", get(pages::changelog))
        .route("/feed.atom", get(feed::any))
        .route("/{language}/feed.atom", get(feed::one))
        .route("/catalog.ttl", get(catalog::page))
}

/// One publication in the list.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub id: String,
    pub round: String,
    pub version: u32,
    pub digest: String,
    pub published: String,
}

pub(crate) fn line(line: &PublicationLine) -> Line {
    Line {
        id: id(&line.round, line.version),
        round: line.round.to_string(),
        version: line.version,
        digest: line.digest.to_string(),
        published: line.created.to_string(),
    }
}

/// `GET /publications`.
async fn list(State(site): State<Arc<Site>>) -> Result<impl IntoResponse, PageError> {
    let lines: Vec<Line> =
        site.databank.store().publications(LINES).await?.iter().map(line).collect();
    Ok(Json(lines))
}

/// The id of a version in addresses, as `core.1.2026H1.v2`.
pub(crate) fn id(round: &RoundId, version: u32) -> String {
    format!("{round}.v{version}")
}

/// The round and version of an id, and what follows it.
fn parse(name: &str) -> Option<(RoundId, u32, &str)> {
    let (at, _) = name.match_indices('.').nth(2)?;
    let (round, rest) = name.split_at_checked(at)?;
    let rest = rest.strip_prefix(".v")?;
    let (digits, kind) = rest.split_once('.').unwrap_or((rest, ""));
    let version: u32 = digits.parse().ok()?;
    (version.to_string() == digits).then_some((round.parse().ok()?, version, kind))
}

/// A publication out of its stored document.
fn read(stored: &StoredPublication) -> Result<PublicationFile, StoreError> {
    serde_json::from_slice(&stored.document).map_err(|_| StoreError::Damaged { column: "document" })
}

/// One version, read; `None` if there is none.
async fn publication(
    site: &Site,
    round: &RoundId,
    version: u32,
) -> Result<Option<Publication>, StoreError> {
    let stored = site.databank.store().publication(round, version).await?;
    stored.map(|stored| Ok(read(&stored)?.publication)).transpose()
}

/// What a version changed from the one before it; `None` for the first.
async fn changes(
    site: &Site,
    publication: &Publication,
) -> Result<Option<changes::Changes>, StoreError> {
    let Some(before) = publication.version.checked_sub(1).filter(|version| *version > 0) else {
        return Ok(None);
    };
    let before = self::publication(site, &publication.round, before).await?;
    Ok(before.map(|before| changes::between(&before, publication)))
}

/// Whether the reader has what this tag stands for.
fn unchanged(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.is_some_and(|known| {
        known.split(',').any(|one| one.trim() == "*" || plain(one) == plain(tag))
    })
}

#[cfg(test)]
mod tests;
