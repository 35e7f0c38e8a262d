//! What a participant came with, and stays outside the dwelling.
//!
//! **Invariant:** who is dead or has left keeps these codes.

use super::{View, numbered};
use crate::kernel::person::{Stay, StayKind, When};
use std::borrow::Cow;

/// The first and the last intake year with a category of its own.
const YEARS: std::ops::RangeInclusive<i32> = 2012..=2030;

/// The calendar year of intake; a year before the first is `earlier`, a missing date `unknown`.
/// A year after the last cannot be told apart here and is `unknown` until the domain is extended.
pub(super) fn intake_year(view: &View<'_>) -> Cow<'static, str> {
    match view.person.participant.intake.day().map(time::Date::year) {
        Some(year) if year < *YEARS.start() => Cow::Borrowed("earlier"),
        Some(year) if YEARS.contains(&year) => numbered("", year),
        _ => Cow::Borrowed("unknown"),
    }
}

/// The age reached in the calendar year of the census date, in bands. A year of birth in the future
/// is `unknown`.
pub(super) fn age_band(view: &View<'_>) -> &'static str {
    let birth_year = view.person.participant.birth_year.map(i32::from);
    match birth_year.and_then(|birth| view.census.year().checked_sub(birth)) {
        Some(0..30) => "under_30",
        Some(30..40) => "30_39",
        Some(40..50) => "40_49",
        Some(50..) => "50_or_over",
        _ => "unknown",
    }
}

/// Which kinds of stays there were from intake to the census date. A stay of unknown kind, or that
/// may lie outside for want of a date, gives `unknown` if it could change the answer.
pub(super) fn stays(view: &View<'_>) -> &'static str {
    let mut sure = [false; 2];
    let mut possible = [false; 2];
    for stay in &view.person.stays {
        let kinds = match stay.kind {
            StayKind::Prison => [true, false],
            StayKind::Treatment => [false, true],
            StayKind::Unknown => [true, true],
        };
        let within = is_within(view, stay);
        for ((sure, possible), kind) in sure.iter_mut().zip(&mut possible).zip(kinds) {
            *possible |= kind && within != Some(false);
            *sure |= kind && within == Some(true) && stay.kind != StayKind::Unknown;
        }
    }
    match sure {
        _ if sure != possible => "unknown",
        [true, true] => "both",
        [true, false] => "prison",
        [false, true] => "treatment",
        [false, false] => "none",
    }
}

/// Whether a stay began by the census date and was not over before intake; `None` if not known.
fn is_within(view: &View<'_>, stay: &Stay) -> Option<bool> {
    let intake = view.person.participant.intake.day();
    let from = stay.from.day();
    let has_begun = from.map(|from| from <= view.census);
    let last = match (stay.to, from) {
        (None, _) => return has_begun,
        (Some(When::On(to)), _) => Some(to),
        // It lasted at least one day.
        (Some(When::Unknown), from) => from.filter(|from| intake.is_some_and(|day| *from >= day)),
    };
    let reaches_intake = last.zip(intake).map(|(last, intake)| last >= intake);
    match (has_begun, reaches_intake) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
