//! A decision in somebody's name, of one person or of two.
//!
//! **Invariant:** where two people are asked for, no name makes an approval alone, at the console or
//! on the command line; a refusal takes one.

use super::{Decider, DecisionError, KnownStudy, decide};
use crate::audit::{Actor, AuditLog, Event};
use crate::config::People;
use crate::register::Register;
use crate::state::{FirstApproval, Membership, State, StoredDecision};
use fellestall_shared::signed::SigningKey;
use fellestall_shared::wire::v1::{Answer, RefusalReason};

/// Where decisions are made: the node's state, its key and its rules.
pub struct Office<'o> {
    /// What was decided before.
    pub state: &'o mut State,
    /// The node's membership.
    pub membership: &'o Membership,
    /// The key that signs decisions.
    pub key: &'o SigningKey,
    /// What is permitted.
    pub register: &'o Register,
    /// How many people an approval takes.
    pub people: People,
}

/// What came of an approval.
#[derive(Debug)]
#[must_use]
pub enum Approval {
    /// Another person has to approve it too; nothing is sent.
    AwaitsSecond(FirstApproval),
    /// It is approved.
    Approved(StoredDecision),
}

impl Office<'_> {
    /// Approves a study version in the name of who decides. Where it takes two people, the first approval
    /// is kept here, and the second, of another name, makes the decision.
    ///
    /// # Errors
    /// [`DecisionError`]: as [`decide`]; nobody's name; or the first person again.
    pub fn approve_as(
        &mut self,
        known: &KnownStudy,
        decider: Decider<'_>,
    ) -> Result<Approval, DecisionError> {
        let (study, by) = (known.study.digest(), decider.by);
        let first = self.state.first_approvals()?.into_iter().find(|first| first.study == study);
        let is_approved = known.answer == Some(Answer::Approved);
        if self.people == People::Two && !is_approved {
            if is_nobody(by) {
                return Err(DecisionError::Nobody);
            }
            match first {
                None => return self.first(known, decider),
                Some(first) if is_same(&first.by, by) => {
                    return Err(DecisionError::SamePerson { name: first.by.name().to_owned() });
                }
                Some(_) => {}
            }
        }
        self.decide(known, Answer::Approved, decider).map(Approval::Approved)
    }

    /// Refuses a study version in the name of who decides.
    ///
    /// # Errors
    /// [`DecisionError`], as [`decide`].
    pub fn refuse_as(
        &mut self,
        known: &KnownStudy,
        reason: RefusalReason,
        decider: Decider<'_>,
    ) -> Result<StoredDecision, DecisionError> {
        self.decide(known, Answer::Refused { reason }, decider)
    }

    fn first(
        &mut self,
        known: &KnownStudy,
        decider: Decider<'_>,
    ) -> Result<Approval, DecisionError> {
        // What could not be decided cannot be approved for the first time either.
        let Decider { by, now } = decider;
        known.refuse_unless_open(self.register, now, Answer::Approved)?;
        let first = FirstApproval { study: known.study.digest(), by: by.clone(), at: now };
        let event = Event::FirstApproval { study: first.study, name: known.name() };
        let mut log = AuditLog::open(self.state.directory())?;
        log.note_settings(now, by)?;
        log.append(now, by, event)?;
        self.state.set_first_approval(&first)?;
        Ok(Approval::AwaitsSecond(first))
    }

    fn decide(
        &mut self,
        known: &KnownStudy,
        answer: Answer,
        decider: Decider<'_>,
    ) -> Result<StoredDecision, DecisionError> {
        let Self { state, membership, key, register, .. } = self;
        let decision = decide(state, membership, key, register, known, answer, decider)?;
        self.state.clear_first_approval(known.study.digest())?;
        Ok(decision)
    }
}

/// Names that differ in case alone are one person's.
fn is_same(one: &Actor, other: &Actor) -> bool {
    one.name().to_lowercase() == other.name().to_lowercase()
}

/// A name that stands for nobody in particular: the node's own, or that of an account that is not
/// known.
fn is_nobody(by: &Actor) -> bool {
    by.name().is_empty() || *by == Actor::node() || by.name() == UNKNOWN
}

/// What an account without a name is called in the log.
pub const UNKNOWN: &str = "unknown";
