//! Refusals: one match from what went wrong to the problem document that the caller sees.
//!
//! **Invariant:** a fault of ours tells the caller nothing but that it was ours; it is logged here,
//! once.

use crate::authority::AuthorityError;
use crate::rounds::LoadError;
use crate::store::StoreError;
use crate::store::enrolment::ApplyError;
use axum::response::{IntoResponse, Response};
use fellestall_shared::problem::{MEDIA_TYPE, Problem, ProblemKind};
use fellestall_shared::round::ReleaseError;
use fellestall_shared::signed::SignatureError;
use fellestall_shared::wire::v1::Rejection;
use http::{HeaderValue, StatusCode, header};
use std::error::Error;

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request is not in the form it should be.
    #[error("the request must have {what}")]
    Malformed {
        /// What it must have.
        what: &'static str,
    },
    /// Too many header fields.
    #[error("the request has too many header fields")]
    Headers,
    /// A body over the limit of its route.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// No client certificate.
    #[error("this route needs the node's client certificate; enrol first")]
    CertificateRequired,
    /// A certificate that was not issued, has ended, or whose node is not enrolled.
    #[error(
        "the client certificate is unknown or has ended, or its node is not enrolled; ask the coordinator's operator"
    )]
    Denied,
    /// Nothing by that name.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// A signature that does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A signed document that is bound to something else.
    #[error("the document is bound to another {what}")]
    Bound {
        /// What differs.
        what: &'static str,
    },
    /// A release that does not answer its round.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// Other content under the id of a stored release.
    #[error(
        "another release is stored for this question; the first one stands, and the coordinator's operator is told"
    )]
    Conflict,
    /// A report that its task cannot take.
    #[error("the report does not hold: {}", crate::store::reports::word(*.0))]
    Report(Rejection),
    /// Other content under the id of a stored report.
    #[error(
        "another report is stored for this question; the first one stands, and the coordinator's operator is told"
    )]
    ReportConflict,
    /// A release whose report did not come.
    #[error("the release has shared tables whose report is not stored; send the report first")]
    ReportFirst,
    /// A release that names another report than the stored one.
    #[error("the release names another report than the one that is stored for its question")]
    OtherReport,
    /// A ledger that does not continue what is known of it.
    #[error(
        "another copy of this node has spoken, or this one was restored from a backup: what it says of its ledger does not continue what was said before; the coordinator's operator is told"
    )]
    Ledger,
    /// The round takes no more releases.
    #[error("the round is closed and its study takes no late releases")]
    RoundClosed,
    /// An invitation that is not good, or a database that failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A certificate that was not made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// A stored study or round that cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too slow, or too much at once.
    #[error("too much at once, or the request came too slowly; try again later")]
    Busy,
    /// An answer that could not be written.
    #[error("the answer could not be written")]
    Answer(#[from] serde_json::Error),
}

impl From<Rejection> for ApiError {
    fn from(reason: Rejection) -> Self {
        Self::Report(reason)
    }
}

impl ApiError {
    /// The one place that says what each refusal is to the caller.
    pub(crate) fn kind(&self) -> ProblemKind {
        match self {
            Self::Malformed { .. }
            | Self::Signature(SignatureError::NotAnEnvelope | SignatureError::NotAKey)
            | Self::Authority(AuthorityError::Request) => ProblemKind::Malformed,
            Self::TooLarge { .. } | Self::Headers | Self::Signature(SignatureError::TooLarge) => {
                ProblemKind::TooLarge
            }
            Self::CertificateRequired => ProblemKind::CertificateRequired,
            Self::Denied => ProblemKind::NodeDenied,
            Self::NotFound { .. } | Self::Load(LoadError::Unknown) => ProblemKind::NotFound,
            Self::Signature(_) | Self::Report(Rejection::Signature) => {
                ProblemKind::SignatureInvalid
            }
            Self::Bound { .. }
            | Self::Release(_)
            | Self::Report(_)
            | Self::ReportFirst
            | Self::OtherReport => ProblemKind::ReleaseInvalid,
            Self::Conflict | Self::ReportConflict => ProblemKind::Conflict,
            Self::Ledger => ProblemKind::LedgerConflict,
            Self::RoundClosed => ProblemKind::RoundClosed,
            Self::Apply(ApplyError::Invitation) => ProblemKind::InvitationInvalid,
            Self::Busy => ProblemKind::Busy,
            Self::Apply(ApplyError::Store(_))
            | Self::Authority(_)
            | Self::Load(_)
            | Self::Store(_)
            | Self::Answer(_) => ProblemKind::Internal,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = self.kind();
        let detail = if kind == ProblemKind::Internal {
            tracing::error!(error = %chain(&self), "a request failed");
            "The coordinator's log says why; try again later.".to_owned()
        } else {
            tracing::info!(reason = %self, status = kind.status(), "refused");
            self.to_string()
        };
        response(kind, detail)
    }
}

/// A problem document as a response.
pub(crate) fn response(kind: ProblemKind, detail: String) -> Response {
    let problem = Problem::new(kind, detail);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    let mut response = (status, [media_type], body).into_response();
    if kind == ProblemKind::Busy {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    }
    response
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
