//! What every page works with.
//!
//! **Invariant:** holds nothing about who is signed in: sessions are in the store, so that several
//! instances know them alike.

use super::oidc::{OidcSetupError, Provider};
use super::password::{self, PasswordError};
use super::throttle::Throttle;
use super::words::{AllWords, BadWords};
use crate::aggregation::Leader;
use crate::api::Service;
use crate::config::{Admin, Web};
use crate::databank::Databank;
use crate::present::Policy;
use crate::rounds::publication::Printer;
use crate::store::Store;
use fellestall_shared::clock::Timestamp;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Passwords that are checked at once, at the most: each takes 19 MiB.
const HASHING: usize = 2;

/// Why the administration pages are not served.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An address that browsers cannot ask for.
    #[error(
        "admin.url must be http:// or https:// and a host, without a path, as https://admin.tall.example.no"
    )]
    Url,
    /// The provider.
    #[error(transparent)]
    Oidc(#[from] OidcSetupError),
    /// The texts that the program was built with.
    #[error("the texts of the administration pages cannot be used; reinstall the program")]
    Words(#[from] &'static BadWords),
    /// Nothing to compare passwords with.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// What the administration pages are made from.
pub struct Setting<'a> {
    /// Their part of the configuration.
    pub config: &'a Admin,
    /// How the public service presents itself.
    pub web: &'a Web,
    /// The address that nodes dial, for invitations.
    pub node_url: &'a str,
    /// Where they listen.
    pub address: SocketAddr,
    /// The coordinator's directory.
    pub directory: &'a Path,
    /// The presentation rule.
    pub policy: &'a Policy,
    /// The tables, for the report.
    pub databank: Databank,
    /// The store, the keys and the clock.
    pub service: Arc<Service>,
    /// Who opens shared tables.
    pub leader: Arc<Leader>,
}

/// What every page works with.
pub struct Desk {
    pub(super) service: Arc<Service>,
    pub(super) leader: Arc<Leader>,
    pub(super) policy: Policy,
    pub(super) web: Web,
    pub(super) databank: Databank,
    /// The address that nodes dial.
    pub(super) node_url: String,
    pub(super) words: &'static AllWords,
    /// Failures by provider that this instance has written in the log of late.
    pub(super) noted: Throttle,
    /// The names under which a browser may ask, each with its origin.
    pub(super) hosts: Vec<(String, String)>,
    pub(super) cookies: Cookies,
    pub(super) provider: Option<Provider>,
    pub(super) hashing: Semaphore,
    /// A hash that is nobody's.
    pub(super) nobody: String,
}

/// The names of cookies, and what each says after its value.
pub(super) struct Cookies {
    /// A session.
    pub session: String,
    /// The chosen language.
    pub language: String,
    /// A way to the provider and back.
    pub flow: String,
    /// Attributes of all of them.
    pub attributes: &'static str,
}

impl Desk {
    /// Prepares the pages.
    ///
    /// # Errors
    /// [`SetupError`]: nothing is served.
    pub fn new(setting: Setting<'_>) -> Result<Self, SetupError> {
        let Setting {
            config,
            web,
            node_url,
            address,
            directory,
            policy,
            databank,
            service,
            leader,
        } = setting;
        let own = format!("http://{address}");
        let url = config.url.clone().unwrap_or_else(|| own.clone());
        let url = url.trim_end_matches('/').to_owned();
        let named = host_of(&url).ok_or(SetupError::Url)?;
        let mut hosts = vec![(named, url.clone())];
        let port = address.port();
        let local = [address.to_string(), format!("localhost:{port}"), format!("127.0.0.1:{port}")];
        if address.ip().is_loopback() {
            hosts.extend(local.map(|host| (host.clone(), format!("http://{host}"))));
        }
        let cookies = Cookies::new(&url);
        let provider = match &config.oidc {
            Some(oidc) => Some(Provider::open(oidc, directory, &url)?),
            None => None,
        };
        let mut random = [0_u8; 32];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random)
            .map_err(|_| PasswordError::Entropy)?;
        Ok(Self {
            service,
            leader,
            policy: policy.clone(),
            web: web.clone(),
            databank,
            node_url: node_url.to_owned(),
            words: AllWords::builtin()?,
            noted: Throttle::default(),
            hosts,
            cookies,
            provider,
            hashing: Semaphore::new(HASHING),
            nobody: password::hash(&data_encoding::BASE64.encode(&random))?,
        })
    }

    /// The store.
    pub(super) fn store(&self) -> &Store {
        &self.service.store
    }

    /// The moment now.
    pub(super) fn now(&self) -> Timestamp {
        self.service.clock.now()
    }

    /// What publications are signed with and shown by.
    pub(super) fn printer(&self) -> Printer<'_> {
        Printer { key: &self.service.signing_key, policy: &self.policy }
    }
}

impl Cookies {
    fn new(url: &str) -> Self {
        let is_secure = url.starts_with("https://");
        // Browsers share cookies between ports, so without TLS the names say which: the one that
        // browsers ask for, behind which several instances may be.
        let uri = url.parse::<http::Uri>().ok();
        let port = uri.and_then(|uri| uri.port_u16()).unwrap_or(80);
        let name = |what: &str| {
            if is_secure {
                format!("__Host-fellestall-{what}")
            } else {
                format!("fellestall-{what}-{port}")
            }
        };
        let plain = "; Path=/; HttpOnly";
        Self {
            session: name("admin"),
            language: name("admin-language"),
            flow: name("admin-flow"),
            attributes: if is_secure { "; Path=/; HttpOnly; Secure" } else { plain },
        }
    }
}

/// The host of an address without a path, as a browser names it.
fn host_of(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let is_plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let host = uri.authority()?.as_str().to_lowercase();
    (is_plain && is_web && !host.contains('@')).then_some(host)
}
