//! The service drives every unfinished task, again and again.
//!
//! **Invariant:** runs in the service's own set of tasks and ends with it; a helper that does not answer
//! is asked less and less often.

use super::{AggregationError, Leader};
use crate::api::error::chain;
use crate::rounds;
use fellestall_shared::limits::{AGGREGATE_EVERY, BACKOFF_LONGEST};
use std::sync::Arc;
use tokio::sync::watch;

/// Drives every unfinished task until `stopped` says so.
pub async fn run(leader: Arc<Leader>, mut stopped: watch::Receiver<bool>) {
    let mut pause = AGGREGATE_EVERY;
    while !*stopped.borrow() {
        let step = async {
            let driven = leader.drive_all().await;
            pause = match driven {
                Ok(()) => AGGREGATE_EVERY,
                Err(_) => pause.saturating_mul(2).min(BACKOFF_LONGEST),
            };
            tokio::time::sleep(pause).await;
        };
        // A step that is dropped half-way is one after which the process might have crashed.
        tokio::select! {
            () = step => {}
            _ = stopped.changed() => {}
        }
    }
}

impl Leader {
    /// Drives every task that is unfinished; one that fails does not keep the others waiting.
    ///
    /// # Errors
    /// [`AggregationError`]: of the last that failed, if none could be driven.
    pub async fn drive_all(&self) -> Result<(), AggregationError> {
        let (mut failed, mut driven_any) = (None, false);
        let rounds = self.store.unfinished_tasks().await.inspect_err(|error| {
            tracing::error!(error = %chain(error), "secure aggregation waits");
        })?;
        for round in rounds {
            let driven = async {
                let loaded =
                    rounds::load_round(&self.store, &self.key, self.catalogue, &round).await?;
                self.drive(&loaded).await
            };
            match driven.await {
                Ok(()) => driven_any = true,
                Err(error) => {
                    tracing::warn!(%round, error = %chain(&error), "secure aggregation waits");
                    failed = Some(error);
                }
            }
        }
        failed.filter(|_| !driven_any).map_or(Ok(()), Err)
    }
}
