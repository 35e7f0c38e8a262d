//! Enrolment: applying, asking how it stands, renewing a certificate.
//!
//! **Invariant:** each message may be sent again after its answer was lost, and then gives the same
//! node and the same certificate.

use super::body;
use super::error::ApiError;
use super::peer::Caller;
use super::{Service, Shared};
use crate::authority::RequestKey;
use crate::invitation;
use crate::store::certificates::Certificate;
use crate::store::enrolment::{Application, ApplyError};
use crate::store::nodes::{Node, NodeStatus};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use fellestall_shared::limits::CERTIFICATE_RENEW_BEFORE;
use fellestall_shared::wire::v1::{
    EnrolmentQuery, EnrolmentRequest, EnrolmentState, IssuedCertificate, RenewalRequest,
};
use http::StatusCode;

/// `POST /v1/enrolments`.
pub(super) async fn apply(
    State(service): Shared,
    body: Body,
) -> Result<(StatusCode, Json<EnrolmentState>), ApiError> {
    let request: EnrolmentRequest =
        body::json(&service.strangers, body, "an enrolment request in JSON").await?;
    let request_key = RequestKey::from_request(&request.certificate_request)?;
    let application = Application {
        secret: invitation::digest(&request.secret),
        municipality: request.municipality,
        release_key: request.release_key,
        request_key: request_key.as_bytes().to_vec(),
    };
    let node = service.store.apply(&application, service.clock.now()).await?;
    tracing::info!(node = %node.node, "applied");
    Ok((StatusCode::ACCEPTED, Json(standing(&service, node).await?)))
}

/// `POST /v1/enrolments/state`.
pub(super) async fn state(
    State(service): Shared,
    body: Body,
) -> Result<Json<EnrolmentState>, ApiError> {
    let query: EnrolmentQuery =
        body::json(&service.strangers, body, "an enrolment query in JSON").await?;
    let node = service.store.node_of_invitation(invitation::digest(&query.secret)).await?;
    let node = node.filter(|node| node.release_key == query.release_key);
    let node = node.ok_or(ApiError::Apply(ApplyError::Invitation))?;
    Ok(Json(standing(&service, node).await?))
}

/// `POST /v1/certificates`.
pub(super) async fn renew(
    State(service): Shared,
    Caller(node): Caller,
    body: Body,
) -> Result<Json<IssuedCertificate>, ApiError> {
    let request: RenewalRequest =
        body::json(&service.bodies, body, "a renewal request in JSON").await?;
    let key = RequestKey::from_request(&request.certificate_request)?;
    Ok(Json(certificate(&service, &node, &key).await?))
}

/// How an enrolment stands, for the node that asked for it.
async fn standing(service: &Service, node: Node) -> Result<EnrolmentState, ApiError> {
    match node.status {
        NodeStatus::Pending => {
            Ok(EnrolmentState::Pending { fingerprint: node.release_key.fingerprint() })
        }
        NodeStatus::Refused | NodeStatus::Denied => Ok(EnrolmentState::Refused),
        NodeStatus::Enrolled => {
            let key = RequestKey::from_stored(node.request_key.clone());
            let certificate = certificate(service, &node, &key).await?;
            let coordinator_key = service.coordinator_key.clone();
            Ok(EnrolmentState::Approved { node: node.node, certificate, coordinator_key })
        }
    }
}

/// The certificate for this key: the one issued before while it has long to go, otherwise a new one.
async fn certificate(
    service: &Service,
    node: &Node,
    key: &RequestKey,
) -> Result<IssuedCertificate, ApiError> {
    let now = service.clock.now();
    let until = now.plus(CERTIFICATE_RENEW_BEFORE);
    if let Some(stands) = service.store.certificate(&node.node, key.digest(), until).await? {
        return Ok(IssuedCertificate { certificate: stands.pem, expires: stands.expires });
    }
    let issued = service.authority.issue_client(&node.node, key, now)?;
    let stored = Certificate {
        serial: issued.serial,
        node: node.node.clone(),
        public_key: key.digest(),
        pem: issued.pem,
        issued: now,
        expires: issued.expires,
    };
    let stands = service.store.add_certificate(&stored, until).await?;
    if stands == stored {
        tracing::info!(node = %node.node, "certificate issued");
    }
    Ok(IssuedCertificate { certificate: stands.pem, expires: stands.expires })
}
