//! The running service: listeners, TLS, connections, orderly shutdown.
//!
//! **Invariant:** no process globals; every task lives in a set that shutdown waits for; no
//! connection can hold its place by being slow.

use crate::admin::{self, SetupError};
use crate::aggregation::{Leader, background};
use crate::api::{self, Service};
use crate::databank::{Databank, DatabankError};
use crate::home::{Home, HomeError};
use crate::instance::{self, InstanceError};
use crate::lease::{Lease, NoRandom};
use crate::public::{self, Site};
use crate::store::Store;
use fellestall_shared::catalogue::{Catalogue, CatalogueError};
use fellestall_shared::clock::Clock;
use fellestall_shared::limits::REQUEST_TIMEOUT;
use identity::{Clients, Identity, IdentityError};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

mod connection;
pub(crate) mod identity;
pub(crate) mod listener;
mod places;
mod sending;

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database, or a directory that is not of its coordinator.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The background work.
    #[error(transparent)]
    Lease(#[from] NoRandom),
    /// The tables.
    #[error(transparent)]
    Databank(#[from] DatabankError),
    /// The catalogue that the program was built with.
    #[error(transparent)]
    Catalogue(#[from] &'static CatalogueError),
    /// The server's certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The administration pages.
    #[error(transparent)]
    Admin(#[from] SetupError),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}; is another program using it?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A service that runs until it is shut down or dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    public: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    store: Store,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Starts the service of a coordinator. Port 0 in the configuration takes any free port.
    ///
    /// # Errors
    /// [`StartError`]: nothing runs.
    pub async fn start(home: Home, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let catalogue = Catalogue::builtin()?;
        let store = instance::open_store(&home).await?;
        let lease = Lease::new(store.clone(), background::LEASE_NAME)?;
        let leader = Leader::new(&home, store.clone(), catalogue, Arc::clone(&clock));
        let leader = Arc::new(leader);
        let Home { directory, config, authority, signing_key, policy, .. } = home;
        let databank = Databank::open(store.clone(), &policy, Arc::clone(&clock)).await?;
        let listener = listen(config.listen).await?;
        let public = match config.public {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let admin = match &config.admin {
            Some(admin) => Some(listen(admin.listen).await?),
            None => None,
        };
        let service = Arc::new(Service::new(
            store.clone(),
            authority,
            signing_key,
            catalogue,
            Arc::clone(&clock),
        ));
        let authority = Arc::clone(&service.authority);
        let clients = Clients::Nodes(authority.certificate().clone());
        let identity = Identity::new(authority, clients, config.hosts, Arc::clone(&clock))?;
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let (address, listener) = listener;
        let admin = match (&config.admin, admin) {
            (Some(setting), Some((address, listener))) => {
                let clock = Arc::clone(&clock);
                let databank = Databank::open(store.clone(), &policy, clock).await?;
                let desk = admin::Desk::new(admin::Setting {
                    config: setting,
                    web: &config.web,
                    node_url: &config.url,
                    address,
                    directory: &directory,
                    policy: &policy,
                    databank,
                    service: Arc::clone(&service),
                    leader: Arc::clone(&leader),
                })?;
                let router = admin::router(Arc::new(desk));
                tasks.spawn(listener::run(listener, None, router, stopped.clone()));
                Some(address)
            }
            _ => None,
        };
        tasks.spawn(background::run(leader, lease, stopped.clone()));
        let proxies = config.web.trusted_proxies.clone();
        let (router, stop_nodes) = (api::router(service), stopped.clone());
        tasks.spawn(listener::run_behind(listener, Some(identity), router, proxies, stop_nodes));
        let public = public.map(|(address, listener)| {
            let own = format!("http://{address}");
            let url = config.web.url.clone().unwrap_or(own).trim_end_matches('/').to_owned();
            let proxies = config.web.trusted_proxies.clone();
            let router = public::router(Arc::new(Site { databank, web: config.web, url, clock }));
            tasks.spawn(listener::run_behind(listener, None, router, proxies, stopped));
            address
        });
        let shown = |address: Option<SocketAddr>| address.map(tracing::field::display);
        tracing::info!(%address, public = shown(public), admin = shown(admin), "listening");
        Ok(Self { address, public, admin, store, stop, tasks })
    }

    /// Where the service for nodes listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the public pages listen, if they do.
    #[must_use]
    pub fn public_address(&self) -> Option<SocketAddr> {
        self.public
    }

    /// Where the administration pages listen, if they do.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// The store that the service works on.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Takes no more connections, lets requests under way finish, and closes the store.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(REQUEST_TIMEOUT, drained).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
        self.tasks.shutdown().await;
        self.store.close().await;
    }
}

pub(crate) async fn listen(address: SocketAddr) -> Result<(SocketAddr, TcpListener), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    Ok((listener.local_addr().map_err(failed)?, listener))
}
