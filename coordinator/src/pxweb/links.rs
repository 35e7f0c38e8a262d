//! Links between the resources of the interface.
//!
//! **Invariant:** absolute, from the address that readers use.

use super::json_stat::About;
use super::query::code;
use fellestall_shared::labels::Language;
use serde::Serialize;

/// A link.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    /// What it leads to, as `self`, `metadata`, `data`.
    pub rel: &'static str,
    /// The language of what it leads to.
    pub hreflang: &'static str,
    /// The address.
    pub href: String,
}

impl Link {
    /// A link to a path of the interface.
    #[must_use]
    pub fn to(about: &About<'_>, rel: &'static str, path: &str, language: Language) -> Self {
        Self { rel, hreflang: code(language), href: about.href(path, language) }
    }
}
