//! Refusals over HTTP: problem details (RFC 9457).
//!
//! **Invariant:** a problem's text is written by us and never quotes what was sent.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Every kind of refusal that the protocol has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The request is not in the form it should be.
    Malformed,
    /// No client certificate, where one is needed.
    CertificateRequired,
    /// The certificate's node is denied or unknown.
    NodeDenied,
    /// The token is unknown, used, expired or for another municipality.
    InvitationInvalid,
    /// A signature does not hold, or is another node's.
    SignatureInvalid,
    /// Nothing here by that name.
    NotFound,
    /// The same id with other content.
    Conflict,
    /// A ledger that is behind what was witnessed of it, or another one.
    LedgerConflict,
    /// The round is closed and takes no late releases.
    RoundClosed,
    /// A release that does not answer its question: other tables, cells, bound, charge or scale.
    ReleaseInvalid,
    /// A task names participants that the helper's operator has not admitted.
    ParticipantsUnknown,
    /// A batch that has fewer reports than its task asks for.
    BatchTooSmall,
    /// The body is too large.
    TooLarge,
    /// Too many requests, or too busy.
    Busy,
    /// A fault on the server's side.
    Internal,
}

impl ProblemKind {
    /// The HTTP status code.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::CertificateRequired => 401,
            Self::NodeDenied | Self::InvitationInvalid | Self::ParticipantsUnknown => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::LedgerConflict => 409,
            Self::RoundClosed => 410,
            Self::TooLarge => 413,
            Self::SignatureInvalid | Self::ReleaseInvalid | Self::BatchTooSmall => 422,
            Self::Busy => 503,
            Self::Internal => 500,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::Internal)
    }

    /// A short title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The request is malformed",
            Self::CertificateRequired => "A client certificate is needed",
            Self::NodeDenied => "This node may not take part",
            Self::InvitationInvalid => "The invitation is not valid",
            Self::SignatureInvalid => "The signature is not valid",
            Self::NotFound => "Not found",
            Self::Conflict => "Something else is stored under this id",
            Self::LedgerConflict => "The ledger is behind what was witnessed, or another one",
            Self::RoundClosed => "The round is closed",
            Self::ReleaseInvalid => "The release does not answer its question",
            Self::ParticipantsUnknown => "The helper does not know every participant",
            Self::BatchTooSmall => "The batch has too few reports",
            Self::TooLarge => "The request is too large",
            Self::Busy => "Too busy, try again later",
            Self::Internal => "The coordinator failed",
        }
    }
}

/// A problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:fellestall:problem:` and the kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind's title.
    pub title: Cow<'static, str>,
    /// The HTTP status code.
    pub status: u16,
    /// What is wrong and how to mend it.
    pub detail: String,
}

impl Problem {
    /// A problem of this kind; `detail` says what is wrong and how to mend it.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let name = serde_json::to_value(kind).ok();
        let name = name.as_ref().and_then(|value| value.as_str()).unwrap_or("internal");
        Self {
            kind: format!("urn:fellestall:problem:{name}"),
            title: Cow::Borrowed(kind.title()),
            status: kind.status(),
            detail: detail.into(),
        }
    }

    /// The kind, if this version of the program knows it.
    #[must_use]
    pub fn known_kind(&self) -> Option<ProblemKind> {
        let name = self.kind.strip_prefix("urn:fellestall:problem:")?;
        serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
    }
}
