//! Calendar months, as people count them.
//!
//! **Invariant:** adding months and counting months agree: n whole months have passed exactly when
//! the day n months after has come.

use time::{Date, Month};

/// The day `months` calendar months after `day`; the last of the month where that day is missing
/// (31 January and one month: 28 or 29 February). `None` beyond the calendar.
pub(super) fn months_after(day: Date, months: u8) -> Option<Date> {
    let months = i32::from(u8::from(day.month())).checked_add(i32::from(months))?.checked_sub(1)?;
    let year = day.year().checked_add(months.div_euclid(12))?;
    let number = u8::try_from(months.rem_euclid(12)).ok()?.checked_add(1)?;
    let month = Month::try_from(number).ok()?;
    Date::from_calendar_date(year, month, day.day().min(month.length(year))).ok()
}

/// Whole months from `from` to `to`, at most `most`; 0 if `to` is earlier.
pub(super) fn whole_months(from: Date, to: Date, most: u8) -> u8 {
    let has_passed = |months: &u8| months_after(from, *months).is_some_and(|day| day <= to);
    (0..=most).rev().find(has_passed).unwrap_or(0)
}
