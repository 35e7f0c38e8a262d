//! What was published.
//!
//! **Invariant:** lists what anybody can read.

use crate::admin::asked::{Asked, Refusal};
use crate::admin::frame::Frame;
use crate::admin::show::moment;
use crate::admin::words::Words;
use askama::Template;
use axum::response::Response;

/// Publications that are listed, at the most.
const MOST: u32 = 1_000;

/// One version.
struct Line {
    id: String,
    round: String,
    published: String,
    digest: String,
}

#[derive(Template)]
#[template(path = "admin/publications.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
    /// Where the public pages are, if the configuration says.
    public: Option<String>,
}

/// `GET /publications`.
pub(in crate::admin) async fn page(asked: Asked) -> Response {
    asked.answer(build(&asked).await)
}

async fn build(asked: &Asked) -> Result<Page, Refusal> {
    let w = asked.words();
    let lines = asked.desk.store().publications(MOST).await?.into_iter().map(|line| Line {
        id: format!("{}.v{}", line.round, line.version),
        round: line.round.to_string(),
        published: moment(line.created, w, asked.language),
        digest: line.digest.short(),
    });
    let public = asked.desk.web.url.as_ref().map(|url| url.trim_end_matches('/').to_owned());
    let lines = lines.collect();
    Ok(Page { f: Frame::new(asked, &w.publications.title, "/publications"), w, lines, public })
}
