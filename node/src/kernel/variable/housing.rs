//! Where a participant lives, and when they first moved in.
//!
//! **Invariant:** a day that is not known and could change the answer gives `unknown`.

use super::View;
use super::calendar::months_after;
use super::loss::{Ending, ending, is_loss};
use crate::kernel::person::{EndMode, ExitReason, Person, Tenancy, When};
use std::cmp::Reverse;
use time::Date;

/// A tenancy under notice is unresolved if the move-out is at most this many months away: the usual
/// period of notice. A later loss tells nothing of the census date.
const NOTICE_MONTHS: u8 = 3;

/// The last day of moving out under a notice that hangs over a tenancy on the census date.
pub(in crate::kernel) fn notice_until(census: Date) -> Option<Date> {
    months_after(census, NOTICE_MONTHS)
}

/// Whether a participant is in the programme on a day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Still in it.
    Present,
    /// Left it, alive.
    Left,
    /// Dead.
    Died,
    /// It is not known.
    Unknown,
}

/// How a participant stands on `day`, the day of exit being the first one outside.
///
/// Dead is who left for that reason, or whose tenancy ended so. An exit on an unknown day, and a
/// reason without an exit, give `Unknown`: neither a success nor a loss is read into them.
pub(super) fn standing(person: &Person, day: Date) -> Standing {
    let died = person.tenancies.iter().filter(|tenancy| tenancy.end_mode == Some(EndMode::Died));
    let mut deaths = died.map(|tenancy| tenancy.moved_out.unwrap_or(When::Unknown));
    let participant = &person.participant;
    if deaths.clone().filter_map(When::day).any(|death| death <= day) {
        return Standing::Died;
    }
    match (participant.exit, participant.exit_reason) {
        (Some(When::On(exit)), Some(ExitReason::Died)) if exit <= day => Standing::Died,
        (Some(When::On(exit)), _) if exit <= day => Standing::Left,
        (Some(When::Unknown), _) | (None, Some(_)) => Standing::Unknown,
        (None, None) if deaths.any(|death| death == When::Unknown) => Standing::Unknown,
        (Some(When::On(_)), _) | (None, None) => Standing::Present,
    }
}

/// Whether a tenancy runs on `day`, the day of moving out being the first one outside; `None` if
/// that is not known.
pub(super) fn runs_on(tenancy: &Tenancy, day: Date) -> Option<bool> {
    match (tenancy.moved_in, tenancy.moved_out) {
        (When::On(moved_in), _) if moved_in > day => Some(false),
        (_, Some(When::On(moved_out))) if moved_out <= day => Some(false),
        (When::On(_), None | Some(When::On(_))) => Some(true),
        _ => None,
    }
}

/// Whether the participant has a dwelling on `day`; `None` if that is not known.
pub(super) fn is_housed_on(person: &Person, day: Date) -> Option<bool> {
    let runs = |expected| person.tenancies.iter().any(|tenancy| runs_on(tenancy, day) == expected);
    if runs(Some(true)) {
        Some(true)
    } else if runs(None) {
        None
    } else {
        Some(false)
    }
}

/// When a participant first moved in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstMoveIn {
    /// Not by the census date.
    NotYet,
    /// On this day.
    On(Date),
    /// On a day that is not known: a tenancy without one may be the first.
    Unknown,
}

/// The first move-in by the census date.
pub(super) fn first_move_in(view: &View<'_>) -> FirstMoveIn {
    let days = || view.person.tenancies.iter().map(|tenancy| tenancy.moved_in);
    if days().any(|day| day == When::Unknown) {
        return FirstMoveIn::Unknown;
    }
    let first = days().filter_map(When::day).filter(|day| *day <= view.census).min();
    first.map_or(FirstMoveIn::NotYet, FirstMoveIn::On)
}

/// The housing situation on the census date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Situation {
    SameDwelling,
    LaterDwelling,
    TemporaryOrInstitution,
    UnresolvedNotice,
    Left,
    Died,
    NotYetHoused,
    Unknown,
}

impl Situation {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::SameDwelling => "same_dwelling",
            Self::LaterDwelling => "later_dwelling",
            Self::TemporaryOrInstitution => "temporary_or_institution",
            Self::UnresolvedNotice => "unresolved_notice",
            Self::Left => "left",
            Self::Died => "died",
            Self::NotYetHoused => "not_yet_housed",
            Self::Unknown => "unknown",
        }
    }
}

/// The housing situation: death before exit, both before housing. Of several tenancies that run,
/// the one moved into last decides; who has a dwelling has it during a stay elsewhere too.
pub(super) fn situation(view: &View<'_>) -> Situation {
    if view.person.participant.intake == When::Unknown {
        return Situation::Unknown;
    }
    match standing(view.person, view.census) {
        Standing::Died => Situation::Died,
        Standing::Left => Situation::Left,
        Standing::Unknown => Situation::Unknown,
        Standing::Present => situation_of_present(view),
    }
}

fn situation_of_present(view: &View<'_>) -> Situation {
    let tenancies = || view.person.tenancies.iter();
    let unsure = || tenancies().filter(|tenancy| runs_on(tenancy, view.census).is_none());
    let Some((current, moved_in)) = current(view) else {
        let was_housed = tenancies().any(|tenancy| {
            let days = [Some(tenancy.moved_in), tenancy.moved_out];
            days.into_iter().flatten().filter_map(When::day).any(|day| day <= view.census)
        });
        return match (unsure().next(), was_housed) {
            (Some(_), _) => Situation::Unknown,
            (None, true) => Situation::TemporaryOrInstitution,
            (None, false) => Situation::NotYetHoused,
        };
    };
    // A tenancy that may run, and may have begun after this one, may be the current one.
    if unsure().any(|other| other.moved_in.day().is_none_or(|day| day > moved_in)) {
        return Situation::Unknown;
    }
    if is_under_notice(current, view.census) {
        return Situation::UnresolvedNotice;
    }
    let began_before = |other: &Tenancy| match (other.moved_in, other.moved_out) {
        (When::On(day), _) => Some(day < moved_in),
        (When::Unknown, Some(When::On(out))) if out <= moved_in => Some(true),
        _ => None,
    };
    if tenancies().any(|other| began_before(other) == Some(true)) {
        Situation::LaterDwelling
    } else if tenancies().any(|other| began_before(other).is_none()) {
        Situation::Unknown
    } else {
        Situation::SameDwelling
    }
}

/// The tenancy that runs on the census date and was moved into last, with that day. Of two moved
/// into on one day: the one that lasts longer, then by the way it ends and the tenure, so that the
/// order of rows decides nothing.
fn current<'p>(view: &View<'p>) -> Option<(&'p Tenancy, Date)> {
    latest(view, |tenancy| runs_on(tenancy, view.census) == Some(true))
}

fn latest<'p>(view: &View<'p>, may: impl Fn(&Tenancy) -> bool) -> Option<(&'p Tenancy, Date)> {
    let dated = |tenancy: &'p Tenancy| {
        let day = tenancy.moved_in.day().filter(|day| *day <= view.census)?;
        may(tenancy).then_some((tenancy, day))
    };
    let lasts = |tenancy: &Tenancy| tenancy.moved_out.map(|out| out.day().unwrap_or(Date::MIN));
    view.person.tenancies.iter().filter_map(dated).max_by_key(|(tenancy, day)| {
        // No move-out lasts longest.
        let lasts = lasts(tenancy).unwrap_or(Date::MAX);
        (*day, lasts, Reverse(tenancy.end_mode), Reverse(tenancy.tenure))
    })
}

/// Whether notice or immediate termination hangs over a running tenancy on the census date: one is
/// recorded, and the move-out is not, or is to come within the period of notice.
fn is_under_notice(tenancy: &Tenancy, census: Date) -> bool {
    let is_near = match tenancy.moved_out {
        None => true,
        Some(out) => out.day().zip(notice_until(census)).is_some_and(|(a, b)| a <= b),
    };
    is_loss(tenancy.end_mode) == Some(true) && is_near
}

/// Whether the participant lives in an ordinary dwelling on the census date; unresolved is not.
pub(super) fn retained_now(view: &View<'_>) -> &'static str {
    match situation(view) {
        Situation::SameDwelling | Situation::LaterDwelling => "in_ordinary_dwelling",
        Situation::TemporaryOrInstitution | Situation::UnresolvedNotice => {
            "not_in_ordinary_dwelling"
        }
        other => other.code(),
    }
}

/// The tenure of the current dwelling, also under notice; the dead and those who have left have
/// none.
pub(super) fn current_tenure(view: &View<'_>) -> &'static str {
    match situation(view) {
        Situation::SameDwelling | Situation::LaterDwelling | Situation::UnresolvedNotice => {
            current(view).map_or("unknown", |(tenancy, _)| tenancy.tenure.code())
        }
        Situation::Unknown => "unknown",
        _ => "no_current_dwelling",
    }
}

/// The tenure of the dwelling moved into last by the census date, whether it is kept or not.
pub(super) fn latest_tenure(view: &View<'_>) -> &'static str {
    match (first_move_in(view), latest(view, |_| true)) {
        (FirstMoveIn::Unknown, _) => "unknown",
        (_, Some((tenancy, _))) => tenancy.tenure.code(),
        (_, None) => "no_dwelling_yet",
    }
}

/// Whether the dwelling moved into last by `day` was lost by then.
pub(super) fn has_lost_latest(view: &View<'_>, day: Date) -> bool {
    let view = View { census: day, ..*view };
    let is_lost = |tenancy: &Tenancy| matches!(ending(tenancy, day), Ending::Lost(_));
    latest(&view, |_| true).is_some_and(|(tenancy, _)| is_lost(tenancy))
}

/// Weeks from intake to the first move-in, a week begun counting as a whole one. A move-in before
/// intake is in the first band.
pub(super) fn weeks_to_first_move_in(view: &View<'_>) -> &'static str {
    let first = match first_move_in(view) {
        FirstMoveIn::NotYet => return "not_housed",
        FirstMoveIn::Unknown => return "unknown",
        FirstMoveIn::On(first) => first,
    };
    let Some(intake) = view.person.participant.intake.day() else { return "unknown" };
    match first.to_julian_day().checked_sub(intake.to_julian_day()) {
        None => "unknown",
        Some(..=42) => "up_to_6",
        Some(43..=91) => "7_to_13",
        Some(92..=182) => "14_to_26",
        Some(_) => "over_26",
    }
}
