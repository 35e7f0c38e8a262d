//! The presentation rule: which released figures are shown, as a file.
//!
//! **Invariant:** a rule reads released values and public facts alone; it cannot see an exact count.

use serde::{Deserialize, Serialize};

/// The rule, as `presentation.toml` in the coordinator's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The rule's version, raised by whoever changes it.
    pub version: u32,
    /// Figures of single municipalities and counties whose released value is below this are hidden.
    pub threshold: i64,
    /// Figures whose noise (one standard deviation) is more than this many per cent of their
    /// released value are hidden in municipalities and counties.
    pub variation_percent: u32,
    /// Counties and pooled municipalities are shown from so many municipalities.
    pub minimum_municipalities: u32,
    /// Whether municipalities that cannot be shown are pooled within their county.
    pub pool: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            threshold: 3,
            variation_percent: 50,
            minimum_municipalities: 3,
            pool: true,
        }
    }
}

/// A file that is no presentation rule.
#[derive(Debug, thiserror::Error)]
#[error("presentation.toml cannot be read")]
pub struct BadPolicy(#[from] Box<toml::de::Error>);

impl Policy {
    /// Reads a rule.
    ///
    /// # Errors
    /// [`BadPolicy`]: not TOML, or an unknown field.
    pub fn from_toml(text: &str) -> Result<Self, BadPolicy> {
        Ok(toml::from_str(text).map_err(Box::new)?)
    }
}
