//! What the municipality's operator decides: yes or no to one exact version of a study.
//!
//! **Invariant:** an [`ApprovedRound`] is made here and nowhere else: from envelopes whose
//! signatures hold today, for a study digest that the operator approved, not after the study's end,
//! and on the terms of a purpose that the register of processing permits today.

use crate::audit::{Actor, AuditError, AuditLog, Event};
use crate::kernel::ApprovedRound;
use crate::keys::{KeyError, KeyStore};
use crate::register::{NotPermitted, Register};
use crate::state::{Membership, State, StateError, StoredDecision};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::round::{Round, RoundError};
use fellestall_shared::signed::{SignatureError, SigningKey, Verified};
use fellestall_shared::study::{Study, StudyError};
use fellestall_shared::wire::v1::{Answer, Decision, RoundDocument, StudyDocument};

mod office;
mod task;
pub use office::{Approval, Office, UNKNOWN};
pub use task::{TaskRefused, refuse_other, waiting, with_task};

/// Why a decision is not taken, or a round not answered.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// No such study.
    #[error("there is no study {asked}; fellestall-node studies lists those that there are")]
    NoStudy {
        /// What was asked for.
        asked: String,
    },
    /// Several versions.
    #[error(
        "{asked} has several versions in force: say which, as {asked}.{newest}; each is approved on its own"
    )]
    SeveralVersions {
        /// What was asked for.
        asked: String,
        /// The newest version.
        newest: u32,
    },
    /// Not in force any more.
    #[error("{study} is not in force any more; nothing was decided")]
    NotInForce {
        /// The study and version.
        study: String,
    },
    /// The catalogue of this program is damaged.
    #[error("the catalogue of this program cannot be used; reinstall it")]
    Catalogue,
    /// The study is not sound, or not for this version.
    #[error("the study cannot be used")]
    Study(#[from] StudyError),
    /// The signature does not hold.
    #[error("the document is not the coordinator's")]
    Signature(#[from] SignatureError),
    /// The register of processing does not permit it.
    #[error("nothing was decided")]
    NotPermitted(#[from] NotPermitted),
    /// Two people, and the first of them again.
    #[error(
        "{name} has approved it already: it takes two people, so somebody else has to approve it too"
    )]
    SamePerson {
        /// The first person.
        name: String,
    },
    /// Two people, and nobody knows who this is.
    #[error(
        "an approval takes two people here, and it is not known who you are: sign in under a name of your own"
    )]
    Nobody,
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The audit log cannot be used.
    #[error("nothing was decided")]
    Audit(#[from] AuditError),
}

/// Who decides, and when.
#[derive(Debug, Clone, Copy)]
pub struct Decider<'a> {
    /// The name of an account on this machine or of a user of the console.
    pub by: &'a Actor,
    /// The moment.
    pub now: Timestamp,
}

/// A study that the coordinator signed and this program understands.
#[derive(Debug, Clone)]
pub struct KnownStudy {
    /// The checked study.
    pub study: Study,
    /// Whether the coordinator lists it, and it has not ended.
    pub in_force: bool,
    /// What the operator decided, if anything.
    pub answer: Option<Answer>,
}

impl KnownStudy {
    /// The study and its version, as `core.1`.
    #[must_use]
    pub fn name(&self) -> String {
        let document = self.study.document();
        format!("{}.{}", document.study, document.version)
    }

    /// Refuses what can not be decided now: a study that is not in force, and an approval that the
    /// register does not permit.
    fn refuse_unless_open(
        &self,
        register: &Register,
        now: Timestamp,
        answer: Answer,
    ) -> Result<(), DecisionError> {
        let not_in_force = || DecisionError::NotInForce { study: self.name() };
        if !self.in_force {
            return Err(not_in_force());
        }
        if answer == Answer::Approved {
            register.permit(&self.study, now.date().ok_or_else(not_in_force)?)?;
        }
        Ok(())
    }
}

/// A study or round that is left aside, and why.
#[derive(Debug)]
pub struct Unusable {
    /// Its digest.
    pub digest: Digest,
    /// Why.
    pub why: DecisionError,
}

/// All studies seen, by name and version; those that cannot be used apart.
///
/// # Errors
/// [`DecisionError`].
pub fn studies(
    state: &State,
    membership: &Membership,
    now: Timestamp,
) -> Result<(Vec<KnownStudy>, Vec<Unusable>), DecisionError> {
    let catalogue = Catalogue::builtin().map_err(|_| DecisionError::Catalogue)?;
    let decisions = state.decisions()?;
    let (mut known, mut unusable) = (Vec::new(), Vec::new());
    for stored in state.studies()? {
        let digest = stored.envelope.payload_digest();
        let checked = stored
            .envelope
            .verify::<StudyDocument>(&membership.coordinator_key)
            .map_err(DecisionError::from)
            .and_then(|verified| Ok(Study::new(&verified, catalogue)?));
        match checked {
            Ok(study) => {
                let answer = decisions.iter().find(|decision| decision.study == digest);
                let ended = now.date().is_none_or(|today| today > study.ends());
                known.push(KnownStudy {
                    in_force: stored.current && !ended,
                    answer: answer.map(|decision| decision.answer),
                    study,
                });
            }
            Err(why) if stored.current => unusable.push(Unusable { digest, why }),
            Err(_) => {}
        }
    }
    known.sort_by_key(|known| {
        let document = known.study.document();
        (document.study.clone(), document.version)
    });
    Ok((known, unusable))
}

/// The study that an operator means: `core` if it has one version in force, `core.2`, or the digest.
///
/// # Errors
/// [`DecisionError::NoStudy`] or [`DecisionError::SeveralVersions`].
pub fn find<'s>(known: &'s [KnownStudy], asked: &str) -> Result<&'s KnownStudy, DecisionError> {
    // The coordinator's operator writes a version as core:2, a round's id as core.2.
    let asked = &asked.replace(':', ".");
    let exact = known
        .iter()
        .find(|known| known.name() == *asked || known.study.digest().to_string() == *asked);
    if let Some(exact) = exact {
        return Ok(exact);
    }
    let mut named: Vec<_> = known
        .iter()
        .filter(|known| known.study.document().study.as_str() == asked.as_str())
        .collect();
    if named.iter().any(|known| known.in_force) {
        named.retain(|known| known.in_force);
    }
    match named.as_slice() {
        [] => Err(DecisionError::NoStudy { asked: asked.clone() }),
        [one] => Ok(one),
        [.., newest] => Err(DecisionError::SeveralVersions {
            asked: asked.clone(),
            newest: newest.study.document().version,
        }),
    }
}

/// Signs and remembers a decision; it is sent when the coordinator is reached. The same decision
/// again changes nothing. It is in the audit log before it is stored: what cannot be written down
/// there is not decided.
///
/// # Errors
/// [`DecisionError::NotInForce`], or what could not be signed, written down or stored.
pub fn decide(
    state: &mut State,
    membership: &Membership,
    key: &SigningKey,
    register: &Register,
    known: &KnownStudy,
    answer: Answer,
    Decider { by, now }: Decider<'_>,
) -> Result<StoredDecision, DecisionError> {
    known.refuse_unless_open(register, now, answer)?;
    let study = known.study.digest();
    let earlier = state.decisions()?.into_iter().find(|decision| decision.study == study);
    if let Some(earlier) = earlier.filter(|earlier| earlier.answer == answer) {
        return Ok(earlier);
    }
    let envelope = key.sign(&Decision { node: membership.node.clone(), study, answer })?;
    let name = known.name();
    let decided = match answer {
        Answer::Approved => Event::Approved { study, name },
        Answer::Refused { reason } => Event::Refused { study, name, reason },
    };
    let mut log = AuditLog::open(state.directory())?;
    log.note_settings(now, by)?;
    log.append(now, by, decided)?;
    let decision = StoredDecision { study, answer, envelope, decided_at: now, sent: false };
    state.set_decision(&decision)?;
    Ok(decision)
}

/// Why an open round is not answered.
#[derive(Debug, thiserror::Error)]
pub enum NotAnswered {
    /// Nobody has approved the study version.
    #[error("its study is not approved here")]
    NotApproved,
    /// The study is over, or withdrawn.
    #[error("its study is not in force")]
    NotInForce,
    /// The register of processing does not permit it.
    #[error("the register of processing does not permit it")]
    NotPermitted(#[source] NotPermitted),
    /// It does not belong to its study.
    #[error("it does not belong to its study")]
    Round(#[source] RoundError),
    /// The task that was remembered for it does not hold any more.
    #[error("its task does not hold")]
    Task(#[source] TaskRefused),
}

/// An open round that is not answered, and why.
pub type Other = (RoundId, NotAnswered);

/// The open rounds: those that this node answers, and the others with the reason. A round whose study
/// has shared tables comes with its task, if one is known.
///
/// # Errors
/// [`DecisionError`].
pub fn open_rounds(
    state: &State,
    membership: &Membership,
    register: &Register,
    now: Timestamp,
) -> Result<(Vec<ApprovedRound>, Vec<Other>), DecisionError> {
    let (known, _) = studies(state, membership, now)?;
    let (mut answered, mut others) = (Vec::new(), Vec::new());
    for stored in state.rounds()?.into_iter().filter(|stored| stored.current) {
        let document = match stored.envelope.verify::<RoundDocument>(&membership.coordinator_key) {
            Ok(document) => document,
            Err(why) => {
                tracing::error!(error = %why, "a round is not the coordinator's; it is left aside");
                continue;
            }
        };
        let round = document.round.clone();
        let study = known.iter().find(|known| known.study.digest() == document.study);
        let approved = study.filter(|known| known.answer == Some(Answer::Approved));
        match approved {
            None => others.push((round, NotAnswered::NotApproved)),
            Some(known) if !known.in_force => others.push((round, NotAnswered::NotInForce)),
            Some(known) => {
                let approved = answerable(&document, &known.study, register, now);
                match approved.map(|approved| joined(approved, state, membership)) {
                    Ok(joined) => match joined? {
                        Ok(approved) => answered.push(approved),
                        Err(why) => others.push((round, NotAnswered::Task(why))),
                    },
                    Err(why) => others.push((round, why)),
                }
            }
        }
    }
    answered.sort_by(|one, other| one.round().id().cmp(other.round().id()));
    Ok((answered, others))
}

/// A round with its remembered task, if it needs one and has it.
fn joined(
    round: ApprovedRound,
    state: &State,
    membership: &Membership,
) -> Result<Result<ApprovedRound, TaskRefused>, DecisionError> {
    if !round.lacks_task() {
        return Ok(Ok(round));
    }
    let Some(given) = state.task(round.round().id())? else { return Ok(Ok(round)) };
    let key = KeyStore::new(state.directory()).release_public()?;
    Ok(with_task(round, &given, membership, &key))
}

/// A round of an approved study, on the terms that the register has for it today.
fn answerable(
    document: &Verified<RoundDocument>,
    study: &Study,
    register: &Register,
    now: Timestamp,
) -> Result<ApprovedRound, NotAnswered> {
    let today = now.date().ok_or(NotAnswered::NotInForce)?;
    let round = Round::new(document, study.clone()).map_err(NotAnswered::Round)?;
    let terms = register.terms(study, round.period(), today).map_err(NotAnswered::NotPermitted)?;
    Ok(ApprovedRound::new(round, terms))
}
