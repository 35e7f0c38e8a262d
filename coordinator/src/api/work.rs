//! What the coordinator has for a node.
//!
//! **Invariant:** reading changes nothing but when the node was last seen.

use super::Shared;
use super::error::{ApiError, chain};
use super::peer::Caller;
use crate::rounds;
use crate::store::rounds::StoredRound;
use crate::store::studies::StoredStudy;
use crate::store::tasks::TaskOfRound;
use axum::Json;
use axum::extract::State;
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::{Health, LateReleases, OfferedTask, Work};
use http::{HeaderMap, header};
use std::collections::BTreeSet;

/// `GET /v1/health`: an instance whose database does not answer is of no use to anybody.
pub(super) async fn health(State(service): Shared) -> Result<Json<Health>, ApiError> {
    service.store.answers().await.map_err(|error| {
        tracing::error!(error = %chain(&error), "the database does not answer");
        ApiError::Busy
    })?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Ok(Json(Health { version, now: service.clock.now() }))
}

/// `GET /v1/work`.
pub(super) async fn work(
    State(service): Shared,
    Caller(node): Caller,
    headers: HeaderMap,
) -> Result<Json<Work>, ApiError> {
    let now = service.clock.now();
    service.store.saw_node(&node.node, software(&headers), now).await?;
    let received = service.store.received(&node.municipality).await?;
    let all_studies = service.store.studies().await?;
    let all_rounds = service.store.rounds().await?;
    let (mut studies, mut rounds) = (Vec::new(), Vec::new());
    let mut awaited_rounds = BTreeSet::new();
    for stored in &all_studies {
        let (document, study) =
            rounds::read_study(&service.coordinator_key, service.catalogue, &stored.envelope)?;
        if now.date().is_none_or(|today| today > study.ends()) {
            continue;
        }
        let takes_late = document.late_releases == LateReleases::NewVersion;
        let awaited = |round: &&StoredRound| {
            round.study == stored.digest
                && (round.closed.is_none() || (takes_late && !received.contains(&round.round)))
        };
        let awaited: Vec<_> = all_rounds.iter().filter(awaited).collect();
        if !awaited.is_empty() || is_newest(stored, &all_studies) {
            studies.push(document.envelope().clone());
        }
        for round in awaited {
            rounds.push(Envelope::from_json(&round.envelope)?);
            awaited_rounds.insert(round.round.clone());
        }
    }
    let of_node = service.store.tasks_of(&node.node).await?.into_iter();
    let tasks = of_node.filter(|task| awaited_rounds.contains(&task.round));
    let tasks = tasks.map(|TaskOfRound { round, task }| OfferedTask { round, task }).collect();
    Ok(Json(Work { now, studies, rounds, received, tasks }))
}

fn is_newest(study: &StoredStudy, all: &[StoredStudy]) -> bool {
    let newer = |other: &StoredStudy| other.study == study.study && other.version > study.version;
    !all.iter().any(newer)
}

/// The version in `fellestall-node/VERSION`, if it is a plain one.
fn software(headers: &HeaderMap) -> Option<&str> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let version = agent.strip_prefix("fellestall-node/")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+');
    (version.len() <= 32 && version.bytes().all(plain)).then_some(version)
}
