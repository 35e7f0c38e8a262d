//! Tasks and reports of shared tables.
//!
//! **Invariant:** a report is stored only after it was checked as both servers check it, under the
//! caller's own key; what is inside its shares is not looked at here.

use super::error::ApiError;
use super::peer::Caller;
use super::uploads::digest;
use super::{Service, Shared, body};
use crate::rounds::{self, LoadedRound, task};
use crate::store::releases::{Late, Upload};
use crate::store::reports::NewReport;
use crate::store::tasks::StoredTask;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::ReleaseId;
use fellestall_shared::limits::REPORT_BYTES;
use fellestall_shared::secure::vdaf::leader_share_digest;
use fellestall_shared::secure::{AcceptedReport, Task};
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::{
    AcceptedTask, LateReleases, Receipt, Rejection, Report, ReportDocument,
};
use http::StatusCode;

const WHAT: &str = "task that the helper has accepted";

/// `GET /v1/tasks/{task}`.
pub(super) async fn task(
    State(service): Shared,
    Caller(node): Caller,
    Path(id): Path<String>,
) -> Result<Json<AcceptedTask>, ApiError> {
    let id = digest(&id)?;
    let (stored, _, task) = load(&service, id).await?;
    // Who may not report has no use for it.
    let is_participant =
        task.participant(&node.municipality).is_some_and(|listed| listed.node == node.node);
    let acceptance = stored.acceptance.filter(|_| is_participant);
    let acceptance = acceptance.ok_or(ApiError::NotFound { what: WHAT })?;
    Ok(Json(AcceptedTask {
        task: Envelope::from_json(&stored.envelope)?,
        acceptance: Envelope::from_json(&acceptance)?,
    }))
}

/// `PUT /v1/reports/{release id}`.
pub(super) async fn report(
    State(service): Shared,
    Caller(node): Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<(StatusCode, Json<Receipt>), ApiError> {
    let id = ReleaseId::from(digest(&id)?);
    let bytes = body::bytes(&service.reports, body, REPORT_BYTES).await?;
    let what = "a report in JSON";
    let Report { report, leader_share } =
        serde_json::from_slice(&bytes).map_err(|_| ApiError::Malformed { what })?;
    drop(bytes);
    let signed = report.clone().verify::<ReportDocument>(&node.release_key)?;
    if signed.release != id {
        return Err(ApiError::Bound { what: "question" });
    }
    let (stored, loaded, task) = load(&service, signed.task).await?;
    if stored.acceptance.is_none() {
        return Err(ApiError::NotFound { what: WHAT });
    }
    let accepted = AcceptedReport::new(report, &task, &loaded.round)?;
    let document = accepted.document();
    if document.node != node.node || document.municipality != node.municipality {
        return Err(ApiError::Bound { what: "node" });
    }
    if document.leader_share != leader_share_digest(&leader_share.0) {
        return Err(Rejection::Binding.into());
    }
    let late = match loaded.round.study().document().late_releases {
        LateReleases::NewVersion => Late::Taken,
        LateReleases::Refused => Late::Refused,
    };
    let new = NewReport {
        release: id,
        task: task.digest(),
        round: loaded.round.id().clone(),
        node: node.node,
        municipality: node.municipality,
        digest: accepted.verified().digest(),
        envelope: accepted.verified().envelope().to_json()?,
        leader_share,
        received: service.clock.now(),
    };
    let receipt = Json(Receipt { release: id, digest: new.digest });
    match service.store.add_report(&new, late).await? {
        Upload::Stored => {
            tracing::info!(node = %new.node, round = %new.round, "report stored");
            Ok((StatusCode::CREATED, receipt))
        }
        Upload::Stood => Ok((StatusCode::OK, receipt)),
        Upload::Closed => Err(ApiError::RoundClosed),
        Upload::Forked | Upload::Conflict => {
            tracing::warn!(node = %new.node, round = %new.round, "ALARM: another report came under the id of a stored one");
            Err(ApiError::ReportConflict)
        }
    }
}

/// Refuses a release whose report is not stored: its figures could never be counted.
pub(super) async fn check_stored(
    service: &Service,
    release: ReleaseId,
    report: Option<Digest>,
) -> Result<(), ApiError> {
    let Some(report) = report else { return Ok(()) };
    match service.store.report_digest(release).await? {
        Some(stored) if stored == report => Ok(()),
        Some(_) => Err(ApiError::OtherReport),
        None => Err(ApiError::ReportFirst),
    }
}

async fn load(service: &Service, id: Digest) -> Result<(StoredTask, LoadedRound, Task), ApiError> {
    let stored = service.store.task(id).await?;
    let stored = stored.ok_or(ApiError::NotFound { what: WHAT })?;
    let (store, key) = (&service.store, &service.coordinator_key);
    let loaded = rounds::load_round(store, key, service.catalogue, &stored.round).await?;
    let (_, task) = task::read(key, &loaded, &stored)?;
    Ok((stored, loaded, task))
}
