//! The databank's interface for statistical tools: PxWebApi v2, as Statistics Norway and Sweden
//! serve it.
//!
//! **Invariant:** read only but for saved queries; every answer is a stored figure, a description of
//! one, or a problem document, whatever is asked.

use crate::public::Site;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Method, Uri, header};
use limiter::Limiter;
use problem::Refusal;
use service::Service;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};

mod answer;
mod codelist;
mod data;
pub mod json_stat;
mod limiter;
mod links;
mod problem;
mod query;
mod resolve;
mod saved;
mod selection;
mod service;
mod tables;

/// Where the interface lies.
pub const ROOT: &str = "/api/v2";
/// How long a browser remembers what another site may ask.
const PREFLIGHT: Duration = Duration::from_hours(1);

/// The description of the interface (OpenAPI 3), as `PxTools` publishes it, with its defects mended.
pub const OPENAPI: &str = include_str!("pxweb/PxAPI-2.yml");

/// The routes.
pub fn router(site: &Arc<Site>) -> Router<Arc<Site>> {
    let service = Arc::new(Service::new(Arc::clone(site)));
    let limiter = Arc::new(Limiter::new(&site.web));
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::OPTIONS])
        .allow_headers(Any)
        .expose_headers([header::ETAG, header::LAST_MODIFIED, header::RETRY_AFTER])
        .max_age(PREFLIGHT);
    let api = Router::new()
        .route("/config", get(tables::config))
        .route("/tables", get(tables::list))
        .route("/tables/{id}", get(tables::one))
        .route("/tables/{id}/metadata", get(data::metadata))
        .route("/tables/{id}/defaultselection", get(data::default_selection))
        .route("/tables/{id}/data", get(data::get).post(data::post))
        .route("/codelists/{id}", get(tables::codelist))
        .route("/savedqueries", post(saved::create))
        .route("/savedqueries/{id}", get(saved::one))
        .route("/savedqueries/{id}/data", get(saved::data))
        .route("/savedqueries/{id}/selection", get(saved::selection))
        .fallback(async || Refusal::Address)
        .method_not_allowed_fallback(async || Refusal::Method)
        .with_state(service)
        .layer(middleware::from_fn_with_state(limiter, limited))
        .layer(CompressionLayer::new())
        .layer(cors);
    Router::new().nest_service(ROOT, api)
}

async fn limited(
    axum::extract::State(limiter): axum::extract::State<Arc<Limiter>>,
    request: Request,
    next: Next,
) -> Response {
    match limiter.admit(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Lets paths of the interface be written in upper or lower case, and end in a slash.
pub fn any_case(router: Router) -> Router {
    let rewritten = tower::service_fn(move |mut request: Request| {
        if let Some(uri) = lower(request.uri()) {
            *request.uri_mut() = uri;
        }
        router.clone().oneshot(request)
    });
    Router::new().fallback_service(rewritten)
}

/// The address with its path in lower case, if it lies in the interface and is not so already.
fn lower(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let own = path.get(..ROOT.len()).is_some_and(|start| start.eq_ignore_ascii_case(ROOT));
    if !own {
        return None;
    }
    let wanted = path.trim_end_matches('/').to_ascii_lowercase();
    if wanted == path {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    let whole = uri.query().map_or_else(|| wanted.clone(), |query| format!("{wanted}?{query}"));
    parts.path_and_query = Some(whole.parse().ok()?);
    Uri::from_parts(parts).ok()
}
