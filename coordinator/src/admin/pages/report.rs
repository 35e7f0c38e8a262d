//! The report for the network's gathering, for whoever is signed in.
//!
//! **Invariant:** the very bytes that the command line writes.

use crate::admin::asked::{Asked, Refusal};
use crate::admin::frame::Frame;
use crate::admin::guard::{OwnStyle, code};
use crate::admin::words::Words;
use crate::report::{self, Imprint, ReportError};
use askama::Template;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use fellestall_shared::period::Period;
use http::header;
use std::collections::BTreeSet;

/// Which period, for whoever has not said.
#[derive(Template)]
#[template(path = "admin/report.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    periods: Vec<String>,
}

/// `GET /report`, `GET /report?period=2026H1`, and `&as=xlsx` for a workbook.
pub(in crate::admin) async fn page(asked: Asked, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let field = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    };
    let Some(period) = field("period") else {
        return asked.answer(build(&asked).await);
    };
    match written(&asked, period, field("as") == Some("xlsx")).await {
        Ok(answer) => answer,
        Err(refusal) => asked.refuse(refusal),
    }
}

async fn build(asked: &Asked) -> Result<Page, Refusal> {
    let w = asked.words();
    let catalogue = asked.desk.databank.catalogue().await?;
    let rounds = catalogue.tables.values().flat_map(|table| &table.rounds);
    let periods: BTreeSet<Period> = rounds.map(|(period, _, _)| *period).collect();
    let periods = periods.iter().rev().map(ToString::to_string).collect();
    Ok(Page { f: Frame::new(asked, &w.report.title, "/report"), w, periods })
}

async fn written(asked: &Asked, period: &str, as_workbook: bool) -> Result<Response, Refusal> {
    let period: Period = period.parse().map_err(|_| Refusal::Missing)?;
    let imprint = Imprint::of(&asked.desk.web);
    let found = match report::gather(&asked.desk.databank, period, imprint).await {
        Ok(found) => found,
        Err(ReportError::NothingPublished { .. }) => return Err(Refusal::Missing),
        Err(error) => return Err(error.into()),
    };
    let language = asked.language;
    let tongue = code(language);
    if as_workbook {
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let name = format!("attachment; filename=\"fellestall-{period}-{tongue}.xlsx\"");
        let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name.as_str())];
        return Ok((headers, report::xlsx(&found, language)?).into_response());
    }
    let text = report::html(&found, language)?;
    let style = OwnStyle::of(&text);
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut answer = (kind, text).into_response();
    answer.extensions_mut().insert(style);
    Ok(answer)
}
