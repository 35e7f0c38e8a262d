//! From a page, or the reason that there is none, to an answer.
//!
//! **Invariant:** every page has a tag of its bytes; an error is a page in the frame and says nothing
//! of the inside.

use super::assets::unchanged;
use super::chart::ChartError;
use super::frame::{Frame, code};
use super::words::{BadWords, Errors, Words};
use crate::api::error::chain;
use crate::databank::DatabankError;
use crate::public::Site;
use crate::store::StoreError;
use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use fellestall_shared::catalogue::CatalogueError;
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::Language;
use http::{HeaderMap, StatusCode, header};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// No such page, table or language.
    #[error("there is no such page")]
    Missing,
    /// The databank failed.
    #[error(transparent)]
    Databank(#[from] DatabankError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The texts that the program was built with.
    #[error(transparent)]
    Words(#[from] &'static BadWords),
    /// A chart that cannot be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The description of the interface that the program was built with.
    #[error("the description of the interface cannot be read: {0}")]
    Interface(&'static str),
    /// The catalogue that the program was built with.
    #[error(transparent)]
    Catalogue(#[from] &'static CatalogueError),
    /// A stored document that cannot be read.
    #[error("a stored publication cannot be read")]
    Document(#[from] serde_json::Error),
    /// A page that cannot be written.
    #[error(transparent)]
    Template(#[from] askama::Error),
}

/// A page that says why there is none.
#[derive(Template)]
#[template(path = "web/trouble.html")]
struct TroublePage {
    f: Frame,
    w: &'static Errors,
    is_missing: bool,
}

/// The answer with a page or, in the language of the reader, the reason that there is none.
pub(crate) fn answer(
    site: &Site,
    language: Language,
    headers: &HeaderMap,
    page: Result<String, Trouble>,
) -> Response {
    match page {
        Ok(page) => html(headers, page),
        Err(trouble) => refuse(site, language, &trouble),
    }
}

fn html(headers: &HeaderMap, page: String) -> Response {
    let digest = Digest::of("fellestall/page", page.as_bytes()).short();
    // A page may be compressed on its way, so that its tag is a weak one.
    let tag = format!("W/\"{digest}\"");
    let meta = [(header::ETAG, tag.clone())];
    if unchanged(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, meta).into_response();
    }
    (meta, Html(page)).into_response()
}

fn refuse(site: &Site, language: Language, trouble: &Trouble) -> Response {
    let is_missing = matches!(trouble, Trouble::Missing);
    let status = if is_missing {
        StatusCode::NOT_FOUND
    } else {
        tracing::error!(error = %chain(trouble), "a page failed");
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let page = trouble_page(site, language, is_missing).unwrap_or_else(|trouble| {
        tracing::error!(error = %chain(&trouble), "a page failed");
        code(language).to_owned()
    });
    ([(header::CACHE_CONTROL, "no-store")], (status, Html(page))).into_response()
}

fn trouble_page(site: &Site, language: Language, is_missing: bool) -> Result<String, Trouble> {
    let w = &Words::of(language)?.errors;
    let title = if is_missing { &w.missing_title } else { &w.broken_title };
    let f = Frame::new(site, language, title, "/")?;
    Ok(TroublePage { f, w, is_missing }.render()?)
}
