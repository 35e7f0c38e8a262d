//! The task of a round whose study has shared tables: taken only if it is what was approved.
//!
//! **Invariant:** an [`ApprovedRound`] gets a task here and nowhere else: signed by the coordinator,
//! accepted by the helper that the approved study names, for this round's study and vector, with as many
//! participants as the study asks for, and with this node among them under its own key.

use super::{DecisionError, open_rounds};
use crate::kernel::{ApprovedRound, LedgerEntry};
use crate::register::Register;
use crate::state::{Membership, State};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::secure::{Task, TaskError};
use fellestall_shared::signed::{SignatureError, VerifyingKey};
use fellestall_shared::wire::v1::{AcceptedTask, TaskAcceptance, TaskDocument};

/// Why a task is not taken. Nothing is read, sent or charged then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskRefused {
    /// Not signed by the coordinator.
    #[error("the task of the round is not signed by the coordinator; nothing was sent or charged")]
    Signature(#[source] SignatureError),
    /// Not accepted by the helper.
    #[error(
        "the helper that the approved study names has not signed that it accepts the round's task; nothing was sent or charged"
    )]
    Acceptance(#[source] SignatureError),
    /// Not what its round needs.
    #[error("the task is not the one that the approved round needs; nothing was sent or charged")]
    Task(#[from] TaskError),
    /// Another task than the coordinator lists, or than it gave before.
    #[error(
        "the coordinator gives another task for the round than it listed or gave before, and a round has one; nothing was sent or charged"
    )]
    Changed,
    /// This node is not in it.
    #[error(
        "the task does not list this node with its id, municipality and release key; nothing was sent or charged"
    )]
    NotListed,
}

/// Joins a task that came from the coordinator to its round.
///
/// # Errors
/// [`TaskRefused`]: the first thing that does not hold.
pub fn with_task(
    round: ApprovedRound,
    given: &AcceptedTask,
    membership: &Membership,
    release_key: &VerifyingKey,
) -> Result<ApprovedRound, TaskRefused> {
    let document = given.task.clone().verify::<TaskDocument>(&membership.coordinator_key);
    let document = document.map_err(TaskRefused::Signature)?;
    let task = Task::new(&document, round.round())?;
    let aggregation = round.round().study().document().aggregation.as_ref();
    let helper = &aggregation.ok_or(TaskError::NotShared)?.helper.signing_key;
    let acceptance = given.acceptance.clone().verify::<TaskAcceptance>(helper);
    task.check_acceptance(&acceptance.map_err(TaskRefused::Acceptance)?)?;
    let listed = task.participant(&membership.municipality);
    let own =
        listed.is_some_and(|one| one.node == membership.node && one.release_key == *release_key);
    if own { Ok(round.with_task(task)) } else { Err(TaskRefused::NotListed) }
}

/// The open rounds that this node answers as soon as they have their tasks; what is in the ledger needs
/// none.
///
/// # Errors
/// [`DecisionError`].
pub fn waiting(
    state: &State,
    membership: &Membership,
    register: &Register,
    (recorded, now): (&[LedgerEntry], Timestamp),
) -> Result<Vec<RoundId>, DecisionError> {
    let (rounds, _) = open_rounds(state, membership, register, now)?;
    let lacking = rounds.iter().filter(|round| round.lacks_task()).map(|round| round.round().id());
    let is_new = |id: &&RoundId| recorded.iter().all(|entry| entry.round != **id);
    Ok(lacking.filter(is_new).cloned().collect())
}

/// Refuses a task of another name than the one that is listed.
///
/// # Errors
/// [`TaskRefused::Changed`].
pub fn refuse_other(given: &AcceptedTask, listed: Digest) -> Result<(), TaskRefused> {
    if given.task.payload_digest() == listed { Ok(()) } else { Err(TaskRefused::Changed) }
}
