//! The coordinator's configuration file.
//!
//! **Invariant:** an unknown field is an error, and there is nothing secret in it but what the
//! address of the database may hold; the file has mode 0600.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

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
        match self.store.split_once(':') {
            Some(("sqlite", file)) if !file.is_empty() => Ok(()),
            Some(("postgres" | "postgresql", _)) => Ok(()),
            _ => Err(ConfigError::Store),
        }
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
