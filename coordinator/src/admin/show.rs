//! Days, moments and figures as people read them.
//!
//! **Invariant:** a figure is shown as it is, only with the decimal mark of the language.

use super::words::Words;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::labels::Language;
use std::fmt::Display;
use time::{Date, OffsetDateTime};

/// A decimal figure, with a real minus sign.
pub(super) fn figure(figure: impl Display, language: Language) -> String {
    let text = figure.to_string().replace('-', "\u{2212}");
    match language {
        Language::Nb | Language::Nn => text.replace('.', ","),
        Language::En => text,
    }
}

/// A day, as `31. desember 2016`.
pub(super) fn day(day: Date, words: &Words, language: Language) -> String {
    let month = words.months.get(usize::from(u8::from(day.month())).saturating_sub(1));
    let month = month.map_or("", String::as_str);
    match language {
        Language::Nb | Language::Nn => format!("{}. {month} {}", day.day(), day.year()),
        Language::En => format!("{} {month} {}", day.day(), day.year()),
    }
}

/// The day of a moment.
pub(super) fn day_of(at: Timestamp, words: &Words, language: Language) -> String {
    at.date().map_or_else(|| at.to_string(), |date| day(date, words, language))
}

/// A moment in UTC, as `31. desember 2016 kl. 14.05 UTC`.
pub(super) fn moment(at: Timestamp, words: &Words, language: Language) -> String {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(at.unix()) else { return at.to_string() };
    let (hour, minute) = (moment.hour(), moment.minute());
    let mark = if language == Language::En { ':' } else { '.' };
    let day = day(moment.date(), words, language);
    format!("{day} {} {hour:02}{mark}{minute:02} UTC", words.common.clock)
}

/// Fills in the places of a text: `{name}` with what stands beside the name.
pub(super) fn fill(text: &str, places: &[(&str, &dyn Display)]) -> String {
    let mut filled = text.to_owned();
    for (name, with) in places {
        filled = filled.replace(&format!("{{{name}}}"), &with.to_string());
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::{figure, fill, moment};
    use crate::admin::words::AllWords;
    use fellestall_shared::clock::Timestamp;
    use fellestall_shared::labels::Language;

    #[test]
    fn figures_and_moments_are_as_the_language_writes_them() {
        let words = AllWords::builtin().expect("texts");
        let at = Timestamp::from_unix(1_483_193_100);
        let at = |language| moment(at, words.of(language), language);
        assert_eq!(at(Language::Nn), "31. desember 2016 kl. 14.05 UTC");
        assert_eq!(at(Language::En), "31 December 2016 at 14:05 UTC");
        assert_eq!(figure("-1.5", Language::Nb), "\u{2212}1,5");
        assert_eq!(fill("{a} of {b}, {a}", &[("a", &1), ("b", &"x")]), "1 of x, 1");
    }
}
