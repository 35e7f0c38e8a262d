//! The stylesheet and the icon.
//!
//! **Invariant:** an address with a digest in it always gives the same bytes.

use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use fellestall_shared::digest::Digest;
use http::{HeaderMap, StatusCode, header};
use std::sync::LazyLock;

const STYLE: &str = include_str!("../../templates/web/style.css");
const ICON: &str = include_str!("../../templates/web/favicon.svg");
const FOREVER: &str = "public, max-age=31536000, immutable";
const A_DAY: &str = "public, max-age=86400";

static STYLE_DIGEST: LazyLock<String> =
    LazyLock::new(|| Digest::of("fellestall/style", STYLE.as_bytes()).short());

/// The stylesheet's address, new whenever the stylesheet is.
pub(super) fn style_address() -> String {
    format!("/style.css?v={}", *STYLE_DIGEST)
}

/// `GET /style.css`.
pub(super) async fn style(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let digest = STYLE_DIGEST.as_str();
    let is_versioned = query.and_then(|query| query.strip_prefix("v=").map(|v| v == digest));
    let cache = if is_versioned == Some(true) { FOREVER } else { A_DAY };
    let tag = format!("\"{digest}\"");
    let meta = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, cache.to_owned())];
    if unchanged(&headers, &tag) {
        return (StatusCode::NOT_MODIFIED, meta).into_response();
    }
    (meta, [(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// `GET /favicon.svg`.
pub(super) async fn icon() -> Response {
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, A_DAY)];
    (headers, ICON).into_response()
}

/// Whether the reader has what this tag stands for.
pub(super) fn unchanged(headers: &HeaderMap, tag: &str) -> bool {
    let Some(known) = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    known.split(',').any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag.trim_start_matches("W/")
    })
}
