//! Neighbour complaints about a participant.
//!
//! **Invariant:** only the rows of the `complaint` table with a known day in the window count; an
//! appeal of the participant's own never comes here.

use super::View;
use crate::kernel::person::{Complaint, YesNo};

/// The complaints of the window.
pub(super) fn in_window<'p>(view: &View<'p>) -> impl Iterator<Item = &'p Complaint> + use<'p> {
    let view = *view;
    view.person.complaints.iter().filter(move |complaint| view.is_in_window(complaint.date))
}

/// The number of complaints, in bands; `None` for who left before the window.
pub(super) fn band(view: &View<'_>) -> Option<&'static str> {
    let band = match in_window(view).count() {
        0 => "0",
        1..=2 => "1_2",
        3..=9 => "3_9",
        _ => "10_or_more",
    };
    view.is_followed_in_window().then_some(band)
}

/// Whether any of the complaints led to a three-way meeting: one that did decides, then one where
/// it is not known. `None` for who left before the window.
pub(super) fn three_way_meeting(view: &View<'_>) -> Option<&'static str> {
    let any = |answer| in_window(view).any(|complaint| complaint.three_way_meeting == answer);
    let code = if any(YesNo::Yes) {
        "with_meeting"
    } else if any(YesNo::Unknown) {
        "unknown"
    } else if any(YesNo::No) {
        "without_meeting"
    } else {
        "no_complaint"
    };
    view.is_followed_in_window().then_some(code)
}
