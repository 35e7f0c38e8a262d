//! The node's configuration: one TOML file in the node's directory.
//!
//! **Invariant:** a [`Config`] exists only for a file that is wholly understood; a key that is not
//! known is an error, and so is a choice that the municipality has to make and did not.

use crate::client::Route;
use crate::kernel::source::{Limits, Origin, RejectedRows};
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::privacy::{Delta, Rho};
use serde::Deserialize;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::Duration;

mod records;
mod template;
pub use template::{Choices, template};

/// The file's name.
pub const FILE: &str = "fellestall-node.toml";
/// Where `console` serves when the configuration does not say.
pub const CONSOLE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8475));
/// Shortest and longest pause between two polls.
const POLL_SECONDS: std::ops::RangeInclusive<u64> = 1..=86_400;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The node's directory: keys, state and ledger lie in it.
    pub directory: PathBuf,
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// The folder of the export, or the database that counts.
    pub records: Origin,
    /// The file that maps the export's columns and codes, if it is not in the standard form.
    pub mapping: Option<PathBuf>,
    /// What is done when a row is rejected.
    pub rejected_rows: RejectedRows,
    /// What reading the records may take.
    pub limits: Limits,
    /// The privacy budget.
    pub budget: BudgetConfig,
    /// A file of more certificate authorities (PEM), as of a proxy that breaks TLS open.
    pub ca_file: Option<PathBuf>,
    /// The proxy to dial out through.
    pub proxy: Option<String>,
    /// The pause between two polls.
    pub poll: Duration,
    /// Where the console is served, also by the running node; always on loopback.
    pub console: Option<SocketAddr>,
    /// How many people an approval takes.
    pub people: People,
}

/// How many people an approval takes. A refusal takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum People {
    /// One decides.
    One,
    /// The second person's approval makes the decision.
    Two,
}

/// Caps on the privacy loss, set by the municipality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetConfig {
    /// For all time.
    pub lifetime: Rho,
    /// For one calendar year.
    pub year: Rho,
    /// For one study.
    pub study: Rho,
    /// The delta at which epsilon is shown.
    pub delta: Delta,
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "cannot read {}; make one with: fellestall-node init --municipality NUMBER --records FOLDER, or name its directory with --dir",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML in the form it should be.
    #[error("{}: {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
    /// A value that cannot be.
    #[error("{}: {key} {what}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What is wrong, and how to mend it.
        what: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    municipality: String,
    records: records::Section,
    budget: BudgetSection,
    #[serde(default)]
    coordinator: CoordinatorSection,
    network: NetworkSection,
    console: Option<ConsoleSection>,
    #[serde(default)]
    approval: ApprovalSection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetSection {
    lifetime: String,
    year: String,
    study: String,
    delta_exponent: u8,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct CoordinatorSection {
    ca_file: Option<PathBuf>,
    proxy: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkSection {
    poll_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleSection {
    listen: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalSection {
    people: u8,
}

impl Default for ApprovalSection {
    fn default() -> Self {
        Self { people: 1 }
    }
}

impl ConsoleSection {
    /// Nobody beyond this machine may reach the console: it has no TLS and shows local counts.
    fn address(&self) -> Result<SocketAddr, &'static str> {
        let address: SocketAddr = self
            .listen
            .parse()
            .map_err(|_| "must be an address and a port, as \"127.0.0.1:8475\"")?;
        if address.ip().is_loopback() {
            Ok(address)
        } else {
            Err("must be on loopback, as \"127.0.0.1:8475\": the console is for this machine alone")
        }
    }
}

impl Config {
    /// Reads the configuration of the node in `directory`.
    ///
    /// # Errors
    /// [`ConfigError`]: the key, what is wrong with it and how to mend it.
    pub fn read(directory: &Path) -> Result<Self, ConfigError> {
        let path = directory.join(FILE);
        let text = fs::read_to_string(&path)
            .map_err(|source| ConfigError::Read { path: path.clone(), source })?;
        Self::parse(directory, &text)
    }

    /// The configured proxy, for every host.
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        self.proxy.clone().map(|proxy| Route { proxy, except: String::new() })
    }

    /// The configuration that a text is.
    ///
    /// # Errors
    /// [`ConfigError`], as [`Self::read`].
    pub fn parse(directory: &Path, text: &str) -> Result<Self, ConfigError> {
        let path = directory.join(FILE);
        let file: File = toml::from_str(text).map_err(|error| ConfigError::Form {
            path: path.clone(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let bad = |key, what| ConfigError::Value { path: path.clone(), key, what };
        let rho = |key, text: &str| rho_of(text).ok_or_else(|| bad(key, BAD_RHO));
        let budget = BudgetConfig {
            lifetime: rho("budget.lifetime", &file.budget.lifetime)?,
            year: rho("budget.year", &file.budget.year)?,
            study: rho("budget.study", &file.budget.study)?,
            delta: Delta::try_from(file.budget.delta_exponent).map_err(|_| {
                bad("budget.delta_exponent", "must be from 3 to 15: 6 stands for one in a million")
            })?,
        };
        if budget.year > budget.lifetime {
            return Err(bad(
                "budget.year",
                "is above budget.lifetime; lower it, or raise the other",
            ));
        }
        if budget.study > budget.lifetime {
            return Err(bad(
                "budget.study",
                "is above budget.lifetime; lower it, or raise the other",
            ));
        }
        if !POLL_SECONDS.contains(&file.network.poll_seconds) {
            return Err(bad("network.poll_seconds", "must be from 1 to 86400 seconds"));
        }
        if file.coordinator.proxy.as_deref().is_some_and(|proxy| !is_proxy(proxy)) {
            return Err(bad("coordinator.proxy", "must be as http://proxy.example.no:3128"));
        }
        let console = file.console.map(|section| section.address()).transpose();
        let people = match file.approval.people {
            1 => People::One,
            2 => People::Two,
            _ => return Err(bad("approval.people", "must be 1 or 2")),
        };
        let limits = file.records.limits().map_err(|(key, what)| bad(key, what))?;
        let municipality = file.municipality.parse().map_err(|_| {
            bad("municipality", "must be the municipality's four digits in quotes, as \"4601\"")
        })?;
        Ok(Self {
            directory: directory.to_owned(),
            municipality,
            rejected_rows: file.records.rejected_rows,
            limits,
            mapping: file.records.mapping.as_ref().map(|path| directory.join(path)),
            records: file.records.origin(directory).map_err(|(key, what)| bad(key, what))?,
            budget,
            ca_file: file.coordinator.ca_file.map(|path| directory.join(path)),
            proxy: file.coordinator.proxy,
            poll: Duration::from_secs(file.network.poll_seconds),
            console: console.map_err(|what| bad("console.listen", what))?,
            people,
        })
    }
}

const BAD_RHO: &str =
    "must be a number of rho in quotes, above 0 and with at most 6 decimals, as \"0.25\"";

/// A proxy's address that can be used.
#[must_use]
pub fn is_proxy(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// Rho from decimal text, exactly; `None` unless it is above 0 and has at most 6 decimals.
#[must_use]
pub fn rho_of(text: &str) -> Option<Rho> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 6 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let micro: u64 = format!("{decimals:0<6}").parse().ok()?;
    let total = whole.checked_mul(1_000_000)?.checked_add(micro)?;
    if total == 0 { None } else { Some(Rho::from_micro(total)) }
}

#[cfg(test)]
mod tests;
