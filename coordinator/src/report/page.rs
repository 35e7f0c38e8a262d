//! The report as one HTML document that prints to A4.
//!
//! **Invariant:** complete in itself: no script, and nothing is fetched to show or print it.

use super::sentences::Writer;
use super::view::{Front, StudyView};
use super::words::{AllWords, Words};
use super::{Report, ReportError};
use askama::Template;
use fellestall_shared::labels::Language;

const STYLE: &str = include_str!("../../templates/report/style.css");

#[derive(Template)]
#[template(path = "report/report.html")]
struct Page<'a> {
    lang: &'static str,
    style: &'static str,
    words: &'a Words,
    front: Front,
    studies: Vec<StudyView>,
}

/// The report as HTML in one language.
///
/// # Errors
/// [`ReportError`] if it cannot be written.
pub fn html(report: &Report, language: Language) -> Result<String, ReportError> {
    let words = AllWords::builtin()?.of(language);
    let writer = Writer { words, language };
    let page = Page {
        lang: match language {
            Language::Nb => "nb",
            Language::Nn => "nn",
            Language::En => "en",
        },
        style: STYLE,
        words,
        front: writer.front(report),
        studies: report.studies.iter().map(|study| writer.study(report, study)).collect(),
    };
    Ok(page.render()?)
}
