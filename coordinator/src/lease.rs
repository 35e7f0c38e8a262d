//! Background work that one instance at a time does.
//!
//! A lease spares work, and is not what keeps it right: a holder that was held up (a machine that
//! slept, a slow disk) goes on for a moment after its lease has run out. Every write of such work is
//! therefore guarded by what it changes, and does nothing if another instance was there before.
//!
//! **Invariant:** work begins with the lease in hand and is dropped at its next wait once the lease
//! cannot be prolonged.

use crate::store::{Store, StoreError};
use data_encoding::HEXLOWER;
use fellestall_shared::limits::{LEASE, LEASE_RENEW};
use ring::rand::{SecureRandom, SystemRandom};

/// A lease that this process may have.
pub struct Lease {
    store: Store,
    name: &'static str,
    holder: String,
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random numbers")]
pub struct NoRandom;

impl Lease {
    /// A lease that is not held yet, for a holder of its own.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn new(store: Store, name: &'static str) -> Result<Self, NoRandom> {
        let mut holder = [0_u8; 16];
        SystemRandom::new().fill(&mut holder).map_err(|_| NoRandom)?;
        Ok(Self { store, name, holder: HEXLOWER.encode(&holder) })
    }

    /// Does some work under the lease, and gives it up afterwards; `None` if another instance has it, or if
    /// it could not be prolonged while the work was under way.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails before the work begins.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> Result<Option<T>, StoreError> {
        if !self.take().await? {
            return Ok(None);
        }
        let done = tokio::select! {
            done = work => Some(done),
            () = self.lost() => {
                tracing::warn!(lease = self.name, "the lease was lost; the work is left to another instance");
                None
            }
        };
        self.give_up().await;
        Ok(done)
    }

    /// Gives the lease up, if it is held.
    pub async fn give_up(&self) {
        if let Err(error) = self.store.give_up_lease(self.name, &self.holder).await {
            tracing::warn!(lease = self.name, %error, "the lease was not given up, and runs out by itself");
        }
    }

    async fn take(&self) -> Result<bool, StoreError> {
        self.store.take_lease(self.name, &self.holder, LEASE).await
    }

    /// Prolongs the lease until that fails.
    async fn lost(&self) {
        loop {
            tokio::time::sleep(LEASE_RENEW).await;
            let prolonged = tokio::time::timeout(LEASE_RENEW, self.take()).await;
            if !matches!(prolonged, Ok(Ok(true))) {
                return;
            }
        }
    }
}
