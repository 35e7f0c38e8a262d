//! The running helper: one listener, for one caller.
//!
//! **Invariant:** who shows no certificate of the trusted leader's authority is refused in the TLS
//! handshake; whoever shows a node's is refused at the first request.

use super::home::{HelperHome, HelperHomeError};
use super::store::HelperStore;
use super::{Helper, api};
use crate::server::identity::{Clients, Identity, IdentityError};
use crate::server::{StartError, listen, listener};
use crate::store::StoreError;
use fellestall_shared::catalogue::{Catalogue, CatalogueError};
use fellestall_shared::clock::Clock;
use fellestall_shared::limits::JOB_TIMEOUT;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Why the helper did not start.
#[derive(Debug, thiserror::Error)]
pub enum HelperStartError {
    /// The directory.
    #[error(transparent)]
    Home(#[from] HelperHomeError),
    /// Nobody to talk to.
    #[error("this helper trusts no coordinator yet: give `helper trust-leader` the card of one")]
    NoLeader,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The catalogue that the program was built with.
    #[error(transparent)]
    Catalogue(#[from] &'static CatalogueError),
    /// The server's certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The address.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A helper that runs until it is shut down or dropped.
#[derive(Debug)]
pub struct HelperServer {
    address: SocketAddr,
    store: HelperStore,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl HelperServer {
    /// Starts the helper. Port 0 in the configuration takes any free port.
    ///
    /// # Errors
    /// [`HelperStartError`]: nothing runs.
    pub async fn start(home: HelperHome, clock: Arc<dyn Clock>) -> Result<Self, HelperStartError> {
        let catalogue = Catalogue::builtin()?;
        let leader = home.leader.as_ref().ok_or(HelperStartError::NoLeader)?;
        let store = HelperStore::open(&home.store_address()?).await?;
        let (address, listener) = listen(home.config.listen).await?;
        let clients = Clients::Server(leader.authority());
        let leader = leader.signing_key.clone();
        let HelperHome { config, authority, signing_key, sealing, .. } = home;
        let identity =
            Identity::new(Arc::new(authority), clients, config.hosts, Arc::clone(&clock))?;
        let keys = (signing_key, sealing);
        let helper = Helper::new(store.clone(), keys, leader, catalogue, clock);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let router = api::router(Arc::new(helper));
        tasks.spawn(listener::run(listener, Some(identity), router, stopped));
        tracing::info!(%address, "listening as the helper");
        Ok(Self { address, store, stop, tasks })
    }

    /// Where the helper listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The store that the helper works on.
    #[must_use]
    pub fn store(&self) -> &HelperStore {
        &self.store
    }

    /// Takes no more connections, lets requests under way finish, and closes the store.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(JOB_TIMEOUT, drained).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        self.tasks.shutdown().await;
        self.store.close().await;
    }
}
