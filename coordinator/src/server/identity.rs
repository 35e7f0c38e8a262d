//! The server's own certificate: made in memory, renewed before it ends.
//!
//! **Invariant:** the server's private key is never on a disk; the dates of certificates are checked
//! by the coordinator's clock.

use crate::authority::{Authority, AuthorityError};
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::limits::CERTIFICATE_RENEW_BEFORE;
use fellestall_shared::tls::{self, TlsError};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Why the server has no certificate.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It could not be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// It could not be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The server's current TLS settings.
pub struct Identity {
    authority: Arc<Authority>,
    clients: Clients,
    hosts: Vec<String>,
    clock: Arc<dyn Clock>,
    current: Mutex<Current>,
}

/// Whose certificates a server takes, all of one authority.
pub(crate) enum Clients {
    /// Those of nodes, and strangers who want to be enrolled.
    Nodes(CertificateDer<'static>),
    /// Those of another server, and no strangers.
    Server(CertificateDer<'static>),
}

#[derive(Clone)]
struct Current {
    config: Arc<ServerConfig>,
    renew: Timestamp,
}

impl Identity {
    /// Makes the first certificate.
    pub(crate) fn new(
        authority: Arc<Authority>,
        clients: Clients,
        hosts: Vec<String>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, IdentityError> {
        let current = Mutex::new(make(&authority, &clients, &hosts, &clock)?);
        Ok(Self { authority, clients, hosts, clock, current })
    }

    /// The settings for a new connection, with a certificate that is far from its end. If no new one
    /// can be made, the old one serves on and the fault is logged.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if self.clock.now() >= current.renew {
            match make(&self.authority, &self.clients, &self.hosts, &self.clock) {
                Ok(made) => *current = made,
                Err(error) => tracing::error!(%error, "the server's certificate was not renewed"),
            }
        }
        Arc::clone(&current.config)
    }
}

fn make(
    authority: &Authority,
    clients: &Clients,
    hosts: &[String],
    clock: &Arc<dyn Clock>,
) -> Result<Current, IdentityError> {
    let identity = authority.issue_server(hosts, clock.now())?;
    let renew = identity.expires.minus(CERTIFICATE_RENEW_BEFORE);
    let mut config = match clients {
        Clients::Nodes(trusted) => tls::server(identity.chain, identity.key, trusted)?,
        Clients::Server(trusted) => tls::closed_server(identity.chain, identity.key, trusted)?,
    };
    config.time_provider = Arc::new(TlsClock(Arc::clone(clock)));
    Ok(Current { config: Arc::new(config), renew })
}

/// Our clock, as rustls asks for it.
pub(crate) struct TlsClock(pub Arc<dyn Clock>);

impl TimeProvider for TlsClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().unix()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl fmt::Debug for TlsClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsClock")
    }
}
