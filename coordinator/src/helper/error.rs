//! The helper's refusals: one match from what went wrong to the problem document that the leader sees.
//!
//! **Invariant:** a fault of ours tells the caller nothing but that it was ours; a refusal names
//! municipalities by number and nothing else.

use crate::api::error::{ApiError, chain, response};
use crate::store::StoreError;
use axum::response::{IntoResponse, Response};
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::problem::ProblemKind;
use fellestall_shared::round::RoundError;
use fellestall_shared::secure::TaskError;
use fellestall_shared::secure::vdaf::{BadAggregate, BadVector};
use fellestall_shared::signed::SignatureError;
use fellestall_shared::study::StudyError;

/// Municipalities that one refusal names, at the most.
const NAMED: usize = 30;

/// Why the helper refuses.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// What any route may refuse.
    #[error(transparent)]
    Request(#[from] ApiError),
    /// Not the trusted leader's certificate.
    #[error("this helper talks to the coordinator that it trusts and to nobody else")]
    NotTheLeader,
    /// A signature that is not the trusted leader's.
    #[error("the {what} is not signed by the coordinator that this helper trusts")]
    Signature {
        /// Which document.
        what: &'static str,
        /// Why.
        #[source]
        source: SignatureError,
    },
    /// A study that does not hold together, or that this version of the program does not know.
    #[error("the study does not fit this version of the helper's program")]
    Study(#[source] StudyError),
    /// A round of another study.
    #[error("the round does not fit its study")]
    Round(#[source] RoundError),
    /// A task that does not belong to its round.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// Another helper's, or sealed to another key.
    #[error("the study names another helper, or another key of this one")]
    OtherHelper,
    /// Bound to something else than the request says.
    #[error("the {what} is another than the address of the request says")]
    Bound {
        /// What differs.
        what: &'static str,
    },
    /// Participants that the operator has not admitted.
    #[error(
        "the helper's operator has not admitted the nodes and keys that the task names for {}; `helper admit` does so",
        numbers(.0)
    )]
    Unknown(Vec<MunicipalityNumber>),
    /// The round has another task, or the task came with another key.
    #[error(
        "this round has another task here, or this task came with other contents; the first stands"
    )]
    TaskConflict,
    /// A job under a number that is taken.
    #[error("another job has this number; its answer stands, and the helper's operator is told")]
    JobConflict,
    /// A claim that is not what the helper holds, or not what was opened.
    #[error(
        "the helper holds other reports in this batch than are claimed, or opened it for other ones; nothing more is opened, and the helper's operator is told"
    )]
    BatchConflict,
    /// Fewer reports than the task's minimum.
    #[error(
        "the batch has fewer reports than the {minimum} that the study asks for; it is not opened"
    )]
    TooFew {
        /// How many it needs.
        minimum: u32,
    },
    /// A vector that cannot be.
    #[error("the study's vector cannot be shared")]
    Vector(#[from] BadVector),
    /// A stored half that cannot be read.
    #[error("a stored half of a sum cannot be read")]
    Aggregate(#[from] BadAggregate),
    /// The answer could not be signed.
    #[error("the answer could not be signed")]
    Sign(#[source] SignatureError),
    /// The work was broken off.
    #[error("the work on the request was broken off")]
    Broken(#[from] tokio::task::JoinError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HelperError {
    fn kind(&self) -> ProblemKind {
        match self {
            Self::Request(error) => error.kind(),
            Self::NotTheLeader => ProblemKind::NodeDenied,
            Self::Signature { .. } => ProblemKind::SignatureInvalid,
            Self::Study(_) | Self::Round(_) | Self::Task(_) | Self::OtherHelper => {
                ProblemKind::ReleaseInvalid
            }
            Self::Bound { .. } | Self::Vector(_) => ProblemKind::ReleaseInvalid,
            Self::Unknown(_) => ProblemKind::ParticipantsUnknown,
            Self::TaskConflict | Self::JobConflict | Self::BatchConflict => ProblemKind::Conflict,
            Self::TooFew { .. } => ProblemKind::BatchTooSmall,
            Self::Aggregate(_) | Self::Sign(_) | Self::Broken(_) | Self::Store(_) => {
                ProblemKind::Internal
            }
        }
    }
}

impl IntoResponse for HelperError {
    fn into_response(self) -> Response {
        let kind = self.kind();
        if kind == ProblemKind::Internal {
            tracing::error!(error = %chain(&self), "a request failed");
            return response(kind, "The helper's log says why; try again later.".to_owned());
        }
        tracing::info!(reason = %self, status = kind.status(), "refused");
        response(kind, self.to_string())
    }
}

fn numbers(municipalities: &[MunicipalityNumber]) -> String {
    let named = municipalities.iter().take(NAMED).map(MunicipalityNumber::as_str);
    let named = named.collect::<Vec<_>>().join(", ");
    match municipalities.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{named} and {more} more municipalities"),
        _ => named,
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn a_refusal_names_numbers_and_stays_short() {
        let many = |count: u32| -> Vec<_> {
            (1000..1000 + count).map(|number| number.to_string().parse().unwrap()).collect()
        };
        assert_eq!(numbers(&many(2)), "1000, 1001");
        assert!(numbers(&many(30)).ends_with(", 1029"));
        assert!(numbers(&many(31)).ends_with(", 1029 and 1 more municipalities"));
    }
}
