//! Numbers, dates and periods as each language writes them.
//!
//! **Invariant:** a number is written with as many decimals as its figure has, and never rounded
//! twice.

use crate::publish::Fixed;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::labels::Language;
use fellestall_shared::period::Period;

const NB_MONTHS: [&str; 12] = [
    "januar",
    "februar",
    "mars",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "desember",
];
const EN_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A number with this many decimals, thousands parted, a minus sign and not a hyphen.
pub(crate) fn number(value: Fixed, decimals: u8, language: Language) -> String {
    decimal(value.value(), decimals, language)
}

/// A double with this many decimals.
pub(crate) fn decimal(value: f64, decimals: u8, language: Language) -> String {
    let text = format!("{:.*}", usize::from(decimals), value.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    let (group, point) = if language == Language::En { (',', '.') } else { ('\u{a0}', ',') };
    let mut out = String::with_capacity(text.len() + 4);
    if value < 0.0 && !is_zero {
        out.push('\u{2212}');
    }
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) && whole.len() > 3 {
            out.push(group);
        }
        out.push(digit);
    }
    if !rest.is_empty() {
        out.push(point);
        out.push_str(rest);
    }
    out
}

/// "20 to 30", in the language.
pub(crate) fn range(lower: &str, upper: &str, language: Language) -> String {
    match language {
        Language::Nb | Language::Nn => format!("{lower} til {upper}"),
        Language::En => format!("{lower} to {upper}"),
    }
}

/// A day, as "1. juli 2026".
pub(crate) fn day(moment: Timestamp, language: Language) -> String {
    let Some(date) = moment.date() else { return String::new() };
    let month = usize::from(u8::from(date.month())).saturating_sub(1);
    let name = |months: &[&'static str; 12]| months.get(month).copied().unwrap_or_default();
    let (day, year) = (date.day(), date.year());
    match language {
        Language::Nb | Language::Nn => format!("{day}. {} {year}", name(&NB_MONTHS)),
        Language::En => format!("{day} {} {year}", name(&EN_MONTHS)),
    }
}

/// A period, as "1. halvår 2026".
pub(crate) fn period(period: Period, language: Language) -> String {
    let year = period.year();
    let first = u8::from(period.first_day().month());
    let number = (first - 1) / period.months() + 1;
    let ordinal = ["first", "second", "third", "fourth"];
    let ordinal = ordinal.get(usize::from(number - 1)).copied().unwrap_or_default();
    match (period.months(), language) {
        (12, _) => year.to_string(),
        (6, Language::Nb | Language::Nn) => format!("{number}. halvår {year}"),
        (6, Language::En) => format!("{ordinal} half of {year}"),
        (3, Language::Nb | Language::Nn) => format!("{number}. kvartal {year}"),
        (3, Language::En) => format!("{ordinal} quarter of {year}"),
        (_, language) => {
            let months = if language == Language::En { &EN_MONTHS } else { &NB_MONTHS };
            let month = months.get(usize::from(first - 1)).copied().unwrap_or_default();
            format!("{month} {year}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{decimal, period};
    use fellestall_shared::labels::Language::{En, Nb, Nn};

    #[test]
    fn numbers_are_written_as_the_language_writes_them() {
        for (value, decimals, language, expected) in [
            (0.0, 0, Nb, "0"),
            (-0.4, 0, Nb, "0"),
            (-3.0, 0, En, "\u{2212}3"),
            (1234.0, 0, Nb, "1\u{a0}234"),
            (1_234_567.25, 1, En, "1,234,567.2"),
            (68.6, 1, Nn, "68,6"),
            (999.0, 0, En, "999"),
        ] {
            assert_eq!(decimal(value, decimals, language), expected);
        }
    }

    #[test]
    fn periods_are_said_in_words() {
        for (code, language, expected) in [
            ("2026", Nb, "2026"),
            ("2026H1", Nb, "1. halvår 2026"),
            ("2026H2", En, "second half of 2026"),
            ("2026K4", Nn, "4. kvartal 2026"),
            ("2026M03", En, "March 2026"),
        ] {
            assert_eq!(period(code.parse().expect("a period"), language), expected);
        }
    }
}
