//! Contacts with a participant, from months with a filled-in form.
//!
//! **Invariant:** a month without a form is missing, never zero.

use super::{Subject, View};
use crate::kernel::person::{CalendarMonth, Contact, ContactCategory, YesNo};
use std::collections::BTreeSet;

/// The rows of the window's months that were recorded.
fn recorded<'p>(view: &View<'p>) -> impl Iterator<Item = (CalendarMonth, &'p Contact)> + use<'p> {
    let (first, last) = (CalendarMonth::of(view.window_start), CalendarMonth::of(view.census));
    view.person.contacts.iter().filter_map(move |contact| {
        let month = contact.month.filter(|month| first <= *month && *month <= last)?;
        (contact.recorded == YesNo::Yes).then_some((month, contact))
    })
}

/// The number of contacts of each category that has any; `None` on overflow.
pub(super) fn totals<'p>(view: &View<'p>) -> Option<Vec<(Subject<'p>, u64)>> {
    // The categories are few: to look through them is quicker than to keep them in order.
    let mut totals: Vec<(ContactCategory, u64)> = Vec::with_capacity(ContactCategory::CODES.len());
    for (_, contact) in recorded(view).filter(|(_, contact)| contact.count > 0) {
        match totals.iter_mut().find(|(category, _)| *category == contact.category) {
            Some((_, sum)) => *sum = sum.checked_add(contact.count)?,
            None => totals.push((contact.category, contact.count)),
        }
    }
    totals.sort_unstable_by_key(|(category, _)| *category);
    Some(totals.into_iter().map(|(category, sum)| (Subject::Contact(category), sum)).collect())
}

/// Home visits for each month with a form, in bands; `unknown` without any form. A form without a
/// row for home visits says that there were none. `None` for who left before the window.
pub(super) fn home_visit_band(view: &View<'_>) -> Option<&'static str> {
    let months: BTreeSet<CalendarMonth> = recorded(view).map(|(month, _)| month).collect();
    let months = u64::try_from(months.len()).unwrap_or(u64::MAX);
    let visits = recorded(view)
        .filter(|(_, contact)| contact.category == ContactCategory::HomeVisit)
        .fold(0_u64, |sum, (_, contact)| sum.saturating_add(contact.count));
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
