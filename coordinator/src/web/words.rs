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
