//! Figures, days and moments as people read them.
//!
//! **Invariant:** a figure is shown as it is, only with the decimal mark of the language.

use super::words::Words;
use crate::audit::Actor;
use crate::decisions::UNKNOWN;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::labels::Language;
use fellestall_shared::privacy::Rho;
use std::fmt::Display;
use time::{Date, OffsetDateTime};

/// A decimal figure.
pub(super) fn figure(figure: impl Display, language: Language) -> String {
    let text = figure.to_string();
    match language {
        Language::Nb | Language::Nn => text.replace('.', ","),
        Language::En => text,
    }
}

/// A delta that is written as `1e-6`, as a power of ten.
pub(super) fn delta(delta: impl Display) -> String {
    let text = delta.to_string();
    let Some(exponent) = text.strip_prefix("1e-") else { return text };
    let raised = exponent.chars().map(|digit| match digit {
        '1' => '\u{b9}',
        '2' => '\u{b2}',
        '3' => '\u{b3}',
        other => {
            other.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(other)
        }
    });
    format!("10\u{207b}{}", raised.collect::<String>())
}

/// Who did something: a person's own name, or a word for the node and for nobody in particular.
pub(super) fn who<'a>(by: &'a Actor, w: &'a Words) -> &'a str {
    match by {
        by if *by == Actor::node() => &w.log.who_node,
        by if by.name() == UNKNOWN => &w.log.who_unknown,
        by => by.name(),
    }
}

/// A whole number that may be negative, with a real minus sign.
pub(super) fn whole(number: i64) -> String {
    if number < 0 { format!("\u{2212}{}", number.unsigned_abs()) } else { number.to_string() }
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

/// A day that is written as `2016-12-31`.
pub(super) fn written_day(text: &str, words: &Words, language: Language) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(text, format).map_or_else(|_| text.to_owned(), |date| day(date, words, language))
}

/// A moment in UTC, as `31. desember 2016 kl. 14.05 UTC`.
pub(super) fn moment(at: Timestamp, words: &Words, language: Language) -> String {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(at.unix()) else { return at.to_string() };
    let (hour, minute) = (moment.hour(), moment.minute());
    let day = day(moment.date(), words, language);
    match language {
        Language::Nb | Language::Nn => {
            format!("{day} {} {hour:02}.{minute:02} UTC", words.common.clock)
        }
        Language::En => format!("{day} {} {hour:02}:{minute:02} UTC", words.common.clock),
    }
}

/// Fills in the places of a text: `{name}` with what stands beside the name.
pub(super) fn fill(text: &str, places: &[(&str, &dyn Display)]) -> String {
    let mut filled = text.to_owned();
    for (name, with) in places {
        filled = filled.replace(&format!("{{{name}}}"), &with.to_string());
    }
    filled
}

/// Which share of `cap` is `part`, in tenths of a per cent, at most all of it.
pub(super) fn permille(part: Rho, cap: Rho) -> u64 {
    let (part, cap) = (u128::from(part.micro()), u128::from(cap.micro().max(1)));
    let share = part.saturating_mul(1000).div_ceil(cap).min(1000);
    u64::try_from(share).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::{delta, figure, fill, moment, permille, whole, written_day};
    use crate::console::words::AllWords;
    use fellestall_shared::clock::Timestamp;
    use fellestall_shared::labels::Language;
    use fellestall_shared::privacy::Rho;

    #[test]
    fn figures_and_moments_are_as_the_language_writes_them() {
        let words = AllWords::builtin().expect("texts");
        let day = |language| written_day("2016-12-31", words.of(language), language);
        assert_eq!(day(Language::Nb), "31. desember 2016");
        assert_eq!(day(Language::En), "31 December 2016");
        let at = Timestamp::from_unix(1_483_193_100);
        let at = |language| moment(at, words.of(language), language);
        assert_eq!(at(Language::Nn), "31. desember 2016 kl. 14.05 UTC");
        assert_eq!(at(Language::En), "31 December 2016 at 14:05 UTC");
        assert_eq!(figure(Rho::from_micro(125_000), Language::Nb), "0,125");
        assert_eq!((delta("1e-6"), delta("1e-12")), ("10⁻⁶".to_owned(), "10⁻¹²".to_owned()));
        assert_eq!((whole(-3), whole(3)), ("\u{2212}3".to_owned(), "3".to_owned()));
        assert_eq!(fill("{a} of {b}, {a}", &[("a", &1), ("b", &"x")]), "1 of x, 1");
        assert_eq!(written_day("nonsense", words.of(Language::Nb), Language::Nb), "nonsense");
    }

    #[test]
    fn a_share_is_never_shown_too_small_and_never_beyond_the_whole() {
        let share = |part, cap| permille(Rho::from_micro(part), Rho::from_micro(cap));
        assert_eq!(
            [share(0, 10), share(1, 10_000), share(5, 10), share(11, 10)],
            [0, 1, 500, 1000]
        );
        assert_eq!(share(u64::MAX, u64::MAX), 1000);
        assert_eq!(share(3, 0), 1000);
    }
}
