//! The audit log, newest first, and its export.
//!
//! **Invariant:** shown only after the whole chain was verified; a log that does not hold is said to
//! be broken, with the place.

use crate::audit::{self, AuditError, AuditLog, Entry, Event};
use crate::console::asked::{Asked, Refusal};
use crate::console::frame::Frame;
use crate::console::show::{figure, fill, moment, who};
use crate::console::words::Words;
use crate::state::State;
use askama::Template;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use http::header;

/// Entries on one page.
const PAGE: usize = 50;

/// One entry.
struct Line {
    number: u64,
    when: String,
    who: String,
    what: String,
    head: String,
}

#[derive(Template)]
#[template(path = "console/log.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
    standing: String,
    holds: bool,
    place: String,
    newer: Option<usize>,
    older: Option<usize>,
}

/// `GET /log`.
pub(in crate::console) async fn page(asked: Asked, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let number = query.split('&').find_map(|pair| pair.strip_prefix("page="));
    let number = number.and_then(|number| number.parse().ok()).unwrap_or(1_usize).max(1);
    asked.show(move |asked| build(asked, number)).await
}

fn build(asked: &Asked, number: usize) -> Result<Page, Refusal> {
    let w = asked.words();
    let f = Frame::new(asked, &w.log.title, "/log");
    let entries = match AuditLog::open(&asked.desk.directory)?.entries() {
        Ok(entries) => entries,
        Err(AuditError::Broken { sequence, .. }) => {
            let standing = fill(&w.log.broken, &[("number", &sequence)]);
            let place = String::new();
            let lines = Vec::new();
            let (newer, older) = (None, None);
            return Ok(Page { f, w, lines, standing, holds: false, place, newer, older });
        }
        Err(error) => return Err(error.into()),
    };
    // Also the head beside the log and the coordinator's countersignatures.
    audit::verify(&asked.desk.directory)?;
    let pages = entries.len().div_ceil(PAGE).max(1);
    let number = number.min(pages);
    let skipped = number.saturating_sub(1).saturating_mul(PAGE);
    let shown = entries.iter().rev().skip(skipped).take(PAGE);
    Ok(Page {
        lines: shown.map(|entry| line(asked, entry)).collect(),
        standing: fill(&w.log.holds, &[("number", &entries.len())]),
        holds: true,
        place: fill(&w.log.page, &[("page", &number), ("pages", &pages)]),
        newer: (number > 1).then(|| number.saturating_sub(1)),
        older: (number < pages).then(|| number.saturating_add(1)),
        f,
        w,
    })
}

/// `GET /log/export`: every entry as one line of JSON, oldest first.
pub(in crate::console) async fn export(asked: Asked) -> Response {
    let lines = asked
        .blocking(|asked| {
            let log = AuditLog::open(&asked.desk.directory)?;
            let entries = log.entries()?;
            let path = asked.desk.directory.join(audit::FILE);
            let membership = State::open(&asked.desk.directory)?.membership()?;
            let key = membership.map(|membership| membership.coordinator_key);
            let held = key.as_ref().map(|key| log.countersignatures(key)).transpose()?;
            let text = audit::export(&path, &entries, key.as_ref().zip(held.as_deref()))?;
            Ok(text)
        })
        .await;
    match lines {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, "application/x-ndjson"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"audit-log.jsonl\""),
            ];
            (headers, text).into_response()
        }
        Err(refusal) => asked.refuse(refusal).await,
    }
}

fn line(asked: &Asked, entry: &Entry) -> Line {
    let w = asked.words();
    Line {
        number: entry.body.sequence,
        when: moment(entry.body.at, w, asked.language),
        who: who(&entry.body.by, w).to_owned(),
        what: what(asked, &entry.body.what),
        head: entry.head.short(),
    }
}

/// An event in words.
fn what(asked: &Asked, event: &Event) -> String {
    let w = asked.words();
    let e = &w.event;
    match event {
        Event::NodeMade { release_key } => fill(&e.node_made, &[("key", &release_key.short())]),
        Event::Enrolled { node } => fill(&e.enrolled, &[("node", node)]),
        Event::ConfigurationChanged { .. } => e.configuration_changed.clone(),
        Event::RegisterChanged { .. } => e.register_changed.clone(),
        Event::StudyReceived { name, .. } => fill(&e.study_received, &[("study", name)]),
        Event::RoundReceived { round } => fill(&e.round_received, &[("round", round)]),
        Event::FirstApproval { name, .. } => fill(&e.first_approval, &[("study", name)]),
        Event::Approved { name, .. } => fill(&e.approved, &[("study", name)]),
        Event::Refused { name, reason, .. } => {
            fill(&e.refused, &[("study", name), ("reason", &w.reason(*reason))])
        }
        Event::Released { round, charge, .. } => {
            let cost = figure(charge, asked.language);
            fill(&e.released, &[("round", round), ("cost", &cost)])
        }
        Event::Sent { round, .. } => fill(&e.sent, &[("round", round)]),
        Event::NotReleased { round, reason } => {
            fill(&e.not_released, &[("round", round), ("reason", &w.unanswered(*reason))])
        }
        Event::PersonLookedUp => e.person_looked_up.clone(),
        Event::EvidenceMade => e.evidence_made.clone(),
        Event::Purged { purpose, .. } => fill(&e.purged, &[("purpose", purpose)]),
        Event::UserAdded { user, role } => {
            fill(&e.user_added, &[("user", user), ("role", &w.role_of(role))])
        }
        Event::UserRemoved { user } => fill(&e.user_removed, &[("user", user)]),
        Event::SignedIn => e.signed_in.clone(),
        Event::SignInFailed => e.sign_in_failed.clone(),
        Event::WitnessRefused => e.witness_refused.clone(),
        Event::Recovered { ledger_sequence } => fill(&e.recovered, &[("number", ledger_sequence)]),
    }
}
