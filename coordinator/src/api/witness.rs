//! Countersigning, and what a node that lost a part of its ledger needs to have it back.
//!
//! **Invariant:** a witness is given only for what continues the last one, and after it is durable; a
//! node is given nothing but its own.

use super::Shared;
use super::body;
use super::error::ApiError;
use super::peer::Caller;
use crate::store::witnesses::Witnessed;
use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use fellestall_shared::limits::DOCUMENT_BYTES;
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::{OwnReleases, Standing, Witness};

/// `POST /v1/witness`.
pub(super) async fn state(
    State(service): Shared,
    Caller(node): Caller,
    body: Body,
) -> Result<Json<Envelope>, ApiError> {
    let bytes = body::bytes(&service.bodies, body, DOCUMENT_BYTES).await?;
    let standing = Envelope::from_json(&bytes)?.verify::<Standing>(&node.release_key)?;
    if standing.node != node.node {
        return Err(ApiError::Bound { what: "node" });
    }
    let (statement, now) = (standing.digest(), service.clock.now());
    let ledger = node.release_key.fingerprint();
    let sign = |number, previous| -> Result<_, ApiError> {
        let witness = Witness {
            node: node.node.clone(),
            number,
            previous,
            ledger: standing.ledger,
            log: standing.log,
            statement,
            at: now,
        };
        let envelope = service.signing_key.sign(&witness)?;
        Ok((envelope.payload_digest(), envelope.to_json()?))
    };
    match service.store.witness((ledger, &standing), statement, now, sign).await? {
        Witnessed::Witness(bytes) => Ok(Json(Envelope::from_json(&bytes)?)),
        Witnessed::Conflict => {
            tracing::warn!(node = %node.node, "ALARM: a ledger is behind what was witnessed, or another one");
            Err(ApiError::Ledger)
        }
    }
}

/// `GET /v1/witness`.
pub(super) async fn last(
    State(service): Shared,
    Caller(node): Caller,
) -> Result<Json<Envelope>, ApiError> {
    let last = service.store.last_witness(&node.node).await?;
    let last = last.ok_or(ApiError::NotFound { what: "witness of this node" })?;
    Ok(Json(Envelope::from_json(&last.envelope)?))
}

/// `GET /v1/releases?after={number}`.
pub(super) async fn releases(
    State(service): Shared,
    Caller(node): Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<OwnReleases>, ApiError> {
    let after = query.as_deref().and_then(|query| query.strip_prefix("after="));
    let malformed = ApiError::Malformed { what: "after=NUMBER, a place in the node's ledger" };
    let after = after.and_then(|number| number.parse().ok()).ok_or(malformed)?;
    let ledger = node.release_key.fingerprint();
    let stored = service.store.own_releases(&node.municipality, ledger, after).await?;
    let releases = stored.iter().map(|bytes| Envelope::from_json(bytes));
    Ok(Json(OwnReleases { releases: releases.collect::<Result<_, _>>()? }))
}
