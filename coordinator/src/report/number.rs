//! Numbers as the report writes them.
//!
//! **Invariant:** a number is rounded to its decimals and to nothing else; no line ever breaks in it.

use crate::publish::Fixed;
use fellestall_shared::labels::Language;

/// A number with so many decimals, grouped by thousands, with the minus sign of print.
pub(super) fn number(value: f64, decimals: u8, language: Language) -> String {
    let text = format!("{:.*}", usize::from(decimals), value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((text.as_str(), ""));
    let is_zero = text.chars().all(|sign| matches!(sign, '0' | '.'));
    let mut written = String::with_capacity(text.len() + 4);
    if value < 0.0 && !is_zero {
        written.push('−');
    }
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            written.push('\u{a0}');
        }
        written.push(digit);
    }
    if !part.is_empty() {
        written.push(if language == Language::En { '.' } else { ',' });
        written.push_str(part);
    }
    written
}

/// A figure.
pub(super) fn fixed(value: Fixed, decimals: u8, language: Language) -> String {
    number(value.value(), decimals, language)
}

/// A difference: always with its sign, unless it is 0.
pub(super) fn signed(value: Fixed, decimals: u8, language: Language) -> String {
    let text = fixed(value, decimals, language);
    let is_zero = !text.chars().any(|sign| sign.is_ascii_digit() && sign != '0');
    if value.value() > 0.0 && !is_zero { format!("+{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::{fixed, number, signed};
    use crate::publish::Fixed;
    use fellestall_shared::labels::Language::{En, Nb};

    #[test]
    fn numbers_are_written_as_each_language_does() {
        for (value, decimals, nb, en) in [
            (0.0, 0, "0", "0"),
            (-0.2, 0, "0", "0"),
            (-3.0, 0, "−3", "−3"),
            (68.64, 1, "68,6", "68.6"),
            (1234.0, 0, "1\u{a0}234", "1\u{a0}234"),
            (-1_234_567.25, 2, "−1\u{a0}234\u{a0}567,25", "−1\u{a0}234\u{a0}567.25"),
            (999.0, 0, "999", "999"),
        ] {
            assert_eq!(number(value, decimals, Nb), nb);
            assert_eq!(number(value, decimals, En), en);
        }
    }

    #[test]
    fn differences_have_a_sign_and_zero_has_none() {
        let of = |value: f64| Fixed::nearest(value).expect("a number");
        assert_eq!(signed(of(4.0), 0, Nb), "+4");
        assert_eq!(signed(of(-4.0), 0, Nb), "−4");
        assert_eq!(signed(of(0.004), 1, En), "0.0");
        assert_eq!(fixed(of(4.0), 0, Nb), "4");
    }
}
