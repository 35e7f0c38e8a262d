//! Mapping forms: problems, how they change, and satisfaction.
//!
//! **Invariant:** a form without a known day by the census date is not used.

use super::{View, numbered};
use crate::kernel::person::{SatisfactionItem, Severity};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use time::Date;

/// A problem that the forms ask about.
#[derive(Clone, Copy)]
pub(in crate::kernel) enum Problem {
    Drugs,
    MentalHealth,
}

impl Problem {
    pub(super) const ALL: [Self; 2] = [Self::Drugs, Self::MentalHealth];

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Drugs => "drugs",
            Self::MentalHealth => "mental_health",
        }
    }
}

/// The known answers by day; of several on one day the most severe.
fn answers(view: &View<'_>, problem: Problem) -> BTreeMap<Date, Severity> {
    let mut answers = BTreeMap::new();
    for form in &view.person.baselines {
        let severity = match problem {
            Problem::Drugs => form.drugs,
            Problem::MentalHealth => form.mental_health,
        };
        let day = form.date.day().filter(|day| *day <= view.census);
        if let (Some(day), false) = (day, severity == Severity::Unknown) {
            let worst = answers.entry(day).or_insert(severity);
            *worst = severity.max(*worst);
        }
    }
    answers
}

/// The latest known answer.
pub(super) fn latest(view: &View<'_>, problem: Problem) -> &'static str {
    answers(view, problem).last_key_value().map_or("unknown", |(_, severity)| severity.code())
}

/// The latest known answer against the first; `unknown` unless there are two days with one.
pub(super) fn change(view: &View<'_>, problem: Problem) -> &'static str {
    let answers = answers(view, problem);
    let (Some((first_day, first)), Some((last_day, last))) =
        (answers.first_key_value(), answers.last_key_value())
    else {
        return "unknown";
    };
    if first_day == last_day {
        return "unknown";
    }
    match last.cmp(first) {
        std::cmp::Ordering::Less => "better",
        std::cmp::Ordering::Equal => "unchanged",
        std::cmp::Ordering::Greater => "worse",
    }
}

/// Days with a mapping form.
pub(super) fn form_coverage(view: &View<'_>) -> &'static str {
    let days = view.person.baselines.iter().filter_map(|form| form.date.day());
    let days: BTreeSet<Date> = days.filter(|day| *day <= view.census).collect();
    match days.len() {
        0 => "none",
        1 => "one",
        _ => "two_or_more",
    }
}

/// The latest score of an item; the lowest of several on one day. A score outside 1 to 7 is
/// `unknown`, as is no score.
pub(super) fn satisfaction(view: &View<'_>, item: SatisfactionItem) -> Cow<'static, str> {
    let score = view
        .person
        .satisfactions
        .iter()
        .filter(|row| row.item == item)
        .filter_map(|row| {
            let day = row.date.day().filter(|day| *day <= view.census)?;
            let score = row.score.filter(|score| (1..=7).contains(score))?;
            Some((day, std::cmp::Reverse(score)))
        })
        .max();
    score.map_or(Cow::Borrowed("unknown"), |(_, score)| numbered("", score.0))
}
