//! The pages, one file each.
//!
//! **Invariant:** a page changes nothing when it is read; a form writes who did what before it does it.

use super::asked::{Asked, Refusal};
use axum::response::{IntoResponse, Response};
use http::header;

pub(super) mod invitations;
pub(super) mod log;
pub(super) mod nodes;
pub(super) mod overview;
pub(super) mod preview;
pub(super) mod provider;
pub(super) mod publications;
pub(super) mod report;
pub(super) mod rounds;
pub(super) mod session;
pub(super) mod sign_in;
pub(super) mod staff;
pub(super) mod studies;

/// `GET /style.css`.
pub(super) async fn style() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("../../templates/admin/style.css")).into_response()
}

/// What there is not.
pub(super) async fn missing(asked: Asked) -> Response {
    asked.refuse(Refusal::Missing)
}

/// The number in a query, as `page=2`.
pub(super) fn number_in(query: Option<&str>, name: &str) -> Option<i64> {
    let pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(key, _)| *key == name).find_map(|(_, value)| value.parse().ok())
}
