//! The service drives every unfinished task, again and again.
//!
//! Of several instances one does, under a lease. Each step is decided by the store and told to the helper
//! in the same bytes whoever tells it, so that an instance that lost its lease without noticing does no
//! harm.
//!
//! **Invariant:** runs in the service's own set of tasks and ends with it; a helper that does not answer
//! is asked less and less often.

use super::{AggregationError, Leader};
use crate::api::error::chain;
use crate::lease::Lease;
use crate::rounds;
use crate::store::StoreError;
use fellestall_shared::limits::{AGGREGATE_EVERY, BACKOFF_LONGEST};
use std::sync::Arc;
use tokio::sync::watch;

/// The lease that an instance drives tasks under.
pub const LEASE_NAME: &str = "aggregation";

/// Drives every unfinished task until `stopped` says so, whenever no other instance does.
pub async fn run(leader: Arc<Leader>, lease: Lease, mut stopped: watch::Receiver<bool>) {
    let mut pause = AGGREGATE_EVERY;
    while !*stopped.borrow() {
        let step = async {
            // An instance that cannot do the work leaves it to another at once.
            pause = match drive_under(&lease, &leader).await {
                Ok(Some(Ok(())) | None) => AGGREGATE_EVERY,
                Ok(Some(Err(_))) => pause.saturating_mul(2).min(BACKOFF_LONGEST),
                Err(error) => {
                    tracing::error!(error = %chain(&error), "secure aggregation waits");
                    pause.saturating_mul(2).min(BACKOFF_LONGEST)
                }
            };
            tokio::time::sleep(pause).await;
        };
        // A step that is dropped half-way is one after which the process might have crashed.
        tokio::select! {
            () = step => {}
            _ = stopped.changed() => {}
        }
    }
    lease.give_up().await;
}

/// Drives what is unfinished, if anything is and no other instance does: a lease costs two writes.
async fn drive_under(
    lease: &Lease,
    leader: &Leader,
) -> Result<Option<Result<(), AggregationError>>, StoreError> {
    if leader.store.unfinished_tasks().await?.is_empty() {
        return Ok(None);
    }
    lease.during(leader.drive_all()).await
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
