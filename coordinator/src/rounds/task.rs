//! The task of a round with shared tables: made when the round is opened, read whenever it is needed.
//!
//! **Invariant:** who may report is fixed when the round is opened; a stored task is used only after
//! its signature held and it fits its round again.

use super::{LoadError, LoadedRound, OpenError};
use crate::store::nodes::{Node, NodeStatus};
use crate::store::tasks::{NewTask, StoredTask};
use fellestall_shared::round::Round;
use fellestall_shared::secure::Task;
use fellestall_shared::signed::{Envelope, SigningKey, VerifyingKey};
use fellestall_shared::wire::v1::{TaskDocument, TaskParticipant};

/// Makes and signs the task of a round that is about to be opened; `None` if its study has no shared
/// tables. Every node that is enrolled now may report.
///
/// # Errors
/// [`OpenError`]: fewer nodes than a batch needs, or it could not be signed.
pub fn make(round: &Round, nodes: &[Node], key: &SigningKey) -> Result<Option<NewTask>, OpenError> {
    let study = round.study();
    let shared = study.layout().zip(study.document().aggregation.as_ref());
    let Some((layout, aggregation)) = shared else { return Ok(None) };
    let enrolled = nodes.iter().filter(|node| node.status == NodeStatus::Enrolled);
    let participant = |node: &Node| TaskParticipant {
        municipality: node.municipality.clone(),
        node: node.node.clone(),
        release_key: node.release_key.clone(),
    };
    let mut participants: Vec<_> = enrolled.map(participant).collect();
    participants.sort_by(|one, other| one.municipality.cmp(&other.municipality));
    let minimum = study.document().minimum_nodes;
    if u32::try_from(participants.len()).is_ok_and(|enrolled| enrolled < minimum) {
        return Err(OpenError::TooFewNodes { enrolled: participants.len(), minimum });
    }
    let document = TaskDocument {
        round: round.id().clone(),
        study: study.digest(),
        period: round.period(),
        participants,
        minimum,
        length: u32::try_from(layout.length()).unwrap_or(u32::MAX),
        bits: layout.bits(),
        helper: aggregation.helper.signing_key.fingerprint(),
    };
    let envelope = key.sign(&document)?;
    let task = Task::check(&document, envelope.payload_digest(), round)?;
    Ok(Some(NewTask {
        task: task.digest(),
        envelope: envelope.to_json()?,
        participants: document.participants.into_iter().map(|one| one.node).collect(),
    }))
}

/// Reads the stored task of a round.
///
/// # Errors
/// [`LoadError`]: its signature does not hold, or it is not the round's.
pub fn read(
    key: &VerifyingKey,
    loaded: &LoadedRound,
    stored: &StoredTask,
) -> Result<(Envelope, Task), LoadError> {
    let signed = Envelope::from_json(&stored.envelope)?.verify::<TaskDocument>(key)?;
    let task = Task::new(&signed, &loaded.round)?;
    Ok((signed.envelope().clone(), task))
}
