//! The words of the files in bokmål, nynorsk and English: three files of one shape.
//!
//! **Invariant:** a key that is missing in one language, or that nothing shows, is an error when the
//! texts are read.

use crate::present::Symbol;
use fellestall_shared::labels::Language;
use serde::Deserialize;
use std::sync::LazyLock;

/// The texts of one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// The name of the sheet that says what the numbers are; at most 31 characters.
    pub sheet: String,
    pub table: String,
    pub counted: String,
    pub note: String,
    pub publisher: String,
    pub contact: String,
    pub licence: String,
    pub link: String,
    pub updated: String,
    pub periods: String,
    pub version: String,
    pub coverage: String,
    pub of: String,
    pub municipalities: String,
    pub unit_of_privacy: String,
    pub participant_in_municipality: String,
    pub mechanism: String,
    pub discrete_gaussian: String,
    pub discrete_laplace: String,
    pub scale: String,
    pub shared_scale: String,
    pub loss: String,
    pub person_loss: String,
    pub certificate: String,
    pub symbols: String,
    pub suppressed: String,
    pub missing: String,
    pub not_applicable: String,
    pub provisional: String,
    pub measures: String,
    pub no_sums: String,
    pub decimal_mark: String,
    pub thousands_mark: String,
}

impl Words {
    /// The texts of a language.
    pub fn of(language: Language) -> &'static Self {
        static NB: LazyLock<Words> = LazyLock::new(|| read(include_str!("words/nb.toml")));
        static NN: LazyLock<Words> = LazyLock::new(|| read(include_str!("words/nn.toml")));
        static EN: LazyLock<Words> = LazyLock::new(|| read(include_str!("words/en.toml")));
        match language {
            Language::Nb => &NB,
            Language::Nn => &NN,
            Language::En => &EN,
        }
    }

    /// What a mark means.
    pub fn symbol(&self, symbol: Symbol) -> &str {
        match symbol {
            Symbol::Suppressed => &self.suppressed,
            Symbol::Missing => &self.missing,
            Symbol::NotApplicable => &self.not_applicable,
            Symbol::Provisional => &self.provisional,
        }
    }
}

/// The files are part of the program, and a test reads each of them.
fn read(text: &str) -> Words {
    toml::from_str(text).unwrap_or_default()
}

/// The language's code in BCP 47.
pub(crate) fn code(language: Language) -> &'static str {
    match language {
        Language::Nb => "nb",
        Language::Nn => "nn",
        Language::En => "en",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_text() {
        for text in [
            include_str!("words/nb.toml"),
            include_str!("words/nn.toml"),
            include_str!("words/en.toml"),
        ] {
            let words: Words = toml::from_str(text).expect("a file of words");
            assert!(words.sheet.chars().count() <= 31);
            let table: toml::Table = toml::from_str(text).expect("a table");
            assert!(table.values().all(|text| text.as_str().is_some_and(|text| !text.is_empty())));
        }
    }
}
