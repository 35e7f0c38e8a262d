//! The audit log, newest first.
//!
//! **Invariant:** shows every line as it stands; alarms are marked in words, not by colour alone.

use super::number_in;
use crate::admin::asked::{Asked, Refusal};
use crate::admin::frame::Frame;
use crate::admin::show::{fill, moment};
use crate::admin::words::Words;
use crate::store::staff::UNKNOWN;
use askama::Template;
use axum::extract::RawQuery;
use axum::response::Response;

/// Lines on one page.
const PAGE: i64 = 50;

/// One line.
struct Line {
    number: i64,
    when: String,
    who: String,
    what: String,
    about: String,
    is_alarm: bool,
}

#[derive(Template)]
#[template(path = "admin/log.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
    place: String,
    newer: Option<i64>,
    older: Option<i64>,
}

/// `GET /log`.
pub(in crate::admin) async fn page(asked: Asked, RawQuery(query): RawQuery) -> Response {
    let number = number_in(query.as_deref(), "page").unwrap_or(1).max(1);
    asked.answer(build(&asked, number).await)
}

async fn build(asked: &Asked, number: i64) -> Result<Page, Refusal> {
    let w = asked.words();
    let store = asked.desk.store();
    let all = store.audit_length().await?;
    let pages = all.saturating_add(PAGE - 1).div_euclid(PAGE).max(1);
    let number = number.min(pages);
    let skipped = number.saturating_sub(1).saturating_mul(PAGE);
    let lines = store.audit_page(skipped, PAGE).await?.into_iter().map(|line| Line {
        number: line.sequence,
        when: moment(line.moment, w, asked.language),
        who: if line.actor == UNKNOWN { w.log.unknown.clone() } else { line.actor },
        what: w.event(&line.event).to_owned(),
        about: line.subject,
        is_alarm: line.alarm,
    });
    Ok(Page {
        f: Frame::new(asked, &w.log.title, "/log"),
        w,
        lines: lines.collect(),
        place: fill(&w.log.page, &[("page", &number), ("pages", &pages)]),
        newer: (number > 1).then(|| number.saturating_sub(1)),
        older: (number < pages).then(|| number.saturating_add(1)),
    })
}
