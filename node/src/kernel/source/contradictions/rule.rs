//! What can contradict what.
//!
//! **Invariant:** the list is closed, and no rule has room for a value.

use serde::Serialize;
use std::fmt;

/// How rows do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContradictionRule {
    /// The exit lies before the intake.
    ExitBeforeIntake,
    /// A reason for leaving, and no exit.
    ExitReasonWithoutExit,
    /// A consent was withdrawn before it was given.
    WithdrawnBeforeGiven,
    /// A consent had expired before it was given.
    ExpiredBeforeGiven,
    /// Moved out before moving in.
    MovedOutBeforeMovedIn,
    /// A tenancy from before the intake.
    TenancyBeforeIntake,
    /// Two tenancies at one time.
    TenanciesOverlap,
    /// One dwelling number for two tenancies.
    DwellingNumberTwice,
    /// Dwelling numbers in another order than the days of moving in.
    DwellingNumberOrder,
    /// A reason for the end of a tenancy, and no way in which it ended.
    EndReasonWithoutMode,
    /// The participant died, and a tenancy goes on.
    DiedButTenancyGoesOn,
    /// A stay ends before it starts.
    StayEndsBeforeStart,
    /// Something about a participant who had left.
    AfterExit,
    /// A day that has not come.
    InTheFuture,
    /// A count on a form that says it was not recorded.
    CountNotRecorded,
    /// Two forms for one month and category.
    SameFormTwice,
}

impl fmt::Display for ContradictionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExitBeforeIntake => "the participant left before being taken in",
            Self::ExitReasonWithoutExit => {
                "a reason for leaving, but no date of leaving: the participant counts as not having left (write your text for unknown if the date is not known)"
            }
            Self::WithdrawnBeforeGiven => "the consent was withdrawn before it was given",
            Self::ExpiredBeforeGiven => "the consent expired before it was given",
            Self::MovedOutBeforeMovedIn => "moved out before moving in",
            Self::TenancyBeforeIntake => "moved in before being taken in",
            Self::TenanciesOverlap => "two dwellings at the same time",
            Self::DwellingNumberTwice => "two dwellings with the same number",
            Self::DwellingNumberOrder => {
                "the dwellings' numbers are in another order than the days of moving in"
            }
            Self::EndReasonWithoutMode => {
                "a reason why the tenancy ended, but not the way in which it ended"
            }
            Self::DiedButTenancyGoesOn => "the participant died, but the tenancy has no end",
            Self::StayEndsBeforeStart => "the stay ends before it starts",
            Self::AfterExit => "dated after the participant left",
            Self::InTheFuture => "dated in the future",
            Self::CountNotRecorded => {
                "a count, though the row says that nothing was recorded: it counts as missing"
            }
            Self::SameFormTwice => "two rows for the same participant, month and category",
        })
    }
}
