//! The helper's routes: three of them, for one caller.
//!
//! **Invariant:** who calls is known before a byte of the body is read; no body is ever logged, and no
//! answer quotes one.

use super::Helper;
use super::error::HelperError;
use crate::api::body;
use crate::api::error::ApiError;
use crate::api::peer::Shown;
use crate::authority::LEADER;
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use fellestall_shared::digest::Digest;
use fellestall_shared::limits::{DOCUMENT_BYTES, HEADER_COUNT, JOB_BYTES, JOB_TIMEOUT};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use std::sync::Arc;

/// All routes of the helper.
pub fn router(helper: Arc<Helper>) -> Router {
    Router::new()
        .route("/v1/helper/tasks/{task}", put(task))
        .route("/v1/helper/jobs/{task}/{job}", put(job))
        .route("/v1/helper/batches/{task}/{batch}", put(batch))
        .fallback(async || not_found("route"))
        .method_not_allowed_fallback(async || not_found("method on this route"))
        .layer(middleware::from_fn(guard))
        .with_state(helper)
}

/// What holds for every request: the leader's certificate, plain bodies, few headers, a bound on time,
/// one line in the log.
async fn guard(request: Request, next: Next) -> Result<Response, HelperError> {
    let leader = match request.extensions().get::<Shown>() {
        Some(Shown::Certificate(peer)) => peer.name() == LEADER,
        _ => false,
    };
    if !leader {
        return Err(HelperError::NotTheLeader);
    }
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = request.method().clone();
    let encoded = request.headers().get(CONTENT_ENCODING).is_some_and(|value| value != "identity");
    if request.headers().len() > HEADER_COUNT {
        return Err(ApiError::Headers.into());
    }
    if encoded {
        return Err(ApiError::Malformed { what: "a body without content encoding" }.into());
    }
    let answer = tokio::time::timeout(JOB_TIMEOUT, next.run(request)).await;
    let answer = answer.map_err(|_| ApiError::Busy.into());
    let status = answer.as_ref().map_or(503, |answer| answer.status().as_u16());
    tracing::debug!(%method, route, status, "answered");
    answer
}

/// `PUT /v1/helper/tasks/{task}`.
async fn task(
    State(helper): State<Arc<Helper>>,
    Path(task): Path<String>,
    body: Body,
) -> Result<Response, HelperError> {
    let task = digest(&task)?;
    let bytes = body::bytes(&helper.bodies, body, JOB_BYTES).await?;
    Ok(json(helper.accept(task, &bytes).await?))
}

/// `PUT /v1/helper/jobs/{task}/{job}`.
async fn job(
    State(helper): State<Arc<Helper>>,
    Path((task, job)): Path<(String, String)>,
    body: Body,
) -> Result<Response, HelperError> {
    let (task, job) = (digest(&task)?, number(&job)?);
    let bytes = body::bytes(&helper.bodies, body, JOB_BYTES).await?;
    Ok(json(helper.work(task, job, &bytes).await?))
}

/// `PUT /v1/helper/batches/{task}/{batch}`.
async fn batch(
    State(helper): State<Arc<Helper>>,
    Path((task, batch)): Path<(String, String)>,
    body: Body,
) -> Result<Response, HelperError> {
    let (task, batch) = (digest(&task)?, number(&batch)?);
    let bytes = body::bytes(&helper.bodies, body, DOCUMENT_BYTES).await?;
    Ok(json(helper.open(task, batch, &bytes).await?))
}

fn json(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], bytes).into_response()
}

fn not_found(what: &'static str) -> HelperError {
    ApiError::NotFound { what }.into()
}

fn digest(text: &str) -> Result<Digest, ApiError> {
    let what = "a task of 64 hexadecimal digits in its path";
    text.parse().map_err(|_| ApiError::Malformed { what })
}

fn number(text: &str) -> Result<u32, ApiError> {
    text.parse().map_err(|_| ApiError::Malformed { what: "a number in its path" })
}
