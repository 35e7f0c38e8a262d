//! Where a person is counted who is in the records of two municipalities.
//!
//! A study may say that a person is counted where the person lives on the last day of the period, the
//! census date. A municipality does not see the records of another; it does see that somebody has
//! moved away.
//!
//! **Invariant:** who is recorded as moved to another municipality, and is not known to have done so
//! later than the census date, is not counted here.

use super::person::{ExitReason, Participant, When};
use fellestall_shared::wire::v1::Residence;
use time::Date;

#[cfg(test)]
mod tests;

/// Whether a participant is counted here, as far as the study asks where people live.
///
/// Somebody moved who left for that reason on or before `day`, the day of exit being the first one
/// outside; and who left for that reason on a day that is not known, or not recorded.
pub(super) fn is_counted_here(row: &Participant, residence: Residence, day: Date) -> bool {
    let moved = row.exit_reason == Some(ExitReason::MovedMunicipality);
    match residence {
        Residence::Anywhere => true,
        Residence::OnCensusDate if !moved => true,
        Residence::OnCensusDate => row.exit.and_then(When::day).is_some_and(|exit| exit > day),
    }
}
