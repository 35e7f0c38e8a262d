//! Where this node stands before the coordinator: countersigned, refused, recovered.
//!
//! **Invariant:** a node that was refused releases nothing until it was recovered; recovering adds
//! charges to the ledger and takes none away.

use crate::audit::{self, Actor, AuditError, AuditLog, Event, Parties};
use crate::client::{Client, ClientError};
use crate::config::Config;
use crate::engine::{self, EngineError};
use crate::enrol::EnrolError;
use crate::kernel::Kernel;
use crate::keys::{KeyError, KeyStore};
use crate::state::{Membership, State, StateError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::limits::RECOVERED_RELEASES;
use fellestall_shared::problem::ProblemKind;
use fellestall_shared::signed::{Envelope, Verified};
use fellestall_shared::wire::v1::{LedgerHead, ReleaseDocument, Witness};
use serde::Serialize;
use std::path::Path;

/// Where a node stands before the coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// When it was last countersigned.
    pub last: Option<Timestamp>,
    /// How far its ledger reached then.
    pub ledger_sequence: Option<u64>,
    /// Whether the coordinator knows another ledger of it, or a longer one: nothing is released.
    pub refused: bool,
}

/// Why a node was not recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The coordinator did not answer, or has countersigned nothing of this node.
    #[error("nothing was changed")]
    Client(#[from] ClientError),
    /// The answer is not the coordinator's word on this node.
    #[error("the coordinator's answer is not a countersignature of this node; nothing was changed")]
    Witness,
    /// More is missing than can be put back.
    #[error(
        "more than {RECOVERED_RELEASES} releases are missing; nothing was changed. Put the newest copy of the node's folder back"
    )]
    TooMany,
    /// The client cannot be made.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The ledger cannot be used, or what is missing does not continue it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The audit log cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}

/// What recovering a node came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// How many releases were put back.
    pub releases: usize,
    /// How far the ledger reaches now.
    pub ledger: LedgerHead,
    /// The number of the witness that the node continues from; 0 for none.
    pub witness: u64,
}

/// Where the node in a directory stands.
///
/// # Errors
/// [`AuditError`]: the log does not hold; [`StateError`] within it is told as a refusal.
pub fn standing(directory: &Path) -> Result<Standing, AuditError> {
    let log = AuditLog::open(directory)?;
    let refused = is_refused(&log)?;
    let membership = State::open(directory).and_then(|state| state.membership());
    let Ok(Some(membership)) = membership else {
        return Ok(Standing { last: None, ledger_sequence: None, refused });
    };
    let held = log.countersignatures(&membership.coordinator_key)?;
    let last = held.iter().rfind(|held| held.witness.node == membership.node);
    Ok(Standing {
        last: last.map(|last| last.witness.at),
        ledger_sequence: last.map(|last| last.witness.ledger.sequence),
        refused,
    })
}

/// Whether the coordinator refused to countersign, and the node was not recovered since.
///
/// # Errors
/// [`AuditError`].
pub fn is_refused(log: &AuditLog) -> Result<bool, AuditError> {
    let entries = log.entries()?;
    let last = entries.iter().rev().find_map(|entry| match entry.body.what {
        Event::WitnessRefused => Some(true),
        Event::Recovered { .. } => Some(false),
        _ => None,
    });
    Ok(last.unwrap_or(false))
}

/// How far a ledger reaches.
///
/// # Errors
/// [`EngineError`].
pub fn ledger_head(kernel: &Kernel) -> Result<LedgerHead, EngineError> {
    Ok(audit::head_of(&kernel.history()?))
}

/// The statement to send; `None` if the node was refused before, and nothing is to be sent.
///
/// # Errors
/// [`EngineError`] or [`AuditError`].
pub fn statement(
    config: &Config,
    membership: &Membership,
) -> Result<Result<Option<Envelope>, AuditError>, EngineError> {
    let ledger = engine::open(config, membership)?.history()?;
    let key = KeyStore::new(&config.directory).release()?;
    let parties =
        Parties { node: &membership.node, key: &key, coordinator: &membership.coordinator_key };
    let stated = AuditLog::open(&config.directory).and_then(|mut log| {
        if is_refused(&log)? { Ok(None) } else { log.statement(&parties, &ledger).map(Some) }
    });
    Ok(stated)
}

/// The last witness of this node; `None` for one that was enrolled anew and not countersigned since.
async fn last_witness(
    membership: &Membership,
    client: &Client,
) -> Result<Option<Verified<Witness>>, RecoverError> {
    let envelope = match client.last_witness().await {
        Ok(envelope) => envelope,
        Err(ClientError::Refused { kind: ProblemKind::NotFound, .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let witness: Verified<Witness> =
        envelope.verify(&membership.coordinator_key).map_err(|_| RecoverError::Witness)?;
    if witness.node == membership.node { Ok(Some(witness)) } else { Err(RecoverError::Witness) }
}

/// All that the coordinator has of this node after a place in its ledger.
async fn fetch(
    client: &Client,
    membership: &Membership,
    config: &Config,
    mut after: u64,
) -> Result<Vec<Envelope>, RecoverError> {
    let key = KeyStore::new(&config.directory).release_public()?;
    let mut known = Vec::new();
    loop {
        let more = client.own_releases(after).await?;
        let Some(last) = more.last() else { return Ok(known) };
        let last =
            last.clone().verify::<ReleaseDocument>(&key).map_err(|_| RecoverError::Witness)?;
        // Whoever answers with the same again and again is not believed.
        if last.municipality != membership.municipality || last.ledger_sequence <= after {
            return Err(RecoverError::Witness);
        }
        after = last.ledger_sequence;
        known.extend(more);
        if known.len() > RECOVERED_RELEASES {
            return Err(RecoverError::TooMany);
        }
    }
}

/// Brings a node's ledger up to what the coordinator has witnessed of it, from the node's own signed
/// releases, so that it may go on.
///
/// # Errors
/// [`RecoverError`]; what cannot be put back whole is not put back at all.
pub async fn recover(
    config: &Config,
    membership: &Membership,
    client: &Client,
    (by, now): (&Actor, Timestamp),
) -> Result<Recovered, RecoverError> {
    let witness = last_witness(membership, client).await?;
    let until = witness.as_ref().map_or(audit::head_of(&[]), |witness| witness.ledger);
    let mut log = AuditLog::open(&config.directory)?;
    log.entries()?;
    let mut kernel = engine::open(config, membership)?;
    let held = ledger_head(&kernel)?.sequence;
    let known = fetch(client, membership, config, held.min(until.sequence)).await?;
    let releases = kernel.recover(known, until).map_err(EngineError::from)?;
    let ledger = ledger_head(&kernel)?;
    if let Some(witness) = &witness {
        log.adopt(witness)?;
    }
    log.append(now, by, Event::Recovered { ledger_sequence: ledger.sequence })?;
    Ok(Recovered { releases, ledger, witness: witness.map_or(0, |witness| witness.number) })
}
