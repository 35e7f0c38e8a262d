//! A participant's report as a page that prints well.
//!
//! **Invariant:** every text is escaped; the page needs nothing else.

use super::Report;
use super::text::Words;
use crate::evidence::RenderError;
use askama::Template;
use fellestall_shared::labels::Language;

#[derive(Template)]
#[template(path = "evidence/person.html")]
struct Page<'r> {
    report: &'r Report,
    words: Words,
    language: Language,
}

/// The report in one language: a whole HTML page.
///
/// # Errors
/// [`RenderError`], which would be a defect.
pub fn html(report: &Report, language: Language) -> Result<String, RenderError> {
    Page { report, words: Words(language), language }.render().map_err(RenderError::from)
}
