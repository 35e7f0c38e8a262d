//! Losing a dwelling, and being rehoused.
//!
//! A dwelling is *lost* when its tenancy ended by immediate termination or by the landlord's
//! notice. A voluntary move, the participant's own notice, death and other recorded ways are not a
//! loss. A notice under which the participant still lives there is not a loss yet.
//!
//! **Invariant:** an ending that may or may not be a loss is counted as neither: it gives
//! `unknown` where it could change the answer.

use super::View;
use crate::kernel::person::{EndMode, EndReason, Tenancy, When};
use time::Date;

/// How a tenancy stands with regard to loss on a day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It goes on.
    None,
    /// It ended, not by a loss.
    Otherwise,
    /// It was lost on this day.
    Lost(Date),
    /// It ended in a way that is not known, or was lost on a day that is not known.
    Uncertain(Option<Date>),
}

/// Whether a tenancy's recorded end is a loss; `None` if the way is not known.
pub(super) fn is_loss(mode: Option<EndMode>) -> Option<bool> {
    match mode? {
        EndMode::ImmediateTermination | EndMode::LandlordNotice => Some(true),
        EndMode::VoluntaryMove | EndMode::OwnNotice | EndMode::Died | EndMode::Other => Some(false),
        EndMode::Unknown => None,
    }
}

/// The ending of a tenancy as it stands on `day`.
pub(super) fn ending(tenancy: &Tenancy, day: Date) -> Ending {
    let out = match tenancy.moved_out {
        None => return Ending::None,
        Some(When::On(out)) if out > day => return Ending::None,
        Some(When::On(out)) => Some(out),
        Some(When::Unknown) => None,
    };
    match (is_loss(tenancy.end_mode), out) {
        (Some(false), _) => Ending::Otherwise,
        (Some(true), Some(out)) => Ending::Lost(out),
        _ => Ending::Uncertain(out),
    }
}

/// The dwellings that were lost by the census date.
pub(super) fn lost<'p>(view: &View<'p>) -> impl Iterator<Item = &'p Tenancy> + use<'p> {
    let day = view.census;
    let is_lost = move |tenancy: &&Tenancy| matches!(ending(tenancy, day), Ending::Lost(_));
    view.person.tenancies.iter().filter(is_lost)
}

/// The reason recorded for a loss.
pub(super) fn reason(tenancy: &Tenancy) -> &'static str {
    tenancy.end_reason.unwrap_or(EndReason::Unknown).code()
}

/// The way in which a dwelling was lost.
pub(super) fn mode(tenancy: &Tenancy) -> &'static str {
    tenancy.end_mode.unwrap_or(EndMode::Unknown).code()
}

/// How many dwellings were lost. Endings that may be a loss give `unknown`, unless the answer is the
/// same with and without them.
pub(super) fn dwellings_lost(view: &View<'_>) -> &'static str {
    let endings = || view.person.tenancies.iter().map(|tenancy| ending(tenancy, view.census));
    let sure = endings().filter(|ending| matches!(ending, Ending::Lost(_))).count();
    let unsure = endings().filter(|ending| matches!(ending, Ending::Uncertain(_))).count();
    between(sure, sure.saturating_add(unsure), |lost| match lost {
        0 => "0",
        1 => "1",
        2 => "2",
        _ => "3_or_more",
    })
}

/// How often a new tenancy began on the day of a loss or later: at most once for each loss, and each
/// new tenancy for one loss. A voluntary move is none, nor is a tenancy that was over on its first
/// day. Endings that may be a loss, and unknown days of moving in, give `unknown`, unless the answer
/// is the same in every case.
pub(super) fn times_rehoused(view: &View<'_>) -> &'static str {
    let tenancies = || view.person.tenancies.iter();
    let lost = |tenancy| match ending(tenancy, view.census) {
        Ending::Lost(day) => Some(day),
        _ => None,
    };
    let perhaps_lost = |tenancy: &Tenancy| match ending(tenancy, view.census) {
        Ending::Lost(day) | Ending::Uncertain(Some(day)) => Some(day),
        Ending::Uncertain(None) => Some(after(tenancy.moved_in.day())),
        Ending::None | Ending::Otherwise => None,
    };
    let begun = || tenancies().filter(|tenancy| !is_over_at_once(tenancy));
    let begins = begun().filter_map(|tenancy| tenancy.moved_in.day());
    let perhaps_begins =
        begun().map(|tenancy| tenancy.moved_in.day().unwrap_or(before(tenancy, view.census)));
    let by_census = |day: &Date| *day <= view.census;
    let least = pairs(tenancies().filter_map(lost), begins.filter(by_census));
    let most = pairs(tenancies().filter_map(perhaps_lost), perhaps_begins.filter(by_census));
    between(least, most, |times| match times {
        0 => "0",
        1 => "1",
        _ => "2_or_more",
    })
}

fn is_over_at_once(tenancy: &Tenancy) -> bool {
    tenancy.moved_in.day().is_some()
        && tenancy.moved_in.day() == tenancy.moved_out.and_then(When::day)
}

/// The earliest day on which a dwelling moved into on this day can be lost.
fn after(moved_in: Option<Date>) -> Date {
    moved_in.and_then(Date::next_day).unwrap_or(Date::MIN)
}

/// The latest day on which a tenancy can have begun, if the day itself is not known.
fn before(tenancy: &Tenancy, census: Date) -> Date {
    let out = tenancy.moved_out.and_then(When::day);
    out.and_then(Date::previous_day).unwrap_or(census).min(census)
}

/// Pairs losses, earliest first, with the earliest move-in on that day or later that is still free.
fn pairs(losses: impl Iterator<Item = Date>, begins: impl Iterator<Item = Date>) -> usize {
    let mut losses: Vec<Date> = losses.collect();
    let mut begins: Vec<Date> = begins.collect();
    losses.sort_unstable();
    begins.sort_unstable();
    let mut begins = begins.into_iter();
    losses.iter().filter(|lost| begins.any(|begin| begin >= **lost)).count()
}

/// The band of a number that lies between two others, if they share one.
fn between(least: usize, most: usize, band: impl Fn(usize) -> &'static str) -> &'static str {
    if band(least) == band(most) { band(least) } else { "unknown" }
}
