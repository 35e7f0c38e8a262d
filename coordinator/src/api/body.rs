//! Bodies, read up to a limit.
//!
//! **Invariant:** no more of a body is held than its route's limit, whatever its headers say, and no
//! more bodies at once than there are places for.

use super::error::ApiError;
use axum::body::{Body, Bytes, HttpBody};
use fellestall_shared::limits::DOCUMENT_BYTES;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

/// Reads a body of at most `limit` bytes, in one of these places.
pub(crate) async fn bytes(places: &Semaphore, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    // What a body says of itself saves reading it; it is never trusted.
    let least = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if least > limit {
        return Err(ApiError::TooLarge { limit });
    }
    let _place = places.acquire().await.map_err(|_| ApiError::Busy)?;
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::TooLarge { limit }),
        Err(_) => Err(ApiError::Malformed { what: "a complete body" }),
    }
}

/// Reads a body that is one unsigned JSON message.
pub(super) async fn json<T: DeserializeOwned>(
    places: &Semaphore,
    body: Body,
    what: &'static str,
) -> Result<T, ApiError> {
    let bytes = bytes(places, body, DOCUMENT_BYTES).await?;
    serde_json::from_slice(&bytes).map_err(|_| ApiError::Malformed { what })
}
