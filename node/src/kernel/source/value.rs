//! What one cell says: a text, "not known", or nothing; and which day or month a text is.
//!
//! **Invariant:** a cell that is none of what its column can hold is an error, never a guess.

use super::byte_map::ByteMap;
use super::quality::Rule;
use crate::kernel::person::CalendarMonth;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use time::format_description::{self, OwnedFormatItem};
use time::parsing::Parsed;
use time::{Date, Month, PrimitiveDateTime, Time};

/// The years that a date may lie in: others are slips of the keyboard.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2100;

/// How a municipality writes dates or months.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    format: OwnedFormatItem,
    /// Whether days are written as `2016-12-31`, which is read without looking at the format.
    is_standard: bool,
}

/// How days are written in the standard export.
const STANDARD_DAYS: &str = "%Y-%m-%d";

impl Pattern {
    /// Days written in this format of `strftime`; `None` if it does not tell one day from another.
    pub(super) fn days(format: &str) -> Option<Self> {
        let pattern = Self::new(format)?;
        let day = Date::from_calendar_date(2016, Month::December, 24).ok()?;
        (pattern.date(&pattern.write(day)?) == Some(day)).then_some(pattern)
    }

    /// Months written in this format of `strftime`; `None` if it does not tell one from another.
    pub(super) fn months(format: &str) -> Option<Self> {
        let pattern = Self::new(format)?;
        let day = Date::from_calendar_date(2016, Month::December, 24).ok()?;
        let month = CalendarMonth { year: 2016, month: 12 };
        (pattern.month(&pattern.write(day)?) == Some(month)).then_some(pattern)
    }

    fn new(format: &str) -> Option<Self> {
        let is_standard = format == STANDARD_DAYS;
        let format = format_description::parse_strftime_owned(format).ok()?;
        Some(Self { format, is_standard })
    }

    /// The day that `text` is.
    pub(super) fn date(&self, text: &str) -> Option<Date> {
        let date = match standard_day(text).filter(|_| self.is_standard) {
            Some(date) => date,
            None => Date::try_from(self.parse(text)?).ok()?,
        };
        YEARS.contains(&date.year()).then_some(date)
    }

    /// The month that `text` is, or lies in.
    pub(super) fn month(&self, text: &str) -> Option<CalendarMonth> {
        let parsed = self.parse(text)?;
        let year = parsed.year()?;
        let month = u8::from(parsed.month()?);
        YEARS.contains(&year).then_some(CalendarMonth { year, month })
    }

    fn parse(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        let rest = parsed.parse_item(text.as_bytes(), &self.format).ok()?;
        rest.is_empty().then_some(parsed)
    }

    fn write(&self, day: Date) -> Option<String> {
        PrimitiveDateTime::new(day, Time::MIDNIGHT).format(&self.format).ok()
    }
}

/// The day that ten characters as `2016-12-31` are; `None` says nothing about other texts.
fn standard_day(text: &str) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return None };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u16, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| digit.saturating_sub(b'0'))?;
            number.checked_mul(10)?.checked_add(u16::from(digit))
        })
    };
    let month = u8::try_from(number(&[m1, m2])?).ok()?;
    let day = u8::try_from(number(&[d1, d2])?).ok()?;
    let month = Month::try_from(month).ok()?;
    Date::from_calendar_date(number(&[y1, y2, y3, y4])?.into(), month, day).ok()
}

/// How to understand the cells of one column.
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// Texts that mean "not known", in lower case.
    pub(super) unknown: BTreeSet<String>,
    /// Texts that mean an empty cell, in lower case.
    pub(super) empty: BTreeSet<String>,
    /// The municipality's own codes, in lower case, and ours.
    pub(super) codes: Option<BTreeMap<String, String>>,
    /// How it writes days or months, if the column holds them.
    pub(super) pattern: Option<Pattern>,
}

/// What a cell says.
pub(super) enum Cell<'r> {
    /// Nothing.
    Empty,
    /// That it is not known.
    Unknown,
    /// This, without white space around it; a code is already one of ours.
    Text(Cow<'r, str>),
}

impl Words {
    /// Whether a text of digits has no meaning but its number.
    pub(super) fn numbers_are_plain(&self) -> bool {
        let has_letter = |text: &String| text.bytes().any(|byte| !byte.is_ascii_digit());
        self.codes.is_none() && self.unknown.iter().chain(&self.empty).all(has_letter)
    }

    /// What a cell with this text says.
    pub(super) fn read<'r>(&'r self, text: Cow<'r, str>) -> Result<Cell<'r>, Rule> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(Cell::Empty);
        }
        let lower = normalised(trimmed);
        if let Some(code) = self.codes.as_ref().and_then(|codes| codes.get(lower.as_ref())) {
            return Ok(Cell::Text(Cow::Borrowed(code)));
        }
        if self.empty.contains(lower.as_ref()) {
            return Ok(Cell::Empty);
        }
        if self.unknown.contains(lower.as_ref()) {
            return Ok(Cell::Unknown);
        }
        if self.codes.is_some() {
            return Err(Rule::UnknownCode);
        }
        if trimmed.len() == text.len() {
            return Ok(Cell::Text(text));
        }
        Ok(Cell::Text(Cow::Owned(trimmed.to_owned())))
    }
}

/// The cells of one column that are plain texts: what is said of them in [`Words::read`], found at once.
pub(super) struct PlainWords {
    /// The place of each text that has a meaning of its own.
    texts: ByteMap,
    meanings: Vec<Meaning>,
    /// How long the longest is, in bytes.
    longest: usize,
    is_code: bool,
}

enum Meaning {
    Empty,
    Unknown,
    Code(String),
}

impl PlainWords {
    pub(super) fn of(words: &Words) -> Self {
        let codes = words.codes.iter().flatten();
        let codes = codes.map(|(text, code)| (text, Meaning::Code(code.clone())));
        let empty = words.empty.iter().map(|text| (text, Meaning::Empty));
        let unknown = words.unknown.iter().map(|text| (text, Meaning::Unknown));
        let (mut texts, mut meanings, mut longest) = (ByteMap::new(), Vec::new(), 0);
        // In the order in which they are asked: the first that knows a text decides.
        for (text, meaning) in codes.chain(empty).chain(unknown) {
            if let (None, Ok(place)) = (texts.get(text.as_bytes()), meanings.len().try_into()) {
                texts.insert(text.as_bytes(), place);
                meanings.push(meaning);
                longest = text.len().max(longest);
            }
        }
        Self { texts, meanings, longest, is_code: words.codes.is_some() }
    }

    /// What a cell with this plain text says.
    pub(super) fn read<'r>(&'r self, text: &'r str) -> Result<Cell<'r>, Rule> {
        if text.is_empty() {
            return Ok(Cell::Empty);
        }
        let may_mean = text.len() <= self.longest;
        let place = if may_mean { self.texts.get(text.as_bytes()) } else { None };
        let place = place.and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| self.meanings.get(place)) {
            Some(Meaning::Empty) => Ok(Cell::Empty),
            Some(Meaning::Unknown) => Ok(Cell::Unknown),
            Some(Meaning::Code(code)) => Ok(Cell::Text(Cow::Borrowed(code))),
            None if self.is_code => Err(Rule::UnknownCode),
            None => Ok(Cell::Text(Cow::Borrowed(text))),
        }
    }
}

/// The text of these bytes, if it is one that is compared as it stands: without white space, capital letters
/// and what is not ASCII.
pub(super) fn plain_text(bytes: &[u8]) -> Option<&str> {
    // All are looked at, so that several are at once.
    let is_plain = |byte: &u8| matches!(byte, b'!'..=b'@' | b'['..=b'~');
    let is_plain = bytes.iter().fold(true, |all, byte| all & is_plain(byte));
    std::str::from_utf8(bytes).ok().filter(|_| is_plain)
}

/// A text as codes, headers and keys are compared: without white space around it, in lower case.
pub(super) fn normalised(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    let plain = |b: u8| b.is_ascii() && !b.is_ascii_uppercase();
    if trimmed.bytes().all(plain) {
        Cow::Borrowed(trimmed)
    } else {
        Cow::Owned(trimmed.to_lowercase())
    }
}

#[cfg(test)]
mod tests;
