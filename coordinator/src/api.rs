//! The service for nodes: the routes of `shared::wire::v1`, and nothing else.
//!
//! **Invariant:** a route for nodes learns who calls before it reads a byte of the body; every
//! refusal is a problem document that quotes nothing of what was sent; no body is ever logged.

use crate::authority::Authority;
use crate::store::Store;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post, put};
use error::ApiError;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Clock;
use fellestall_shared::limits::{HEADER_COUNT, REQUEST_TIMEOUT};
use fellestall_shared::signed::{SigningKey, VerifyingKey};
use http::header::CONTENT_ENCODING;
use std::sync::Arc;
use tokio::sync::Semaphore;

pub(crate) mod body;
mod enrolment;
pub mod error;
pub mod peer;
mod reports;
mod uploads;
mod witness;
mod work;

/// Bodies of enrolled nodes that are held in memory at once, at the most.
const BODIES: usize = 64;
/// Bodies of strangers who apply, likewise: in places of their own, so that a stranger's slow bodies
/// never keep a node's release waiting.
const STRANGERS: usize = 16;
/// Reports that are held in memory at once, at the most: they may be large.
const REPORTS: usize = 8;

/// What every route works on.
pub struct Service {
    /// The store.
    pub store: Store,
    /// The certificate authority.
    pub authority: Arc<Authority>,
    /// The key that nodes check studies and rounds with.
    pub coordinator_key: VerifyingKey,
    /// The key that signs what nodes are countersigned with.
    pub signing_key: SigningKey,
    /// The statistics.
    pub catalogue: &'static Catalogue,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Bodies of nodes that may be read at once.
    bodies: Semaphore,
    /// Bodies of strangers that may be read at once.
    strangers: Semaphore,
    /// Reports that may be read at once.
    reports: Semaphore,
}

impl Service {
    /// A service over these.
    #[must_use]
    pub fn new(
        store: Store,
        authority: Authority,
        signing_key: SigningKey,
        catalogue: &'static Catalogue,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let coordinator_key = signing_key.verifying_key();
        let authority = Arc::new(authority);
        let places = Semaphore::new;
        Self {
            store,
            authority,
            coordinator_key,
            signing_key,
            catalogue,
            clock,
            bodies: places(BODIES),
            strangers: places(STRANGERS),
            reports: places(REPORTS),
        }
    }
}

/// All routes for nodes.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/health", get(work::health))
        .route("/v1/enrolments", post(enrolment::apply))
        .route("/v1/enrolments/state", post(enrolment::state))
        .route("/v1/certificates", post(enrolment::renew))
        .route("/v1/work", get(work::work))
        .route("/v1/decisions/{study}", put(uploads::decision))
        .route("/v1/tasks/{task}", get(reports::task))
        .route("/v1/reports/{release}", put(reports::report))
        .route("/v1/releases/{release}", put(uploads::release))
        .route("/v1/releases", get(witness::releases))
        .route("/v1/witness", get(witness::last).post(witness::state))
        .fallback(async || ApiError::NotFound { what: "route" })
        .method_not_allowed_fallback(async || ApiError::NotFound { what: "method on this route" })
        .layer(middleware::from_fn(guard))
        .with_state(service)
}

/// What holds for every request: plain bodies, few headers, a bound on time, one line in the log.
async fn guard(request: Request, next: Next) -> Result<Response, ApiError> {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = request.method().clone();
    let encoded = request.headers().get(CONTENT_ENCODING).is_some_and(|value| value != "identity");
    if request.headers().len() > HEADER_COUNT {
        return Err(ApiError::Headers);
    }
    if encoded {
        return Err(ApiError::Malformed { what: "a body without content encoding" });
    }
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    let answer = answer.map_err(|_| ApiError::Busy);
    let status = answer.as_ref().map_or(503, |answer| answer.status().as_u16());
    tracing::debug!(%method, route, status, "answered");
    answer
}

/// The service as routes take it.
type Shared = State<Arc<Service>>;
