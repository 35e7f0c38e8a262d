//! The overview: how the node stands, and what waits.
//!
//! **Invariant:** what cannot be looked up is said, and never shown as good.

use super::Enrolled;
use crate::config::Config;
use crate::console::asked::{Asked, Refusal};
use crate::console::frame::Frame;
use crate::console::show::{day, figure, fill, moment, permille};
use crate::console::words::Words;
use crate::decisions;
use crate::kernel::LedgerEntry;
use crate::register::Register;
use crate::state::{Contact, State};
use crate::witness;
use askama::Template;
use axum::response::Response;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::limits::CERTIFICATE_RENEW_BEFORE;

/// One thing to know about the node.
struct Standing {
    /// `good`, `wait` or `bad`: how it looks, beside the words.
    look: &'static str,
    word: String,
    text: String,
    /// The program's own words about a failure, which are English.
    detail: Option<String>,
}

/// What an enrolled node has.
struct Facts {
    node: String,
    coordinator: String,
    connection: Standing,
    certificate: Standing,
    countersigned: Standing,
    waiting: Vec<(String, String)>,
    waiting_text: String,
    left_text: String,
    spent_permille: u64,
    picture_text: String,
    releases: Standing,
    /// Rounds that wait for their task.
    rounds: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    facts: Option<Facts>,
}

/// `GET /`.
pub(in crate::console) async fn page(asked: Asked) -> Response {
    asked
        .show(|asked| {
            let w = asked.words();
            let facts = match Enrolled::open(asked) {
                Ok(node) => Some(facts(asked, &node)?),
                Err(Refusal::NotEnrolled) => None,
                Err(refusal) => return Err(refusal),
            };
            Ok(Page { f: Frame::new(asked, &w.overview.title, "/"), w, facts })
        })
        .await
}

fn facts(asked: &Asked, node: &Enrolled) -> Result<Facts, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let o = &w.overview;
    let now = asked.desk.clock.now();
    let (known, _) = decisions::studies(&node.state, &node.membership, now)?;
    let waiting: Vec<_> = known
        .iter()
        .filter(|known| known.in_force && known.answer.is_none())
        .map(|known| {
            let title = known.study.document().title.text(language);
            (known.study.digest().to_string(), title.to_owned())
        })
        .collect();
    let waiting_text = match waiting.len() {
        0 => o.studies_none.clone(),
        1 => o.studies_one.clone(),
        number => fill(&o.studies_many, &[("number", &number)]),
    };
    let (_, history) = node.ledger()?;
    let spent = spent(&history);
    let Config { budget, .. } = &node.config;
    let left = budget.lifetime.budget_left(spent);
    let of = [
        ("left", &figure(left, language) as &dyn std::fmt::Display),
        ("cap", &figure(budget.lifetime, language)),
    ];
    let left_text = fill(&o.budget_left, &of);
    let unsent = history.iter().filter(|entry| !entry.sent).count();
    let releases = match (history.len(), unsent) {
        (0, _) => standing("good", "", o.releases_none.clone()),
        (all, 0) => standing("good", "", fill(&o.releases_sent, &[("number", &all)])),
        (_, unsent) => standing("wait", "", fill(&o.releases_unsent, &[("number", &unsent)])),
    };
    let percent = permille(spent, budget.lifetime);
    Ok(Facts {
        node: node.membership.node.to_string(),
        coordinator: node.membership.url.clone(),
        connection: connection(asked, &node.state)?,
        certificate: certificate(asked, node.membership.certificate_expires, now),
        countersigned: countersigned(asked)?,
        waiting,
        waiting_text,
        picture_text: picture(w, &w.budget.lifetime, percent),
        left_text,
        spent_permille: percent,
        releases,
        rounds: rounds_waiting(asked, node, &history)?,
    })
}

/// The open rounds that lack their task, each in a sentence.
fn rounds_waiting(
    asked: &Asked,
    node: &Enrolled,
    history: &[LedgerEntry],
) -> Result<Vec<String>, Refusal> {
    let register = Register::read(&asked.desk.directory)?;
    let open = (history, asked.desk.clock.now());
    let rounds = decisions::waiting(&node.state, &node.membership, &register, open)?;
    let text = &asked.words().overview.round_waits;
    Ok(rounds.iter().map(|round| fill(text, &[("round", round)])).collect())
}

/// What a picture of a budget says.
pub(super) fn picture(w: &Words, of: &str, permille: u64) -> String {
    fill(&w.budget.picture, &[("of", &of), ("percent", &permille.div_ceil(10))])
}

/// What all releases have cost.
pub(super) fn spent(history: &[LedgerEntry]) -> fellestall_shared::privacy::Rho {
    use fellestall_shared::privacy::Rho;
    let sum = history.iter().map(|entry| entry.charge).try_fold(Rho::ZERO, Rho::plus);
    // A sum beyond the type leaves nothing, as it should.
    sum.unwrap_or(Rho::from_micro(u64::MAX))
}

fn standing(look: &'static str, word: &str, text: String) -> Standing {
    Standing { look, word: word.to_owned(), text, detail: None }
}

fn connection(asked: &Asked, state: &State) -> Result<Standing, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let o = &w.overview;
    let Contact { last_answer, failure } = state.contact()?;
    let last = match last_answer {
        Some(at) => fill(&o.last_answer, &[("moment", &moment(at, w, language))]),
        None => o.never_connected.clone(),
    };
    let mut standing = match (&failure, last_answer) {
        (None, Some(_)) => standing("good", &o.connected, last),
        _ => standing("bad", &o.not_connected, last),
    };
    standing.detail = failure;
    Ok(standing)
}

/// How the node stands in the coordinator's record of its ledger and log.
fn countersigned(asked: &Asked) -> Result<Standing, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let o = &w.overview;
    let found = witness::standing(&asked.desk.directory)?;
    let last = match found.last {
        Some(at) => fill(&o.countersigned_last, &[("moment", &moment(at, w, language))]),
        None => o.countersigned_never.clone(),
    };
    Ok(match (found.refused, found.last) {
        (true, _) => standing("bad", &o.countersign_refused, o.countersign_refused_text.clone()),
        (false, Some(_)) => standing("good", &o.countersigned_yes, last),
        (false, None) => standing("wait", &o.countersigned_no, last),
    })
}

fn certificate(asked: &Asked, expires: Timestamp, now: Timestamp) -> Standing {
    let (w, language) = (asked.words(), asked.language);
    let o = &w.overview;
    let on = expires.date().map_or_else(String::new, |date| day(date, w, language));
    let days = expires.unix().saturating_sub(now.unix()).div_euclid(24 * 3600);
    let until = format!(
        "{} {}",
        fill(&o.certificate_until, &[("day", &on)]),
        fill(&o.days_left, &[("days", &days.max(0))])
    );
    // Half of what a node has to renew it in is gone without a renewal: something hinders it.
    let soon = now.plus(CERTIFICATE_RENEW_BEFORE / 2);
    if expires <= now {
        standing("bad", &o.certificate_expired, until)
    } else if expires <= soon {
        standing("wait", &o.certificate_soon, until)
    } else {
        standing("good", &o.certificate_valid, until)
    }
}
