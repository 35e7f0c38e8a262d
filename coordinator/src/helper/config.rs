//! The helper's configuration file.
//!
//! **Invariant:** an unknown field is an error, and there is nothing secret in it but what the
//! address of the database may hold; the file has mode 0600.

use super::card::check_name;
use crate::config::{ConfigError, check_store, host_and_port};
use fellestall_shared::limits::TEXT_CHARS;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The configuration, as `helper.toml` in the helper's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelperConfig {
    /// Who runs it, in words: studies name it, and municipalities read it.
    pub name: String,
    /// The address that the coordinator dials, as `https://helper.example.no:8444`.
    pub url: String,
    /// The names and addresses in the server's certificate; the host of `url` among them.
    pub hosts: Vec<String>,
    /// Where the service listens.
    pub listen: SocketAddr,
    /// The store: `sqlite:FILE` (relative to the directory) or `postgres://...`.
    pub store: String,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum BadHelperConfig {
    /// Not TOML, an unknown field, or a field of another kind.
    #[error("helper.toml cannot be read")]
    Toml(#[from] Box<toml::de::Error>),
    /// A name of nothing, or a story.
    #[error("name must have 1 to {TEXT_CHARS} characters: it says who runs the helper")]
    Name,
    /// What a coordinator's configuration could have wrong, too.
    #[error(transparent)]
    Address(#[from] ConfigError),
}

impl HelperConfig {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`BadHelperConfig`]: what is wrong.
    pub fn from_toml(text: &str) -> Result<Self, BadHelperConfig> {
        let config: Self = toml::from_str(text).map_err(Box::new)?;
        config.check()?;
        Ok(config)
    }

    /// The configuration as a file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let body = toml::to_string(self).unwrap_or_default();
        format!("# The helper's configuration; see `fellestall-coordinator helper --help`.\n{body}")
    }

    /// Checks that the parts fit.
    ///
    /// # Errors
    /// [`BadHelperConfig`]: what does not.
    pub fn check(&self) -> Result<(), BadHelperConfig> {
        check_name(&self.name).map_err(|_| BadHelperConfig::Name)?;
        let (host, _) = host_and_port(&self.url).ok_or(ConfigError::Url)?;
        if !self.hosts.contains(&host) {
            return Err(ConfigError::Hosts { host }.into());
        }
        Ok(check_store(&self.store)?)
    }
}
