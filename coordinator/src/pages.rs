//! The public pages: what was published, for reading and for downloading.
//!
//! **Invariant:** read only, without identity, without scripts; serves publications and nothing else.

use crate::api::error::chain;
use crate::publish::{PublicationFile, csv};
use crate::store::publications::PublicationLine;
use crate::store::{Store, StoreError};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use fellestall_shared::labels::Language;
use fellestall_shared::limits::REQUEST_TIMEOUT;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use std::fmt::Write;
use tower_http::timeout::TimeoutLayer;

/// Publications on one page, at the most.
const LINES: u32 = 500;
/// A publication never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";

const SECURITY: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60")),
];

/// Why a page is not shown.
enum PageError {
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

/// All public pages.
pub fn router(store: Store) -> Router {
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT);
    Router::new()
        .route("/", get(index))
        .route("/publications", get(list))
        .route("/publications/{file}", get(file))
        .layer(timeout)
        .with_state(store)
}

/// One publication in the list.
#[derive(Debug, Serialize)]
struct Line {
    id: String,
    round: String,
    version: u32,
    digest: String,
    published: String,
}

fn line(line: &PublicationLine) -> Line {
    Line {
        id: format!("{}.v{}", line.round, line.version),
        round: line.round.to_string(),
        version: line.version,
        digest: line.digest.to_string(),
        published: line.created.to_string(),
    }
}

/// `GET /publications`.
async fn list(State(store): State<Store>) -> Result<impl IntoResponse, PageError> {
    let lines: Vec<Line> = store.publications(LINES).await?.iter().map(line).collect();
    Ok((SECURITY, Json(lines)))
}

/// `GET /publications/{id}.json` and `.csv`.
async fn file(State(store): State<Store>, Path(name): Path<String>) -> Result<Response, PageError> {
    let (id, kind) = name.rsplit_once('.').ok_or(PageError::NotFound)?;
    let (round, version) = id.rsplit_once(".v").ok_or(PageError::NotFound)?;
    let round = round.parse().map_err(|_| PageError::NotFound)?;
    let version = version.parse().map_err(|_| PageError::NotFound)?;
    let publication = store.publication(&round, version).await?.ok_or(PageError::NotFound)?;
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
    Ok((SECURITY, headers, body).into_response())
}

const HEAD: &str = "<!doctype html>
<html lang=\"nb\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>Fellestall: publiserte tall</title>
<style>
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
p { margin: 0 0 1.25rem; max-width: 38rem; }
ul { list-style: none; padding: 0; margin: 2rem 0; }
li { padding: .9rem 0; border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
li strong { display: block; }
.meta { font-size: .9375rem; opacity: .8; overflow-wrap: anywhere; }
a { color: LinkText; }
a:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
</style>
</head>
<body>
<main>
<h1>Publiserte tall</h1>
<p>Felles tall fra norske kommuner. Hver kommune teller selv og legger til støy før tallene sendes; \
ingen opplysninger om enkeltpersoner forlater kommunen. Hvert tall har et usikkerhetsintervall, og hver \
fil kan kontrolleres i ettertid.</p>
";

/// `GET /`.
async fn index(State(store): State<Store>) -> Result<impl IntoResponse, PageError> {
    let lines = store.publications(LINES).await?;
    let mut page = String::from(HEAD);
    if lines.is_empty() {
        page.push_str("<p>Ingenting er publisert ennå.</p>\n");
    } else {
        page.push_str("<ul>\n");
        for publication in lines.iter().map(line) {
            // Identifiers, digests and dates: none of them has a character that HTML escapes.
            let Line { id, round, version, digest, published } = publication;
            let _infallible = writeln!(
                page,
                "<li><strong>{round}, versjon {version}</strong>\
                 <span class=\"meta\">Publisert <time>{published}</time> · \
                 <a href=\"/publications/{id}.json\">JSON</a> · \
                 <a href=\"/publications/{id}.csv\">CSV</a><br>{digest}</span></li>"
            );
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</main>\n</body>\n</html>\n");
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok((SECURITY, [media_type], page))
}
