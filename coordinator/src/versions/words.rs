//! The words about versions in bokmål, nynorsk and English: three files of one shape.
//!
//! **Invariant:** a key that is missing in one language, or that nothing shows, is an error when the
//! texts are read.

use crate::present::Whose;
use crate::publish::CoverageState;
use fellestall_shared::labels::Language;
use fellestall_shared::privacy::Loss;
use serde::Deserialize;
use std::sync::LazyLock;

macro_rules! texts {
    ($name:ident { $($key:ident),+ $(,)? }) => {
        /// The texts of one language.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $(pub $key: String,)+
        }
    };
}

texts! {
    Words {
        title, lead, none, version, version_name, dataset, digest, published, newer_link,
        older_link, page_lead, newer_exists, to_newest, about, facts, study, round, period, coverage,
        of, municipalities, figures_from, provisional, final_figures, state, changes, first_version,
        came, left, in_figures_from, asked_from, to, same_coverage, versions, this_one, tables,
        downloads, file, holds, json, csv, measurements_csv, measurements_parquet, presentation,
        certificate, datacite, citation_file, citation, certificate_title, certificate_lead,
        participant, loss, person_loss, condition, condition_at_most, condition_nodes, together, statistic, mechanism, scale, noise_caption, gaussian, whose, whose_each, whose_shared, deviation,
        laplace, who, who_lead, reported, late, missing, declined, undecided, verify,
    }
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

    /// How a municipality stands.
    pub fn state_of(&self, state: CoverageState) -> &str {
        match state {
            CoverageState::Reported => &self.reported,
            CoverageState::Late => &self.late,
            CoverageState::Missing => &self.missing,
            CoverageState::Declined => &self.declined,
            CoverageState::Undecided => &self.undecided,
        }
    }

    /// Who adds a noise.
    pub fn whose_of(&self, whose: Whose) -> &str {
        match whose {
            Whose::Each => &self.whose_each,
            Whose::Shared => &self.whose_shared,
        }
    }

    /// The noise of a table.
    pub fn law(&self, loss: Loss) -> &str {
        match loss {
            Loss::DiscreteGaussian { .. } => &self.gaussian,
            Loss::DiscreteLaplace { .. } => &self.laplace,
        }
    }
}

/// The files are part of the program, and a test reads each of them.
fn read(text: &str) -> Words {
    toml::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn every_language_has_every_text() {
        for text in [
            include_str!("words/nb.toml"),
            include_str!("words/nn.toml"),
            include_str!("words/en.toml"),
        ] {
            let words: Result<Words, _> = toml::from_str(text);
            words.expect("a file of words");
            let table: toml::Table = toml::from_str(text).expect("a table");
            assert!(table.values().all(|text| text.as_str().is_some_and(|text| !text.is_empty())));
        }
    }
}
