//! The pages about versions.
//!
//! **Invariant:** in the frame of the other public pages; a page shows what its version says, and
//! that there is a newer one.

use super::files::Asked;
use crate::formats::words::code;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use fellestall_shared::labels::Language;
use http::{HeaderMap, header};

pub(super) mod list;
pub(super) mod version;

/// `GET /changelog`: to the list, which says what each version changed.
pub(super) async fn changelog(Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    redirect(asked.language(&headers), "/publications")
}

/// To a page in the reader's language.
pub(super) fn redirect(language: Language, path: &str) -> Response {
    let to = format!("/{}{path}", code(language));
    ([(header::VARY, "accept-language")], Redirect::to(&to)).into_response()
}
