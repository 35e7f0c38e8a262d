//! The tasks that rounds with shared tables need, fetched before anything else is done for them.
//!
//! **Invariant:** a round without its task waits, and a round whose task does not check out is not
//! answered; neither depends on a record.

use super::{Daemon, DaemonError, Undone, explain, or_stop};
use crate::agent::Event;
use crate::client::Meaning;
use crate::decisions::TaskRefused;
use crate::engine::EngineError;
use crate::kernel::ApprovedRound;
use crate::state::State;
use crate::work::{self, Lacking};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::wire::v1::AcceptedTask;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

impl Daemon {
    /// Fetches the tasks that are listed for rounds that lack them; an event if the network failed.
    pub(super) async fn fetch_tasks(
        &mut self,
        lacking: Vec<Lacking>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<Event>, Undone> {
        for Lacking { round, listed } in lacking {
            let Some(listed) = listed else {
                self.note_waiting(&round);
                continue;
            };
            match or_stop(stop, self.client.task(listed)).await? {
                Ok(given) => self.take_task(round, listed, given).await?,
                // Listed a moment ago, and not there any more.
                Err(error) if error.meaning() == Meaning::Final => {
                    tracing::warn!(round = %round.round().id(), %error, "the task was not given");
                    self.note_waiting(&round);
                }
                Err(error) => return Ok(Some(self.failed(error, "the task was not fetched"))),
            }
        }
        Ok(None)
    }

    fn note_waiting(&mut self, round: &ApprovedRound) {
        let id = round.round().id();
        tracing::info!(round = %id, "the round waits for its task: the helper has not accepted it yet, or this node is not in it");
        self.report.waiting.insert(id.clone());
    }

    async fn take_task(
        &mut self,
        round: ApprovedRound,
        listed: Digest,
        given: AcceptedTask,
    ) -> Result<(), DaemonError> {
        let id = round.round().id().clone();
        let (config, membership) = (Arc::clone(&self.config), self.membership.clone());
        let now = self.clock.now();
        let taken = spawn_blocking(move || {
            let mut state = State::open(&config.directory)?;
            work::take_task(&mut state, &membership, round, (listed, &given), now)
        })
        .await
        .map_err(|_| EngineError::CutOff)??;
        match taken {
            Ok(round) => {
                tracing::info!(round = %id, task = %listed.short(), "the round has its task");
                self.rounds.insert(id, round);
            }
            Err(why) => self.note_bad_task(id, &why),
        }
        Ok(())
    }

    /// Reports a round whose task does not check out.
    pub(super) fn note_bad_task(&mut self, id: RoundId, why: &TaskRefused) {
        self.report.refused = true;
        self.report.not_released.insert(id, explain(why));
    }
}
