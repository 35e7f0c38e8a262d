//! Housing retention 6, 12 and 24 calendar months after the first move-in.
//!
//! **Invariant:** every participant has exactly one category at each milestone.

use super::View;
use super::calendar::months_after;
use super::housing::{
    FirstMoveIn, Standing, first_move_in, has_lost_latest, is_housed_on, standing,
};

/// A time after the first move-in.
#[derive(Clone, Copy)]
pub(in crate::kernel) enum Milestone {
    M6,
    M12,
    M24,
}

impl Milestone {
    pub(super) const ALL: [Self; 3] = [Self::M6, Self::M12, Self::M24];

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::M6 => "m6",
            Self::M12 => "m12",
            Self::M24 => "m24",
        }
    }

    fn months(self) -> u8 {
        match self {
            Self::M6 => 6,
            Self::M12 => 12,
            Self::M24 => 24,
        }
    }
}

/// Whether the participant was in an ordinary dwelling on the day of the milestone.
///
/// A milestone after the census date, or of who is not yet housed, is not followed so long: this
/// goes first, so that a milestone's other categories are a cohort whose time has come. Who has a
/// tenancy on the day is housed, also under notice or during a stay. Who left by the day is not
/// followed so long, unless the latest dwelling was lost: leaving after a loss is no missing
/// information. A first move-in, exit or tenancy whose days are not known gives `unknown` if it
/// matters.
pub(super) fn retained(view: &View<'_>, milestone: Milestone) -> &'static str {
    let first = match first_move_in(view) {
        FirstMoveIn::NotYet => return "not_followed_so_long",
        FirstMoveIn::Unknown => return "unknown",
        FirstMoveIn::On(first) => first,
    };
    let day = months_after(first, milestone.months());
    let Some(day) = day.filter(|day| *day <= view.census) else {
        return "not_followed_so_long";
    };
    match standing(view.person, day) {
        Standing::Died => "died",
        Standing::Unknown => "unknown",
        Standing::Left if has_lost_latest(view, day) => "not_in_ordinary_dwelling",
        Standing::Left => "not_followed_so_long",
        Standing::Present => match is_housed_on(view.person, day) {
            Some(true) => "in_ordinary_dwelling",
            Some(false) => "not_in_ordinary_dwelling",
            None => "unknown",
        },
    }
}
