//! What was published, version by version, for downloading.
//!
//! **Invariant:** read only; every version stands for ever under its own address.

use crate::api::error::chain;
use crate::public::Site;
use crate::publish::{PublicationFile, csv};
use crate::store::StoreError;
use crate::store::publications::PublicationLine;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use fellestall_shared::labels::Language;
use http::{StatusCode, header};
use serde::Serialize;
use std::sync::Arc;

/// Publications on one page, at the most.
pub(crate) const LINES: u32 = 500;
/// A publication never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Why a page is not shown.
pub(crate) enum PageError {
    NotFound,
    Store(StoreError),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found\n").into_response(),
            Self::Store(error) => {
                tracing::error!(error = %chain(&error), "a page failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "The coordinator failed\n").into_response()
            }
        }
    }
}

/// The routes.
pub fn router() -> Router<Arc<Site>> {
    Router::new().route("/publications", get(list)).route("/publications/{file}", get(file))
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
        id: format!("{}.v{}", line.round, line.version),
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

/// `GET /publications/{id}.json` and `.csv`.
async fn file(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let (id, kind) = name.rsplit_once('.').ok_or(PageError::NotFound)?;
    let (round, version) = id.rsplit_once(".v").ok_or(PageError::NotFound)?;
    let round = round.parse().map_err(|_| PageError::NotFound)?;
    let version = version.parse().map_err(|_| PageError::NotFound)?;
    let publication =
        site.databank.store().publication(&round, version).await?.ok_or(PageError::NotFound)?;
    let (media_type, body) = match kind {
        "json" => ("application/json", publication.document),
        "csv" => {
            let file: PublicationFile = serde_json::from_slice(&publication.document)
                .map_err(|_| StoreError::Damaged { column: "document" })?;
            let figures = csv::figures(&file.publication, Language::Nb)
                .map_err(|_| StoreError::Damaged { column: "document" })?;
            ("text/csv; charset=utf-8", figures)
        }
        _ => return Err(PageError::NotFound),
    };
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::ETAG, format!("\"{}-{kind}\"", publication.digest)),
        (header::CACHE_CONTROL, FOREVER.to_owned()),
    ];
    Ok((headers, body).into_response())
}
