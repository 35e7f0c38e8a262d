//! What the coordinator lists, taken into the node's state.
//!
//! **Invariant:** only documents whose signature holds are remembered.

use crate::audit::{Actor, AuditLog, Event, Unanswered};
use crate::client::{Client, Route};
use crate::config::Config;
use crate::decisions::{self, DecisionError, NotAnswered};
use crate::enrol::{self, EnrolError};
use crate::kernel::ApprovedRound;
use crate::keys::KeyStore;
use crate::register::{NotPermitted, Register};
use crate::state::{Contact, Membership, State, StateError};
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::signed::{Document, Envelope, Verified, VerifyingKey};
use fellestall_shared::wire::v1::{RoundDocument, StudyDocument, Work};
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
    /// Open rounds of approved studies that the register of processing does not permit, and why.
    pub not_permitted: Vec<(RoundId, NotPermitted)>,
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
    let mut not_permitted = Vec::new();
    for (round, why) in others {
        tracing::debug!(%round, reason = %why, "an open round is not answered");
        if let NotAnswered::NotPermitted(why) = why {
            let mut log = AuditLog::open(state.directory())?;
            log.note_not_released(now, &round, Unanswered::NotPermitted)?;
            not_permitted.push((round, why));
        }
    }
    let decisions = state.decisions()?;
    let unsent = decisions.into_iter().filter(|decision| !decision.sent);
    let unsent = unsent.map(|decision| decision.study).collect();
    Ok(Todo { unsent, rounds, not_permitted })
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
