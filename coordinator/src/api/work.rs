//! What the coordinator has for a node.
//!
//! **Invariant:** reading changes nothing but when the node was last seen.

use super::Shared;
use super::error::ApiError;
use super::peer::Caller;
use crate::rounds;
use crate::store::rounds::StoredRound;
use crate::store::studies::StoredStudy;
use axum::Json;
use axum::extract::State;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::{Health, Work};
use http::{HeaderMap, header};

/// `GET /v1/health`.
pub(super) async fn health(State(service): Shared) -> Json<Health> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Json(Health { version, now: service.clock.now() })
}

/// `GET /v1/work`.
pub(super) async fn work(
    State(service): Shared,
    Caller(node): Caller,
    headers: HeaderMap,
) -> Result<Json<Work>, ApiError> {
    let now = service.clock.now();
    service.store.saw_node(&node.node, software(&headers), now).await?;
    let mut open = service.store.rounds().await?;
    open.retain(|round| round.closed.is_none());
    let studies = service.store.studies().await?;
    let mut in_force = Vec::new();
    for study in studies.iter().filter(|study| is_current(study, &studies, &open)) {
        let (verified, checked) =
            rounds::read_study(&service.coordinator_key, service.catalogue, &study.envelope)?;
        if not_ended(checked.ends(), now) {
            in_force.push(verified.envelope().clone());
        }
    }
    let rounds: Result<Vec<Envelope>, _> =
        open.iter().map(|round| Envelope::from_json(&round.envelope)).collect();
    let received = service.store.received(&node.municipality).await?;
    Ok(Json(Work { now, studies: in_force, rounds: rounds?, received }))
}

/// The newest version of a study, and any that an open round asks.
fn is_current(study: &StoredStudy, all: &[StoredStudy], open: &[StoredRound]) -> bool {
    let newer = |other: &StoredStudy| other.study == study.study && other.version > study.version;
    !all.iter().any(newer) || open.iter().any(|round| round.study == study.digest)
}

fn not_ended(ends: time::Date, now: Timestamp) -> bool {
    now.date().is_some_and(|today| today <= ends)
}

/// The version in `fellestall-node/VERSION`, if it is a plain one.
fn software(headers: &HeaderMap) -> Option<&str> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let version = agent.strip_prefix("fellestall-node/")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+');
    (version.len() <= 32 && version.bytes().all(plain)).then_some(version)
}
