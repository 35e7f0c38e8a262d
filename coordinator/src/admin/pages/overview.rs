//! The overview: what waits for somebody.
//!
//! **Invariant:** says what has to be done, never a figure.

use crate::admin::asked::{Asked, Refusal};
use crate::admin::frame::Frame;
use crate::admin::show::{day_of, fill};
use crate::admin::words::Words;
use crate::rounds;
use crate::store::nodes::NodeStatus;
use askama::Template;
use axum::response::Response;
use fellestall_shared::limits::CERTIFICATE_RENEW_BEFORE;
use fellestall_shared::municipality;
use std::time::Duration;

/// How long an alarm is new.
const NEW_ALARM: Duration = Duration::from_hours(30 * 24);
/// How long a node may be silent before it is worth a look.
const SILENT: Duration = Duration::from_hours(48);

/// One thing that waits, with where to see to it.
struct Waiting {
    to: String,
    text: String,
}

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    applications: Vec<Waiting>,
    rounds: Vec<Waiting>,
    due: bool,
    silent: Vec<Waiting>,
    enrolled: String,
    alarms: String,
    has_alarm: bool,
}

/// `GET /`.
pub(in crate::admin) async fn page(asked: Asked) -> Response {
    asked.answer(build(&asked).await)
}

async fn build(asked: &Asked) -> Result<Page, Refusal> {
    let w = asked.words();
    let o = &w.overview;
    let (store, now) = (asked.desk.store(), asked.desk.now());
    let nodes = store.nodes().await?;
    let ends = store.certificate_ends().await?;
    let name = |node: &crate::store::nodes::Node| {
        let name = municipality::find(&node.municipality).map_or("", |known| known.name);
        format!("{} {name}", node.node)
    };
    let with = |status| nodes.iter().filter(move |node| node.status == status);
    let waiting = |node: &crate::store::nodes::Node, text: String| Waiting {
        to: format!("/nodes/{}", node.node),
        text,
    };
    let silent = with(NodeStatus::Enrolled).filter_map(|node| {
        let soon = now.plus(CERTIFICATE_RENEW_BEFORE / 2);
        let text = match (node.last_seen, ends.get(&node.node)) {
            (_, Some(end)) if *end <= soon => {
                fill(&o.certificate_ends, &[("day", &day_of(*end, w, asked.language))])
            }
            (Some(seen), _) if seen.plus(SILENT) < now => {
                fill(&o.not_seen_since, &[("day", &day_of(seen, w, asked.language))])
            }
            (None, _) => o.never_seen.clone(),
            _ => return None,
        };
        Some(waiting(node, format!("{}: {text}", name(node))))
    });
    let (rounds, due) = open_rounds(asked).await?;
    let alarms = store.alarms(now.minus(NEW_ALARM)).await?;
    let enrolled = with(NodeStatus::Enrolled).count();
    Ok(Page {
        applications: with(NodeStatus::Pending).map(|node| waiting(node, name(node))).collect(),
        silent: silent.collect(),
        rounds,
        due,
        enrolled: fill(&o.enrolled, &[("number", &enrolled)]),
        alarms: fill(&o.alarms_text, &[("recent", &alarms.recent), ("all", &alarms.all)]),
        has_alarm: alarms.recent > 0,
        f: Frame::new(asked, &o.title, "/"),
        w,
    })
}

/// The open rounds, and whether one of them is due to close.
async fn open_rounds(asked: &Asked) -> Result<(Vec<Waiting>, bool), Refusal> {
    let (w, desk) = (asked.words(), &asked.desk);
    let (store, now) = (desk.store(), desk.now());
    let (key, catalogue) = (&desk.service.coordinator_key, desk.service.catalogue);
    let mut waiting = Vec::new();
    let mut is_due = false;
    for stored in store.rounds().await?.into_iter().filter(|round| round.closed.is_none()) {
        let loaded = rounds::load_round(store, key, catalogue, &stored.round).await?;
        let status = rounds::status::status(store, &loaded).await?;
        let closes = loaded.round.document().closes;
        let text = if closes <= now { &w.overview.round_due } else { &w.overview.round_open };
        is_due |= closes <= now;
        waiting.push(Waiting {
            to: format!("/rounds/{}", stored.round),
            text: fill(
                text,
                &[
                    ("round", &stored.round),
                    ("reported", &status.reported),
                    ("asked", &status.nodes.len()),
                    ("day", &day_of(closes, w, asked.language)),
                ],
            ),
        });
    }
    Ok((waiting, is_due))
}
