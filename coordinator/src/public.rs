//! The public service: pages, versions and the databank's interface, on one address.
//!
//! **Invariant:** read only but for saved queries, without identity, without scripts; serves what was
//! published and nothing else.

use crate::config::Web;
use crate::databank::Databank;
use crate::{pxweb, versions, web};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use fellestall_shared::clock::Clock;
use fellestall_shared::limits::REQUEST_TIMEOUT;
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::net::IpAddr;
use std::sync::Arc;
use tower_http::timeout::TimeoutLayer;

/// What every public route works on.
pub struct Site {
    /// The tables.
    pub databank: Databank,
    /// How the service presents itself.
    pub web: Web,
    /// The address that readers use, without a slash at its end.
    pub url: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Where a request comes from: the other end of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote(pub IpAddr);

/// What holds for every answer, unless the route says otherwise.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60")),
];

/// All public routes.
pub fn router(site: Arc<Site>) -> Router {
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT);
    let router = Router::new()
        .merge(web::router())
        .merge(versions::router())
        .merge(pxweb::router(&site))
        .layer(middleware::from_fn(protect))
        .layer(timeout)
        .with_state(site);
    pxweb::any_case(router)
}

async fn protect(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    for (name, value) in HEADERS {
        answer.headers_mut().entry(name).or_insert(value);
    }
    answer
}
