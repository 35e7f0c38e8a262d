//! Every text of the public pages in bokmål, nynorsk and English: three files of one shape.
//!
//! **Invariant:** a key that is missing in one language, or that nothing shows, is an error when the
//! texts are read.

use fellestall_shared::labels::Language;
use serde::Deserialize;
use std::sync::LazyLock;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident { $($key:ident),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub(crate) struct $name {
                $(pub $key: String,)+
            }
        )+
    };
}

/// The texts of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    pub common: Common,
    pub errors: Errors,
    pub front: Front,
    pub tables: Tables,
    pub table: Table,
    pub compare: Compare,
    pub method: Method,
    pub interface: Interface,
}

texts! {
    /// What surrounds every page.
    Common {
        skip, languages, main_navigation, tagline, tables, publications, method, api, footer, licence,
        contact, feed, catalog,
    }
    /// Why there is no page.
    Errors { missing_title, missing, broken_title, broken, home, to_tables }
    /// The front page.
    Front { title, lead, headline, from, of, municipalities, provisional, sure, range_note, nothing, find, find_label, find_submit, what, about_title, about, sure_title, sure_text, to_method, who_title, who, to_api, news, version, published, all_news }
    /// The table finder.
    Tables { title, label, submit, none, one, many, that_have, all, updated, pages, before, after, page_number, of }
    /// One table.
    Table { all_tables, must, to_method, provisional_badge, provisional_note, choose, show, chart, dots_text, line_text, chart_text, chart_part, numbers, figure, value, interval, raw, deviation, coverage, left_out, suppressed, missing, not_applicable, provisional, columns_note, compare, compare_text, to_compare, take, take_text, snippets, snippets_text, source, source_text, updated, id_is, version, published, of, municipalities }
    /// Two figures.
    Compare { title, back, more, noise, more_text, noise_text, difference, interval, nested, other_municipalities, causes, refused, same, not_shown, shared_hidden, shared_noise, two, first, second, submit, how, how_text, many, to_method }
    /// About the figures.
    Method { title, lead, contents, noise_title, noise, noise_once, noise_caption, noise_shared, table, whose, whose_each, whose_shared, mechanism, scale, deviation, cells, gaussian, laplace, interval_title, interval, interval_rates, interval_not, shown_title, shown, raw, rule, rule_threshold, rule_variation, rule_minimum, rule_pool, symbol_suppressed, symbol_missing, symbol_not_applicable, symbol_provisional, coverage_title, coverage, of, municipalities, reported, late, missing, rejected, declined, undecided, privacy_title, privacy, unit, epsilon, person_epsilon, condition, condition_at_most, condition_nodes, certificate, privacy_not, not_title, not_exact, not_everyone, not_causes, not_ranking, cite_title, cite, licence, definitions_title, definitions }
    /// The interface's reference.
    Interface { title, lead, address, example, limits, cells, calls, seconds, clients, clients_text, measures, measures_text, measure_shown, measure_interval, measure_deviation, measure_raw, measure_coverage, english, details }
}

struct AllWords {
    nb: Words,
    nn: Words,
    en: Words,
}

/// Texts that are not whole.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub(crate) struct BadWords {
    file: &'static str,
    message: String,
}

impl Words {
    /// The texts of one language.
    ///
    /// # Errors
    /// [`BadWords`] if the program was built with texts that are not whole.
    pub(crate) fn of(language: Language) -> Result<&'static Self, &'static BadWords> {
        static ALL: LazyLock<Result<AllWords, BadWords>> = LazyLock::new(|| {
            Ok(AllWords {
                nb: parse("nb.toml", include_str!("words/nb.toml"))?,
                nn: parse("nn.toml", include_str!("words/nn.toml"))?,
                en: parse("en.toml", include_str!("words/en.toml"))?,
            })
        });
        let all = ALL.as_ref()?;
        Ok(match language {
            Language::Nb => &all.nb,
            Language::Nn => &all.nn,
            Language::En => &all.en,
        })
    }
}

fn parse(file: &'static str, text: &str) -> Result<Words, BadWords> {
    toml::from_str(text).map_err(|error| BadWords { file, message: error.to_string() })
}

#[cfg(test)]
mod tests;
