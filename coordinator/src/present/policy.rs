//! The presentation rule: which released figures are shown, as a file, and how it decides.
//!
//! The rule is about what is useful to a reader, not about protection: noise protects people before
//! anything leaves a municipality, and every unbiased value is published. A figure that is mostly
//! noise misleads, so it is marked and not shown as a number.
//!
//! **Invariant:** a rule reads released values and public facts alone; it cannot see an exact count,
//! and says which value each decision was made on.

use super::Reason;
use serde::{Deserialize, Serialize};

/// No number of the rule is larger; a limit that is this is none.
const LARGEST: u32 = 1_000_000;

/// The rule, as `presentation.toml` in the coordinator's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The rule's version, raised by whoever changes it.
    pub version: u32,
    /// Figures of single municipalities, pools and counties whose released value is below this are
    /// hidden; 0 hides nothing for being small.
    pub threshold: i64,
    /// Figures whose noise (one standard deviation) is more than this many per cent of their
    /// released value are hidden in municipalities, pools and counties; 1000000 hides nothing for
    /// being uncertain.
    pub variation_percent: u32,
    /// The country, counties and pooled municipalities are shown from so many municipalities.
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
pub enum BadPolicy {
    /// Not TOML, or a field that is unknown or of another type.
    #[error(
        "presentation.toml cannot be read; it may have version, threshold, variation_percent, minimum_municipalities and pool"
    )]
    Toml(#[from] Box<toml::de::Error>),
    /// A number that makes no rule.
    #[error("{field} in presentation.toml is {found}; {mend}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What stands there.
        found: i64,
        /// What may stand there.
        mend: &'static str,
    },
}

impl Policy {
    /// Reads a rule.
    ///
    /// # Errors
    /// [`BadPolicy`]: not TOML, an unknown field, or a number that makes no rule.
    pub fn from_toml(text: &str) -> Result<Self, BadPolicy> {
        let policy: Self = toml::from_str(text).map_err(Box::new)?;
        policy.check()?;
        Ok(policy)
    }

    /// Whether the numbers make a rule.
    ///
    /// # Errors
    /// [`BadPolicy::Field`]: the first that does not.
    pub fn check(&self) -> Result<(), BadPolicy> {
        let bad = |field, found: i64, mend| Err(BadPolicy::Field { field, found, mend });
        if self.version == 0 {
            return bad("version", 0, "give 1, and one more with every change");
        }
        if !(0..=i64::from(LARGEST)).contains(&self.threshold) {
            let mend = "give 0 to 1000000; 0 hides nothing for being small";
            return bad("threshold", self.threshold, mend);
        }
        if !(1..=LARGEST).contains(&self.variation_percent) {
            let mend = "give 1 to 1000000; 1000000 hides nothing for being uncertain";
            return bad("variation_percent", i64::from(self.variation_percent), mend);
        }
        if !(1..=LARGEST).contains(&self.minimum_municipalities) {
            let mend = "give 1 to 1000000; 1 hides nothing for resting on few municipalities";
            return bad("minimum_municipalities", i64::from(self.minimum_municipalities), mend);
        }
        Ok(())
    }

    /// Why a released value of a region below the country is not shown, if it is not.
    #[must_use]
    pub fn hides(&self, released: i64, deviation: f64) -> Option<Reason> {
        if self.threshold > 0 && released < self.threshold {
            return Some(Reason::BelowThreshold);
        }
        if self.variation_percent == LARGEST {
            return None;
        }
        let limit = f64::from(self.variation_percent) / 100.0 * super::estimate::real(released);
        (deviation > limit).then_some(Reason::TooUncertain)
    }

    /// Whether a sum over so many municipalities is one over too few.
    #[must_use]
    pub fn are_too_few(&self, municipalities: usize) -> bool {
        u32::try_from(municipalities).is_ok_and(|count| count < self.minimum_municipalities)
    }
}
