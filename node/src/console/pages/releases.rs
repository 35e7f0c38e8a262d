//! What left this node: the list, the very table, and the exact bytes.
//!
//! **Invariant:** a table is read from the recorded bytes after their signature held, and shows every
//! figure of them in their order.

use super::Enrolled;
use crate::console::asked::{Asked, Refusal};
use crate::console::frame::Frame;
use crate::console::show::{figure, fill, whole};
use crate::console::words::Words;
use crate::kernel::{LedgerEntry, Recorded, Release};
use crate::keys::KeyStore;
use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::labels::Language;
use fellestall_shared::signed::{Envelope, Verified};
use fellestall_shared::statistic::{Domain, Statistic};
use fellestall_shared::wire::v1::{ReleaseDocument, ReleasedTable};
use http::header;

/// One release of the list.
struct Line {
    number: u64,
    release: String,
    short: String,
    round: String,
    period: String,
    cost: String,
    sent: bool,
}

#[derive(Template)]
#[template(path = "console/releases.html")]
struct ListPage {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
}

/// `GET /releases`.
pub(in crate::console) async fn list(asked: Asked) -> Response {
    asked
        .show(|asked| {
            let w = asked.words();
            let (_, history) = Enrolled::open(asked)?.ledger()?;
            let lines = history.iter().rev().map(|entry| Line {
                number: entry.sequence,
                release: entry.release.to_string(),
                short: entry.release.digest().short(),
                round: entry.round.to_string(),
                period: entry.period.to_string(),
                cost: figure(entry.charge, asked.language),
                sent: entry.sent,
            });
            let lines = lines.collect();
            Ok(ListPage { f: Frame::new(asked, &w.releases.title, "/releases"), w, lines })
        })
        .await
}

/// A table that left: rows over columns.
struct Table {
    id: String,
    title: String,
    rows_are: String,
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
    noise: String,
}

#[derive(Template)]
#[template(path = "console/release.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    release: String,
    facts: Vec<(String, String)>,
    has_report: bool,
    tables: Vec<Table>,
}

/// `GET /releases/{release}`.
pub(in crate::console) async fn page(asked: Asked, Path(release): Path<String>) -> Response {
    asked
        .show(move |asked| {
            let (w, language) = (asked.words(), asked.language);
            let (entry, recorded) = recorded(asked, &release)?;
            let document = read(asked, &recorded)?;
            let catalogue = Catalogue::builtin()?;
            let tables = document.tables.iter().map(|table| {
                let statistic = catalogue.statistic(&table.statistic);
                shown(w, table, statistic, language)
            });
            let title = format!("{} {}", w.releases.release, entry.round);
            Ok(Page {
                tables: tables.collect(),
                f: Frame::new(asked, &title, "/releases"),
                w,
                release: entry.release.to_string(),
                facts: facts(asked, &entry, &document, &recorded),
                has_report: document.report.is_some(),
            })
        })
        .await
}

/// `GET /releases/{release}/bytes`.
pub(in crate::console) async fn bytes(asked: Asked, Path(release): Path<String>) -> Response {
    let found = asked
        .blocking(move |asked| {
            let (entry, recorded) = recorded(asked, &release)?;
            Ok((entry.round.to_string(), recorded.bytes().to_vec()))
        })
        .await;
    match found {
        Ok((round, bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/json".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{round}.json\"")),
            ];
            (headers, bytes).into_response()
        }
        Err(refusal) => asked.refuse(refusal).await,
    }
}

fn recorded(asked: &Asked, id: &str) -> Result<(LedgerEntry, Release<Recorded>), Refusal> {
    let (kernel, history) = Enrolled::open(asked)?.ledger()?;
    let entry = history.into_iter().find(|entry| entry.release.to_string() == id);
    let entry = entry.ok_or(Refusal::Missing)?;
    let recorded = kernel.recorded(entry.release)?.ok_or(Refusal::Missing)?;
    Ok((entry, recorded))
}

fn read(asked: &Asked, recorded: &Release<Recorded>) -> Result<Verified<ReleaseDocument>, Refusal> {
    let key = KeyStore::new(&asked.desk.directory).release_public()?;
    Ok(Envelope::from_json(recorded.bytes())?.verify(&key)?)
}

fn facts(
    asked: &Asked,
    entry: &LedgerEntry,
    document: &ReleaseDocument,
    recorded: &Release<Recorded>,
) -> Vec<(String, String)> {
    let (w, language) = (asked.words(), asked.language);
    let r = &w.releases;
    let sent = if entry.sent { &r.sent_yes } else { &r.sent_no };
    let report = document.report.map(|report| (&r.report, report.to_string()));
    let lines: [(&String, String); 7] = [
        (&r.round, document.round.to_string()),
        (&r.node, document.node.to_string()),
        (&r.study, document.study.to_string()),
        (&r.charge, figure(entry.charge, language)),
        (&r.ledger, entry.sequence.to_string()),
        (&r.digest, recorded.payload_digest().to_string()),
        (&r.sent, sent.clone()),
    ];
    lines.into_iter().chain(report).map(|(name, value)| (name.clone(), value)).collect()
}

fn labels(domain: &Domain, language: Language) -> Vec<String> {
    let categories = domain.categories().iter();
    categories.map(|category| category.label().text(language).to_owned()).collect()
}

/// A released table, laid out: one dimension down, or the first down and the second across; more
/// have a row for each cell.
fn shown(
    w: &Words,
    table: &ReleasedTable,
    statistic: Option<&Statistic>,
    language: Language,
) -> Table {
    let title = statistic.map_or("", |statistic| statistic.title().text(language));
    let noise =
        fill(&w.releases.noise, &[("scale", &figure(format!("{:.2}", table.scale), language))]);
    let values: Vec<_> = table.values.iter().map(|value| whole(*value)).collect();
    let dimensions = statistic.map(Statistic::dimensions).unwrap_or_default();
    let name = |domain: &Domain| domain.label().text(language).to_owned();
    let (rows_are, columns, rows) = match dimensions {
        [down, across] if values.len() == down.categories().len() * across.categories().len() => {
            let columns = labels(across, language);
            let parts = values.chunks(columns.len().max(1)).map(<[String]>::to_vec);
            let rows = labels(down, language).into_iter().zip(parts).collect();
            (format!("{} / {}", name(down), name(across)), columns, rows)
        }
        dimensions => {
            let cells = (0_usize..).zip(values).map(|(cell, value)| {
                let categories = statistic.and_then(|statistic| statistic.categories_of(cell));
                let label = categories.map_or_else(
                    || cell.to_string(),
                    |categories| {
                        let labels: Vec<_> =
                            categories.iter().map(|c| c.label().text(language)).collect();
                        labels.join(", ")
                    },
                );
                (label, vec![value])
            });
            let rows_are: Vec<_> = dimensions.iter().map(name).collect();
            (rows_are.join(" / "), vec![w.releases.noisy.clone()], cells.collect())
        }
    };
    Table {
        id: table.statistic.to_string(),
        title: title.to_owned(),
        rows_are,
        columns,
        rows,
        noise,
    }
}
