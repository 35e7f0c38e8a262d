//! The helper: the second server of secure aggregation, run by another organisation than the
//! coordinator.
//!
//! It holds half of every report for the moment of its verification, and half of every sum. With
//! the coordinator's half alone, or with the helper's alone, nobody learns anything; so the two must
//! never have one operator, one backup or one administrator.
//!
//! **Invariant:** the helper believes nothing that the coordinator says of participants: its own
//! operator admits them. A half of a sum leaves it once for a batch, for a set of reports that both
//! servers name, of at least the study's minimum.

pub mod api;
pub mod card;
pub mod client;
pub mod config;
pub mod error;
pub mod home;
pub mod server;
pub mod store;
mod tasks;
pub mod verify;

use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Clock;
use fellestall_shared::secure::seal::SealingSecret;
use fellestall_shared::signed::{SigningKey, VerifyingKey};
use std::sync::Arc;
use store::HelperStore;
use tokio::sync::Semaphore;

/// Bodies that are held in memory at once, at the most: there is one caller.
const BODIES: usize = 2;

/// What every route of the helper works on.
pub struct Helper {
    store: HelperStore,
    signing_key: SigningKey,
    sealing: Arc<SealingSecret>,
    leader: VerifyingKey,
    catalogue: &'static Catalogue,
    clock: Arc<dyn Clock>,
    bodies: Semaphore,
}

impl Helper {
    /// A helper over these; `leader` is the key that tasks, studies and rounds are signed with.
    #[must_use]
    pub fn new(
        store: HelperStore,
        (signing_key, sealing): (SigningKey, SealingSecret),
        leader: VerifyingKey,
        catalogue: &'static Catalogue,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (sealing, bodies) = (Arc::new(sealing), Semaphore::new(BODIES));
        Self { store, signing_key, sealing, leader, catalogue, clock, bodies }
    }
}
