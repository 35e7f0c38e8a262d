//! What surrounds every page: title, navigation, languages, who is signed in.
//!
//! **Invariant:** the same on every page, so that it is found again.

use super::asked::Asked;
use super::guard::code;
use super::notice::Notice;
use super::words::Words;
use crate::store::staff::Role;
use fellestall_shared::labels::Language;

/// One link of the navigation.
pub(super) struct Link {
    /// Where it leads.
    pub to: &'static str,
    /// What it says.
    pub text: &'static str,
    /// Whether the page is within it.
    pub is_here: bool,
}

/// One language to change to.
pub(super) struct Tongue {
    /// Its code.
    pub code: &'static str,
    /// Its own name.
    pub name: &'static str,
    /// Whether the page is in it.
    pub is_here: bool,
}

/// What surrounds a page.
pub(super) struct Frame {
    /// The code of the page's language.
    pub lang: &'static str,
    /// The page's title.
    pub title: String,
    /// Where the languages' links lead.
    pub here: String,
    /// The navigation; empty if nobody is signed in.
    pub links: Vec<Link>,
    /// The languages.
    pub tongues: [Tongue; 3],
    /// Who is signed in, with the role; empty if nobody is.
    pub who: String,
    /// The token of the session's forms.
    pub form_token: String,
    /// Whether the visitor may do what coordinators do.
    pub runs: bool,
    /// Whether the visitor may do what administrators do.
    pub administers: bool,
    /// What was just done.
    pub notice: Option<String>,
}

impl Frame {
    /// The surroundings of a page within the section that `section` leads to.
    pub(super) fn new(asked: &Asked, title: &str, section: &str) -> Self {
        let words = asked.words();
        let visitor = asked.visitor.as_ref();
        let role = visitor.map(|visitor| visitor.staff.role);
        let tongue = |language: Language, name| Tongue {
            code: code(language),
            name,
            is_here: language == asked.language,
        };
        Self {
            lang: code(asked.language),
            title: title.to_owned(),
            here: page_of(&asked.path),
            links: role.map(|role| links(words, section, role)).unwrap_or_default(),
            tongues: [
                tongue(Language::Nb, "Bokmål"),
                tongue(Language::Nn, "Nynorsk"),
                tongue(Language::En, "English"),
            ],
            who: visitor.map_or_else(String::new, |visitor| {
                format!("{}, {}", visitor.staff.name, words.role(visitor.staff.role))
            }),
            form_token: visitor.map_or_else(String::new, |visitor| visitor.form_token.clone()),
            runs: matches!(role, Some(Role::Administrator | Role::Coordinator)),
            administers: role == Some(Role::Administrator),
            notice: visitor.and_then(|visitor| Notice::text(&visitor.notice, words)),
        }
    }
}

fn links(words: &'static Words, section: &str, role: Role) -> Vec<Link> {
    let nav = &words.nav;
    let all: [(&str, &str); 9] = [
        ("/", &nav.overview),
        ("/nodes", &nav.nodes),
        ("/invitations", &nav.invitations),
        ("/studies", &nav.studies),
        ("/rounds", &nav.rounds),
        ("/publications", &nav.publications),
        ("/report", &nav.report),
        ("/log", &nav.log),
        ("/staff", &nav.staff),
    ];
    all.into_iter()
        .filter(|(to, _)| *to != "/staff" || role != Role::Coordinator)
        .map(|(to, text)| Link { to, text, is_here: to == section })
        .collect()
}

/// The page to read again in another language: an answer to a form is shown under the form's
/// address, which cannot be read.
fn page_of(path: &str) -> String {
    if path == "/sign-in/return" {
        return "/sign-in".to_owned();
    }
    let forms = ["/approve", "/refuse", "/deny", "/publish", "/remove"];
    let form = forms.iter().find_map(|form| path.strip_suffix(form));
    form.unwrap_or(path).to_owned()
}
