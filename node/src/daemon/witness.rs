//! The countersigning step of a cycle.
//!
//! **Invariant:** what is sent is on disk before; a refusal is written down, and nothing is released
//! after it until the node is recovered.

use super::{Daemon, DaemonError, Undone, or_stop};
use crate::agent::Event;
use crate::audit::{self, Actor, AuditError, AuditLog, Parties};
use crate::client::ClientError;
use crate::engine::{EngineError, Severity};
use crate::state::Membership;
use crate::witness;
use fellestall_shared::problem::ProblemKind;
use fellestall_shared::signed::Envelope;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

impl Daemon {
    /// Lets the coordinator countersign where this node stands.
    pub(super) async fn witness(
        &mut self,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Event, Undone> {
        let (config, membership) = (Arc::clone(&self.config), self.membership.clone());
        let stated = spawn_blocking(move || witness::statement(&config, &membership))
            .await
            .map_err(|_| DaemonError::Engine(EngineError::CutOff))?;
        let stated = match stated {
            Ok(stated) => stated.map_err(DaemonError::Audit)?,
            Err(error) if error.severity() == Severity::Fatal => {
                return Err(DaemonError::Engine(error).into());
            }
            Err(error) => {
                // The rounds say why they are not answered when they are asked for.
                tracing::error!(%error, "where the node stands could not be stated");
                return Ok(Event::Failed);
            }
        };
        let Some(statement) = stated else {
            return Ok(Event::WitnessRefused);
        };
        let bytes = statement.to_json().map_err(|_| DaemonError::Audit(AuditError::NotStated))?;
        match or_stop(stop, self.client.witness(bytes)).await? {
            Ok(envelope) => self.countersigned(&envelope),
            Err(error) if is_ledger_conflict(&error) => {
                self.note_refused()?;
                self.report.failure = Some(error);
                Ok(Event::WitnessRefused)
            }
            Err(error) => Ok(self.failed(error, "the node was not countersigned")),
        }
    }

    fn countersigned(&mut self, envelope: &Envelope) -> Result<Event, Undone> {
        let key = self.keys.release().map_err(DaemonError::Key)?;
        let Membership { node, coordinator_key, .. } = &self.membership;
        let parties = Parties { node, key: &key, coordinator: coordinator_key };
        let mut log = AuditLog::open(&self.config.directory).map_err(DaemonError::Audit)?;
        match log.countersigned(&parties, envelope) {
            Ok(()) => Ok(Event::Witnessed),
            Err(AuditError::NotAWitness) => {
                Ok(self.failed(ClientError::Answer, "the answer is not a countersignature"))
            }
            Err(error) => Err(DaemonError::Audit(error).into()),
        }
    }

    /// Writes down that the coordinator knows another ledger of this node.
    pub(super) fn note_refused(&mut self) -> Result<(), DaemonError> {
        tracing::error!(
            "another copy of this node has spoken to the coordinator, or this folder was restored from a backup; nothing is released. Run: fellestall-node recover"
        );
        let mut log = AuditLog::open(&self.config.directory)?;
        if !witness::is_refused(&log)? {
            log.append(self.clock.now(), &Actor::node(), audit::Event::WitnessRefused)?;
        }
        Ok(())
    }
}

/// Whether the coordinator knows another ledger of this node, or a longer one.
pub(super) fn is_ledger_conflict(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused { kind: ProblemKind::LedgerConflict, .. })
}
