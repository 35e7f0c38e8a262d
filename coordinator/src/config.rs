//! The coordinator's configuration file.
//!
//! **Invariant:** an unknown field is an error, and there is nothing secret in it but what the
//! address of the database may hold; the file has mode 0600.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// The configuration, as `coordinator.toml` in the coordinator's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address that nodes dial, as `https://tall.example.no:8443`.
    pub url: String,
    /// The names and addresses in the server's certificate; the host of `url` among them.
    pub hosts: Vec<String>,
    /// Where the service for nodes listens.
    pub listen: SocketAddr,
    /// Where the public pages listen (plain HTTP: put a web server with a public certificate in
    /// front); left out: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<SocketAddr>,
    /// The store: `sqlite:FILE` (relative to the directory) or `postgres://...`.
    pub store: String,
    /// How the public service presents itself and what it allows.
    #[serde(default)]
    pub web: Web,
    /// The administration pages; left out: there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<Admin>,
}

/// The public service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// The address that readers use, as `https://tall.example.no`; left out: `http://` and the address
    /// that is listened on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who publishes: the name in citations and metadata.
    pub publisher: String,
    /// An address for questions; left out: none is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The licence's name.
    pub licence: String,
    /// The licence's address.
    pub licence_url: String,
    /// Proxies in front of the service whose `X-Forwarded-For` is believed, as `10.0.0.7`. They, and a
    /// balancer in front of the address that nodes dial, have no share of connections of their own.
    pub trusted_proxies: Vec<IpAddr>,
    /// Cells in one answer, at the most.
    pub max_data_cells: usize,
    /// Calls of one address to the databank within the window, at the most.
    pub calls_per_window: u32,
    /// The window, in seconds.
    pub window_seconds: u32,
    /// The DOI that was registered for a version, as `"core.1.2026H1.v1" = "10.1234/abc"`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub doi: BTreeMap<String, String>,
}

impl Default for Web {
    fn default() -> Self {
        Self {
            url: None,
            publisher: "Fellestall".to_owned(),
            contact: None,
            licence: "CC BY 4.0".to_owned(),
            licence_url: "https://creativecommons.org/licenses/by/4.0/".to_owned(),
            trusted_proxies: Vec::new(),
            max_data_cells: 800_000,
            calls_per_window: 30,
            window_seconds: 60,
            doi: BTreeMap::new(),
        }
    }
}

/// The administration pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Where they listen, in plain HTTP: on this machine, or behind a web server with TLS.
    pub listen: SocketAddr,
    /// The address that staff use, as `https://admin.tall.example.no`; left out: `http://` and the
    /// address that is listened on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Signing in by OpenID Connect; left out: by local account alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<Oidc>,
}

/// A provider of OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The issuer, as `https://login.example.no`.
    pub issuer: String,
    /// The client id that the provider gave.
    pub client_id: String,
    /// The file with the client's secret, of mode 0600; relative to the directory.
    pub client_secret_file: PathBuf,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown field, or a field of another kind.
    #[error("coordinator.toml cannot be read")]
    Toml(#[from] Box<toml::de::Error>),
    /// Not an address that nodes can dial.
    #[error("url must be https://HOST or https://HOST:PORT, as https://tall.example.no:8443")]
    Url,
    /// A certificate for nothing.
    #[error("hosts must name the host of url, {host}")]
    Hosts {
        /// The host of the address.
        host: String,
    },
    /// Neither a SQLite nor a PostgreSQL address.
    #[error("store must be sqlite:FILE or postgres://USER@HOST/DATABASE")]
    Store,
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`ConfigError`]: what is wrong.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(Box::new)?;
        config.check()?;
        Ok(config)
    }

    /// The configuration as a file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let body = toml::to_string(self).unwrap_or_default();
        format!(
            "# The coordinator's configuration; see `fellestall-coordinator help init`.\n{body}"
        )
    }

    /// Checks that the parts fit.
    ///
    /// # Errors
    /// [`ConfigError`]: what does not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let (host, _) = host_and_port(&self.url).ok_or(ConfigError::Url)?;
        if !self.hosts.contains(&host) {
            return Err(ConfigError::Hosts { host });
        }
        check_store(&self.store)
    }
}

/// Checks the address of a store.
pub(crate) fn check_store(store: &str) -> Result<(), ConfigError> {
    match store.split_once(':') {
        Some(("sqlite", file)) if !file.is_empty() => Ok(()),
        Some(("postgres" | "postgresql", _)) => Ok(()),
        _ => Err(ConfigError::Store),
    }
}

/// The host and port of an address that nodes dial; `None` if it is none.
#[must_use]
pub fn host_and_port(url: &str) -> Option<(String, u16)> {
    let uri: http::Uri = url.parse().ok()?;
    let plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
    if uri.scheme_str() != Some("https") || !plain {
        return None;
    }
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    Some((host.to_owned(), uri.port_u16().unwrap_or(443)))
}
