//! What surrounds every public page: the head, the languages, the navigation, the footer.
//!
//! **Invariant:** the same on every page, so that it is found again; every text is in the page's
//! language.

use super::assets;
use super::words::{BadWords, Common, Words};
use crate::public::Site;
use fellestall_shared::labels::Language;

/// The languages, each with its code and its own name.
pub(crate) const TONGUES: [(Language, &str, &str); 3] = [
    (Language::Nb, "nb", "Bokmål"),
    (Language::Nn, "nn", "Nynorsk"),
    (Language::En, "en", "English"),
];

/// A language's code in addresses.
pub(crate) fn code(language: Language) -> &'static str {
    match language {
        Language::Nb => "nb",
        Language::Nn => "nn",
        Language::En => "en",
    }
}

/// The language that an address names.
pub(crate) fn language(code: &str) -> Option<Language> {
    TONGUES.iter().find(|(_, known, _)| *known == code).map(|(language, _, _)| *language)
}

/// One link of the navigation.
pub(crate) struct Link {
    /// Where it leads.
    pub to: String,
    /// What it says.
    pub text: &'static str,
    /// Whether the page is within it.
    pub is_here: bool,
}

/// One language to change to.
pub(crate) struct Tongue {
    /// Its code.
    pub code: &'static str,
    /// Its own name.
    pub name: &'static str,
    /// The page in this language.
    pub to: String,
    /// Whether the page is in it.
    pub is_here: bool,
}

/// What surrounds a page; templates that extend `web/base.html` hold it as `f`.
pub(crate) struct Frame {
    /// The code of the page's language.
    pub lang: &'static str,
    /// The page's title.
    pub title: String,
    /// Who publishes.
    pub publisher: String,
    /// The address of the stylesheet.
    pub style: String,
    /// The languages.
    pub tongues: Vec<Tongue>,
    /// The navigation.
    pub links: Vec<Link>,
    /// The licence's name.
    pub licence: String,
    /// The licence's address.
    pub licence_url: String,
    /// An address for questions.
    pub contact: Option<String>,
    /// The texts around the page.
    pub words: &'static Common,
}

impl Frame {
    /// The surroundings of the page at `path`, its address after the language, as `/tables`.
    ///
    /// # Errors
    /// [`BadWords`] if the program was built with texts that are not whole.
    pub(crate) fn new(
        site: &Site,
        language: Language,
        title: &str,
        path: &str,
    ) -> Result<Self, &'static BadWords> {
        let words = &Words::of(language)?.common;
        let lang = code(language);
        let tongue = |(one, code, name): &(Language, &'static str, &'static str)| Tongue {
            code,
            name,
            to: format!("/{code}{path}"),
            is_here: *one == language,
        };
        let sections: [(&str, &'static str); 4] = [
            ("/tables", &words.tables),
            ("/publications", &words.publications),
            ("/method", &words.method),
            ("/api", &words.api),
        ];
        let link = |(to, text): (&str, &'static str)| Link {
            to: format!("/{lang}{to}"),
            text,
            is_here: path.split('?').next().is_some_and(|path| within(path, to)),
        };
        Ok(Self {
            lang,
            title: title.to_owned(),
            publisher: site.web.publisher.clone(),
            style: assets::style_address(),
            tongues: TONGUES.iter().map(tongue).collect(),
            links: sections.into_iter().map(link).collect(),
            licence: site.web.licence.clone(),
            licence_url: site.web.licence_url.clone(),
            contact: site.web.contact.clone(),
            words,
        })
    }
}

fn within(path: &str, section: &str) -> bool {
    path.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
