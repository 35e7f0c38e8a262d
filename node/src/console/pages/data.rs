//! Data quality, on request: the records are read, and what is wrong with them is said.
//!
//! **Invariant:** file, line, column and rule, never a value; the totals stay on this machine, and
//! nothing of them is written down.

use crate::config::Config;
use crate::console::asked::{Asked, OwnForm, Refusal};
use crate::console::desk::Checked;
use crate::console::frame::Frame;
use crate::console::notice::Notice;
use crate::console::show::{fill, moment};
use crate::console::words::Words;
use crate::daemon::explain;
use crate::engine;
use crate::kernel::insight::{ConsentCoverage, consent_coverage};
use crate::kernel::source::{self, Listed, QualityReport, RejectedRows, SourceConfig};
use crate::register::Register;
use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;
use time::Date;

/// Findings on the page, at the most; check-data shows more.
const SHOWN: usize = 50;

/// One table of the export.
struct Line {
    table: &'static str,
    file: String,
    counts: Option<[u64; 4]>,
}

/// Findings of one kind.
struct Found {
    total: u64,
    lines: Vec<String>,
    more: Option<String>,
}

/// What a check found.
struct Report {
    at: String,
    look: &'static str,
    conclusion: String,
    cannot_read: Option<String>,
    lines: Vec<Line>,
    rejected: Option<Found>,
    contradictions: Option<Found>,
    control: Option<Found>,
    coverage: Vec<Coverage>,
}

/// How the consents for one purpose stand.
struct Coverage {
    purpose: String,
    counts: [String; 7],
}

#[derive(Template)]
#[template(path = "console/data.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    report: Option<Report>,
}

/// `GET /data`.
pub(in crate::console) async fn page(asked: Asked) -> Response {
    asked
        .show(|asked| {
            let w = asked.words();
            let report = asked.desk.checked().map(|checked| report(asked, &checked));
            Ok(Page { f: Frame::new(asked, &w.data.title, "/data"), w, report })
        })
        .await
}

/// `POST /data/check`.
pub(in crate::console) async fn check(sent: OwnForm) -> Response {
    let asked = sent.asked;
    let Ok(turn) = Arc::clone(&asked.desk.checking).try_acquire_owned() else {
        asked.leave(Notice::Busy);
        return Redirect::to("/data").into_response();
    };
    let done = asked.blocking(move |asked| {
        // Held until the records are read, also when the browser has gone away.
        let _turn = turn;
        look(asked)
    });
    match done.await {
        Ok(()) => {
            asked.leave(Notice::Checked);
            Redirect::to("/data").into_response()
        }
        Err(refusal) => asked.refuse(refusal).await,
    }
}

fn look(asked: &Asked) -> Result<(), Refusal> {
    let config = Config::read(&asked.desk.directory)?;
    let at = asked.desk.clock.now();
    let today = at.date().ok_or_else(|| Refusal::Broken("the clock".to_owned()))?;
    let source = engine::source(&config)?;
    let quality = source::check_on(&source, today).map_err(|error| explain(&error));
    let coverage = match &quality {
        Ok(report) if report.can_release() => coverage(asked, &source, today)?,
        _ => Vec::new(),
    };
    asked.desk.keep(Checked { at, coverage, quality });
    Ok(())
}

/// How the consents stand today, for each registered purpose that is in force.
fn coverage(
    asked: &Asked,
    source: &SourceConfig,
    today: Date,
) -> Result<Vec<ConsentCoverage>, Refusal> {
    let register = Register::read(&asked.desk.directory)?;
    let in_force = register
        .purposes()
        .iter()
        .filter(|p| p.starts <= today && today <= p.ends)
        .map(|p| (p.purpose.clone(), p.legal_basis, p.terms_today()));
    let in_force: Vec<_> = in_force.collect();
    if in_force.is_empty() {
        return Ok(Vec::new());
    }
    Ok(consent_coverage(source, &in_force, today)?)
}

fn report(asked: &Asked, checked: &Checked) -> Report {
    let (w, language) = (asked.words(), asked.language);
    let d = &w.data;
    let at = fill(&d.checked_at, &[("moment", &moment(checked.at, w, language))]);
    let quality = match &checked.quality {
        Ok(quality) => quality,
        Err(error) => {
            return Report {
                at,
                look: "bad",
                conclusion: d.cannot_read.clone(),
                cannot_read: Some(error.clone()),
                lines: Vec::new(),
                rejected: None,
                contradictions: None,
                control: None,
                coverage: Vec::new(),
            };
        }
    };
    let (look, conclusion) = conclusion(w, quality);
    let lines = quality.tables.iter().map(|table| Line {
        table: table.table.name(),
        file: table.file.clone(),
        counts: table.present.then_some([
            table.read,
            table.accepted,
            table.rejected,
            table.left_out,
        ]),
    });
    Report {
        at,
        look,
        conclusion: conclusion.to_owned(),
        cannot_read: None,
        lines: lines.collect(),
        rejected: rejected(w, quality),
        contradictions: found(w, &quality.contradictions),
        control: found(w, &quality.control),
        coverage: checked.coverage.iter().map(covered).collect(),
    }
}

fn covered(coverage: &ConsentCoverage) -> Coverage {
    let counts = [
        &coverage.counted,
        &coverage.not_given,
        &coverage.objected,
        &coverage.expired,
        &coverage.other_form,
        &coverage.unknown,
        &coverage.participants,
    ];
    Coverage { purpose: coverage.purpose.to_string(), counts: counts.map(ToString::to_string) }
}

fn conclusion<'w>(w: &'w Words, quality: &QualityReport) -> (&'static str, &'w str) {
    match (quality.can_release(), quality.rejected.total, quality.rejected_rows) {
        (false, _, _) => ("bad", &w.data.not_ready),
        (true, 0, _) => ("good", &w.data.ready),
        (true, _, RejectedRows::Refuse | RejectedRows::Skip) => ("wait", &w.data.ready_skip),
    }
}

/// Rejected rows; of a database the rules that they break.
fn rejected(w: &Words, quality: &QualityReport) -> Option<Found> {
    let found = found(w, &quality.rejected)?;
    if quality.flaws.is_empty() {
        return Some(found);
    }
    let lines = quality.flaws.iter().map(ToString::to_string).collect();
    Some(Found { lines, more: None, ..found })
}

fn found<T: std::fmt::Display>(w: &Words, listed: &Listed<T>) -> Option<Found> {
    if listed.total == 0 {
        return None;
    }
    let lines: Vec<_> = listed.shown.iter().take(SHOWN).map(ToString::to_string).collect();
    let shown = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    let more = listed.total.saturating_sub(shown);
    let more = (more > 0).then(|| fill(&w.data.more, &[("number", &more)]));
    Some(Found { total: listed.total, lines, more })
}
