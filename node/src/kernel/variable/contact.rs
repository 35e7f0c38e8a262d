//! Contacts with a participant, from months with a filled-in form.
//!
//! **Invariant:** a month without a form is missing, never zero.

use super::View;
use crate::kernel::person::{CalendarMonth, Contact, ContactCategory, YesNo};

/// The rows of the window's months that were recorded.
fn recorded<'p>(view: &View<'p>) -> impl Iterator<Item = (CalendarMonth, &'p Contact)> + use<'p> {
    let (first, last) = (CalendarMonth::of(view.window_start), CalendarMonth::of(view.census));
    view.contacts.iter().filter_map(move |contact| {
        let month = contact.month.filter(|month| first <= *month && *month <= last)?;
        (contact.recorded == YesNo::Yes).then_some((month, contact))
    })
}

/// The number of contacts of each category that has any; `None` on overflow.
pub(super) fn totals(
    view: &View<'_>,
) -> Option<impl Iterator<Item = (ContactCategory, u64)> + use<>> {
    let mut totals = ContactCategory::ALL.map(|category| (category, 0_u64));
    for (_, contact) in recorded(view) {
        let total = totals.iter_mut().find(|(category, _)| *category == contact.category);
        let (_, sum) = total?;
        *sum = sum.checked_add(contact.count)?;
    }
    Some(totals.into_iter().filter(|(_, sum)| *sum > 0))
}

/// Home visits for each month with a form, in bands; `unknown` without any form. A form without a
/// row for home visits says that there were none. `None` for who left before the window.
pub(super) fn home_visit_band(view: &View<'_>) -> Option<&'static str> {
    let (mut months, mut visits) = (Vec::<CalendarMonth>::new(), 0_u64);
    for (month, contact) in recorded(view) {
        if months.last() != Some(&month) && !months.contains(&month) {
            months.push(month);
        }
        if contact.category == ContactCategory::HomeVisit {
            visits = visits.saturating_add(contact.count);
        }
    }
    let months = u64::try_from(months.len()).unwrap_or(u64::MAX);
    // Whole visits for each month: 1.5 a month is 1 here, and in the band that begins at 1.
    let band = match (visits, visits.checked_div(months)) {
        (_, None) => "unknown",
        (0, _) => "none",
        (_, Some(0)) => "under_1",
        (_, Some(1)) => "1_to_under_2",
        (_, Some(2..=3)) => "2_to_under_4",
        _ => "4_or_more",
    };
    view.is_followed_in_window().then_some(band)
}
