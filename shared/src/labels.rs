//! Labels in the three languages that every table speaks.
//!
//! **Invariant:** a label that exists is not empty in any language.

use serde::{Deserialize, Serialize};

/// A language of labels and pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Bokmål.
    Nb,
    /// Nynorsk.
    Nn,
    /// English.
    En,
}

/// One text in bokmål, nynorsk and English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Bokmål.
    pub nb: String,
    /// Nynorsk.
    pub nn: String,
    /// English.
    pub en: String,
}

impl Labels {
    /// The text in one language.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::Nb => &self.nb,
            Language::Nn => &self.nn,
            Language::En => &self.en,
        }
    }

    /// Whether every language has a text of at most `max` characters.
    #[must_use]
    pub fn are_within(&self, max: usize) -> bool {
        [&self.nb, &self.nn, &self.en]
            .iter()
            .all(|text| !text.trim().is_empty() && text.chars().count() <= max)
    }
}
