//! What the coordinator lists, taken into the node's state.
//!
//! **Invariant:** only documents whose signature holds are remembered.

use crate::audit::{Actor, AuditLog, Event, Unanswered};
use crate::client::{Client, Route};
use crate::config::Config;
use crate::decisions::{self, DecisionError, NotAnswered, TaskRefused};
use crate::enrol::{self, EnrolError};
use crate::kernel::ApprovedRound;
use crate::keys::KeyStore;
use crate::register::{NotPermitted, Register};
use crate::state::{Contact, Membership, State, StateError};
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::secure::Task;
use fellestall_shared::signed::{Document, Envelope, Verified, VerifyingKey};
use fellestall_shared::wire::v1::{AcceptedTask, OfferedTask, RoundDocument, StudyDocument, Work};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A client with this node's certificate.
///
/// # Errors
/// [`EnrolError`].
pub fn client(
    config: &Config,
    membership: &Membership,
    proxy: Option<Route>,
    clock: Arc<dyn Clock>,
) -> Result<Client, EnrolError> {
    let keys = KeyStore::new(&config.directory);
    let endpoint = enrol::endpoint(&membership.url, &membership.authority, config, proxy)?;
    Ok(Client::new(&endpoint, Some(keys.identity()?), clock)?)
}

/// What is to be done after an answer of the coordinator.
#[derive(Debug)]
pub struct Todo {
    /// Decisions that the coordinator does not have yet.
    pub unsent: Vec<Digest>,
    /// Open rounds that this node answers.
    pub rounds: Vec<ApprovedRound>,
    /// Open rounds that it answers as soon as it has their tasks.
    pub lacking: Vec<Lacking>,
    /// Open rounds with a task that does not check out.
    pub bad_tasks: Vec<(RoundId, TaskRefused)>,
    /// Open rounds of approved studies that the register of processing does not permit, and why.
    pub not_permitted: Vec<(RoundId, NotPermitted)>,
}

/// An open round that lacks the task which its study's shared tables need.
#[derive(Debug)]
pub struct Lacking {
    /// The round.
    pub round: ApprovedRound,
    /// The task that the coordinator lists for it; none before the helper has accepted one.
    pub listed: Option<Digest>,
}

/// Remembers what the coordinator lists, and finds out what is to be done.
///
/// # Errors
/// [`DecisionError`].
pub fn take(
    state: &mut State,
    membership: &Membership,
    register: &Register,
    work: &Work,
    now: Timestamp,
) -> Result<Todo, DecisionError> {
    let key = &membership.coordinator_key;
    let mut studies = genuine::<StudyDocument>(&work.studies, key);
    let mut rounds = genuine::<RoundDocument>(&work.rounds, key);
    for study in extract_purged(state, register, &mut studies)? {
        rounds.retain(|round| round.study != study);
    }
    note_received(state, &studies, &rounds, now)?;
    state.set_work(&envelopes(&studies), &envelopes(&rounds))?;
    state.set_contact(&Contact { last_answer: Some(now), failure: None })?;
    let mut todo = todo(state, membership, register, now)?;
    sort_by_task(&mut todo, &work.tasks);
    // What was answered needs no task any more.
    todo.bad_tasks.retain(|(round, _)| !work.received.contains(round));
    for (round, why) in &todo.bad_tasks {
        note_bad_task(state, round, why, now)?;
    }
    // What was answered while it was permitted needs no permission any more.
    todo.not_permitted.retain(|(round, _)| !work.received.contains(round));
    Ok(todo)
}

fn todo(
    state: &State,
    membership: &Membership,
    register: &Register,
    now: Timestamp,
) -> Result<Todo, DecisionError> {
    let (rounds, others) = decisions::open_rounds(state, membership, register, now)?;
    let (mut not_permitted, mut bad_tasks) = (Vec::new(), Vec::new());
    for (round, why) in others {
        tracing::debug!(%round, reason = %why, "an open round is not answered");
        match why {
            NotAnswered::NotPermitted(why) => {
                let mut log = AuditLog::open(state.directory())?;
                log.note_not_released(now, &round, Unanswered::NotPermitted)?;
                not_permitted.push((round, why));
            }
            NotAnswered::Task(why) => bad_tasks.push((round, why)),
            _ => {}
        }
    }
    let decisions = state.decisions()?;
    let unsent = decisions.into_iter().filter(|decision| !decision.sent);
    let unsent = unsent.map(|decision| decision.study).collect();
    Ok(Todo { unsent, rounds, lacking: Vec::new(), bad_tasks, not_permitted })
}

/// Takes out the rounds that lack their task, and those that the coordinator lists with another one
/// than it gave.
fn sort_by_task(todo: &mut Todo, listed: &[OfferedTask]) {
    for round in std::mem::take(&mut todo.rounds) {
        let id = round.round().id();
        let listed = listed.iter().find(|offered| offered.round == *id).map(|offered| offered.task);
        match round.task().map(Task::digest) {
            None if round.lacks_task() => todo.lacking.push(Lacking { round, listed }),
            Some(known) if listed.is_some_and(|listed| listed != known) => {
                todo.bad_tasks.push((id.clone(), TaskRefused::Changed));
            }
            _ => todo.rounds.push(round),
        }
    }
}

/// Checks a task that was fetched for a round, and remembers it; what does not check out is written down.
///
/// # Errors
/// [`DecisionError`].
pub fn take_task(
    state: &mut State,
    membership: &Membership,
    round: ApprovedRound,
    (listed, given): (Digest, &AcceptedTask),
    now: Timestamp,
) -> Result<Result<ApprovedRound, TaskRefused>, DecisionError> {
    let id = round.round().id().clone();
    let key = KeyStore::new(state.directory()).release_public()?;
    let checked = decisions::refuse_other(given, listed)
        .and_then(|()| decisions::with_task(round, given, membership, &key));
    match &checked {
        Ok(_) => state.set_task(&id, given)?,
        Err(why) => note_bad_task(state, &id, why, now)?,
    }
    Ok(checked)
}

fn note_bad_task(
    state: &State,
    round: &RoundId,
    why: &TaskRefused,
    now: Timestamp,
) -> Result<(), DecisionError> {
    tracing::error!(%round, error = %why, "the round is not answered");
    AuditLog::open(state.directory())?.note_not_released(now, round, Unanswered::Task)?;
    Ok(())
}

/// Takes out the studies of purposes that were purged after their project's end, which the
/// coordinator may go on listing; their digests.
fn extract_purged(
    state: &State,
    register: &Register,
    studies: &mut Vec<Verified<StudyDocument>>,
) -> Result<Vec<Digest>, DecisionError> {
    let mut purged = Vec::new();
    for study in studies.iter() {
        let ended = register.purpose(&study.purpose).map(|registered| registered.ends);
        if ended.is_some() && state.purged(&study.purpose)? == ended {
            purged.push(study.digest());
        }
    }
    studies.retain(|study| !purged.contains(&study.digest()));
    Ok(purged)
}

/// Writes down what is seen for the first time, before it is remembered.
fn note_received(
    state: &State,
    studies: &[Verified<StudyDocument>],
    rounds: &[Verified<RoundDocument>],
    now: Timestamp,
) -> Result<(), DecisionError> {
    let known: BTreeSet<_> = state
        .studies()?
        .into_iter()
        .chain(state.rounds()?)
        .map(|stored| stored.envelope.payload_digest())
        .collect();
    let new_studies = studies.iter().filter(|study| !known.contains(&study.digest()));
    let new_rounds = rounds.iter().filter(|round| !known.contains(&round.digest()));
    let received = new_studies
        .map(|study| {
            let name = format!("{}.{}", study.study, study.version);
            Event::StudyReceived { study: study.digest(), name }
        })
        .chain(new_rounds.map(|round| Event::RoundReceived { round: round.round.clone() }));
    for what in received {
        AuditLog::open(state.directory())?.append_once(now, &Actor::node(), what)?;
    }
    Ok(())
}

fn genuine<T: Document>(envelopes: &[Envelope], key: &VerifyingKey) -> Vec<Verified<T>> {
    let checked = |envelope: &Envelope| match envelope.clone().verify::<T>(key) {
        Ok(document) => Some(document),
        Err(error) => {
            tracing::error!(%error, "a document is not the coordinator's; it is left aside");
            None
        }
    };
    envelopes.iter().filter_map(checked).collect()
}

fn envelopes<T>(documents: &[Verified<T>]) -> Vec<Envelope> {
    documents.iter().map(|document| document.envelope().clone()).collect()
}

/// Remembers that the coordinator was not reached.
///
/// # Errors
/// [`StateError`].
pub fn note_failure(state: &mut State, failure: &str) -> Result<(), StateError> {
    let mut contact = state.contact()?;
    contact.failure = Some(failure.to_owned());
    state.set_contact(&contact)
}
