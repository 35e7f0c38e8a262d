//! Time from the first move-in to the first loss of a dwelling, or until follow-up is censored.
//!
//! One cell for each participant: from the counts by month and end, the numbers at risk and ended
//! follow by suffix sums (Kaplan and Meier 1958, in whole months).
//!
//! **Invariant:** only a loss that is certain, and not after the exit, ends; death, leaving, moving
//! out by choice and the census date censor.

use super::View;
use super::calendar::whole_months;
use super::housing::{FirstMoveIn, Standing, first_move_in, is_housed_on, standing};
use super::loss::{Ending, ending};
use super::numbered;
use crate::kernel::person::{EndMode, When};
use std::borrow::Cow;
use time::Date;

/// Months from which on they are not told apart.
const MOST: u8 = 36;

/// How follow-up ended.
#[derive(Clone, Copy)]
enum FollowUp {
    NotYetHoused,
    Unknown,
    Ended(u8),
    Censored(u8),
}

/// Whole calendar months from the first move-in to the end of follow-up.
pub(super) fn months_followed(view: &View<'_>) -> Cow<'static, str> {
    match follow_up(view) {
        FollowUp::NotYetHoused => Cow::Borrowed("not_yet_housed"),
        FollowUp::Unknown => Cow::Borrowed("unknown"),
        FollowUp::Ended(MOST) | FollowUp::Censored(MOST) => Cow::Borrowed("m36_or_more"),
        FollowUp::Ended(months) | FollowUp::Censored(months) => numbered("m", months),
    }
}

/// Whether the dwelling was lost; who is not yet housed, or not known, is censored.
pub(super) fn follow_up_end(view: &View<'_>) -> &'static str {
    match follow_up(view) {
        FollowUp::Ended(_) => "ended",
        FollowUp::NotYetHoused | FollowUp::Unknown | FollowUp::Censored(_) => "censored",
    }
}

fn follow_up(view: &View<'_>) -> FollowUp {
    let first = match first_move_in(view) {
        FirstMoveIn::NotYet => return FollowUp::NotYetHoused,
        FirstMoveIn::Unknown => return FollowUp::Unknown,
        FirstMoveIn::On(first) => first,
    };
    if standing(view.person, view.census) == Standing::Unknown {
        return FollowUp::Unknown;
    }
    let last = last_day(view);
    let endings = || view.person.tenancies.iter().map(|tenancy| ending(tenancy, last));
    let loss = endings()
        .filter_map(|ending| match ending {
            Ending::Lost(day) => Some(day),
            _ => None,
        })
        .min();
    let may_be_earlier = |ending| match ending {
        Ending::Uncertain(Some(day)) => loss.is_none_or(|loss| day < loss),
        Ending::Uncertain(None) => true,
        _ => false,
    };
    if endings().any(may_be_earlier) {
        return FollowUp::Unknown;
    }
    let months = |end| whole_months(first, end, MOST);
    match (loss, is_housed_on(view.person, last)) {
        (Some(loss), _) => FollowUp::Ended(months(loss)),
        (None, Some(true)) => FollowUp::Censored(months(last)),
        (None, Some(false)) => FollowUp::Censored(months(last_move_out(view, last))),
        (None, None) => FollowUp::Unknown,
    }
}

/// The last day of follow-up: exit, death or the census date, whichever comes first.
fn last_day(view: &View<'_>) -> Date {
    let deaths = view.person.tenancies.iter().filter(|row| row.end_mode == Some(EndMode::Died));
    let deaths = deaths.filter_map(|tenancy| tenancy.moved_out);
    let ends = view.person.participant.exit.into_iter().chain(deaths).filter_map(When::day);
    ends.fold(view.census, Date::min)
}

/// The last move-out by `day` of who has no dwelling then.
fn last_move_out(view: &View<'_>, day: Date) -> Date {
    let outs = view.person.tenancies.iter().filter_map(|tenancy| tenancy.moved_out?.day());
    outs.filter(|out| *out <= day).max().unwrap_or(day)
}
