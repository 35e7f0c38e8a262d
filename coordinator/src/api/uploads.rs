//! What a node sends: decisions and releases, each signed with its release key.
//!
//! **Invariant:** nothing is stored before its signature held under the caller's own key and every
//! binding in it names the caller; the answer is given after the bytes are durable.

use super::Shared;
use super::body;
use super::error::ApiError;
use super::peer::Caller;
use super::reports;
use crate::rounds;
use crate::store::releases::{Late, NewRelease, StoredRelease, Upload};
use crate::store::studies::{Kept, StoredDecision};
use crate::store::witnesses::Link;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::ReleaseId;
use fellestall_shared::limits::{DOCUMENT_BYTES, RELEASE_BYTES};
use fellestall_shared::round::AcceptedRelease;
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::{Decision, LateReleases, Receipt, ReleaseDocument};
use http::StatusCode;

/// `PUT /v1/decisions/{study digest}`.
pub(super) async fn decision(
    State(service): Shared,
    Caller(node): Caller,
    Path(study): Path<String>,
    body: Body,
) -> Result<StatusCode, ApiError> {
    let study: Digest = digest(&study)?;
    let bytes = body::bytes(&service.bodies, body, DOCUMENT_BYTES).await?;
    let decision = Envelope::from_json(&bytes)?.verify::<Decision>(&node.release_key)?;
    if decision.node != node.node {
        return Err(ApiError::Bound { what: "node" });
    }
    if decision.study != study {
        return Err(ApiError::Bound { what: "study" });
    }
    if service.store.study(study).await?.is_none() {
        return Err(ApiError::NotFound { what: "study" });
    }
    let stored = StoredDecision {
        node: node.node,
        study,
        digest: decision.digest(),
        envelope: bytes.to_vec(),
        received: service.clock.now(),
    };
    let kept = service.store.add_decision(&stored).await?;
    tracing::info!(node = %stored.node, study = %study.short(), "decided");
    Ok(if kept == Kept::New { StatusCode::CREATED } else { StatusCode::OK })
}

/// `PUT /v1/releases/{release id}`.
pub(super) async fn release(
    State(service): Shared,
    Caller(node): Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<(StatusCode, Json<Receipt>), ApiError> {
    let id = ReleaseId::from(digest(&id)?);
    let bytes = body::bytes(&service.bodies, body, RELEASE_BYTES).await?;
    // A release comes with blanks after it, so that its size says nothing; they are no part of it.
    let blanks = bytes.iter().rev().take_while(|byte| **byte == b' ').count();
    let bytes = bytes.get(..bytes.len().saturating_sub(blanks)).unwrap_or_default();
    let release = Envelope::from_json(bytes)?.verify::<ReleaseDocument>(&node.release_key)?;
    if release.release != id {
        return Err(ApiError::Bound { what: "question" });
    }
    let round = rounds::load_round(
        &service.store,
        &service.coordinator_key,
        service.catalogue,
        &release.round,
    )
    .await?
    .round;
    let accepted = AcceptedRelease::new(release, &round, &node.node, &node.municipality)?;
    reports::check_stored(&service, id, accepted.document().report).await?;
    let late = match round.study().document().late_releases {
        LateReleases::NewVersion => Late::Taken,
        LateReleases::Refused => Late::Refused,
    };
    let link = Link {
        ledger: node.release_key.fingerprint(),
        sequence: accepted.document().ledger_sequence,
        previous: accepted.document().ledger_previous,
        head: accepted.ledger_head(),
    };
    let release = StoredRelease {
        release: id,
        round: round.id().clone(),
        node: node.node,
        municipality: node.municipality,
        digest: accepted.verified().digest(),
        envelope: bytes.to_vec(),
        received: service.clock.now(),
        late: false,
    };
    let new = NewRelease { release, link };
    let upload = service.store.add_release(&new, late).await?;
    let stored = new.release;
    let receipt = Json(Receipt { release: id, digest: stored.digest });
    match upload {
        Upload::Stored => {
            tracing::info!(node = %stored.node, round = %stored.round, "release stored");
            Ok((StatusCode::CREATED, receipt))
        }
        Upload::Stood => Ok((StatusCode::OK, receipt)),
        Upload::Closed => Err(ApiError::RoundClosed),
        Upload::Forked => {
            tracing::warn!(node = %stored.node, round = %stored.round, "ALARM: a release does not continue its node's ledger");
            Err(ApiError::Ledger)
        }
        Upload::Conflict => {
            tracing::warn!(node = %stored.node, round = %stored.round, "ALARM: another release came under the id of a stored one");
            Err(ApiError::Conflict)
        }
    }
}

pub(super) fn digest(text: &str) -> Result<Digest, ApiError> {
    let what = "an id of 64 hexadecimal digits in its path";
    text.parse().map_err(|_| ApiError::Malformed { what })
}
