//! The budget: spent and left, as pictures and as figures, and every charge.
//!
//! **Invariant:** the figures are the verified ledger's.

use super::Enrolled;
use super::overview::{picture, spent};
use crate::console::asked::{Asked, Refusal};
use crate::console::frame::Frame;
use crate::console::show::{delta, figure, fill, permille};
use crate::console::words::Words;
use crate::engine;
use crate::kernel::{Account, Cap};
use askama::Template;
use axum::response::Response;

/// One budget.
struct Line {
    of: String,
    spent: String,
    left: String,
    cap: String,
    picture: String,
    spent_permille: u64,
}

/// One charge.
struct Charge {
    number: u64,
    round: String,
    cost: String,
    release: String,
    short: String,
}

#[derive(Template)]
#[template(path = "console/budget.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
    charges: Vec<Charge>,
    note: String,
}

/// `GET /budget`.
pub(in crate::console) async fn page(asked: Asked) -> Response {
    asked.show(build).await
}

fn build(asked: &Asked) -> Result<Page, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let node = Enrolled::open(asked)?;
    let (kernel, history) = node.ledger()?;
    let budget = node.config.budget;
    let mut accounts = engine::accounts(&kernel, &history)?;
    if accounts.is_empty() {
        let spent = spent(&history);
        accounts.push((Cap::Lifetime, Account { spent, left: budget.lifetime }));
    }
    let lines = accounts.into_iter().map(|(of, account)| {
        let (of, cap) = match of {
            Cap::Lifetime => (w.budget.lifetime.clone(), budget.lifetime),
            Cap::Year(year) => (fill(&w.budget.year, &[("year", &year)]), budget.year),
            Cap::Study(study) => (fill(&w.budget.study, &[("study", &study)]), budget.study),
        };
        let share = permille(account.spent, cap);
        Line {
            picture: picture(w, &of, share),
            of,
            spent: figure(account.spent, language),
            left: figure(account.left, language),
            cap: figure(cap, language),
            spent_permille: share,
        }
    });
    let lines = lines.collect();
    let charges = history.iter().rev().map(|entry| Charge {
        number: entry.sequence,
        round: entry.round.to_string(),
        cost: figure(entry.charge, language),
        release: entry.release.to_string(),
        short: entry.release.digest().short(),
    });
    let epsilon = format!("{:.3}", budget.lifetime.epsilon_ceil(budget.delta));
    let explained = fill(
        &w.budget.epsilon_note,
        &[
            ("cap", &figure(budget.lifetime, language)),
            ("epsilon", &figure(epsilon, language)),
            ("delta", &delta(budget.delta)),
        ],
    );
    let charges = charges.collect();
    let f = Frame::new(asked, &w.budget.title, "/budget");
    Ok(Page { f, w, lines, charges, note: explained })
}
