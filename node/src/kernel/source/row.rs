//! One row of a table, with its cells read as what their columns hold.
//!
//! **Invariant:** a cell is looked up by our name of its column, and fails with that name and a
//! rule; its text goes nowhere else.

use super::csv::Record;
use super::join::Keys;
use super::layout::Layout;
use super::quality::Rule;
use super::value::Cell;
use crate::kernel::person::{CalendarMonth, PersonId, When};
use std::borrow::Cow;

/// A cell that is not what its column can hold.
#[derive(Clone, Copy)]
pub(super) struct Bad {
    /// Our name of the column; `None` if it is about the whole row.
    pub(super) column: Option<&'static str>,
    pub(super) rule: Rule,
}

/// A row.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    layout: &'r Layout,
    record: &'r Record,
}

impl<'r> Row<'r> {
    /// This record, laid out so; rejected if it has not as many cells as there are headers.
    pub(super) fn new(layout: &'r Layout, record: &'r Record) -> Result<Self, Bad> {
        if record.len() == layout.width() {
            return Ok(Self { layout, record });
        }
        Err(Bad { column: None, rule: Rule::FieldCount })
    }

    /// The participant whose row it is.
    pub(super) fn person(&self, keys: &[Keys]) -> Result<PersonId, Bad> {
        let bad = |rule| Bad { column: Some("participant_id"), rule };
        let blank = if keys.is_empty() { Rule::ParticipantBlank } else { Rule::KeyBlank };
        let Cell::Text(text) = self.cell("participant_id")? else { return Err(bad(blank)) };
        let key = Keys::follow(keys, &text).map_err(bad)?;
        PersonId::new(key).ok_or_else(|| bad(Rule::ParticipantBlank))
    }

    /// A code; empty is unknown.
    pub(super) fn code<T>(
        &self,
        column: &'static str,
        from_code: fn(&str) -> Option<T>,
    ) -> Result<T, Bad> {
        let cell = self.cell(column)?;
        let code = if let Cell::Text(code) = &cell { code.as_ref() } else { "unknown" };
        from_code(code).ok_or(Bad { column: Some(column), rule: Rule::UnknownCode })
    }

    /// A code of something that may not have happened; empty is `None`.
    pub(super) fn optional_code<T>(
        &self,
        column: &'static str,
        from_code: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Bad> {
        match self.cell(column)? {
            Cell::Empty => Ok(None),
            Cell::Unknown | Cell::Text(_) => self.code(column, from_code).map(Some),
        }
    }

    /// A day; empty is unknown.
    pub(super) fn date(&self, column: &'static str) -> Result<When, Bad> {
        Ok(self.optional_date(column)?.unwrap_or(When::Unknown))
    }

    /// The day of something that may not have happened; empty is `None`.
    pub(super) fn optional_date(&self, column: &'static str) -> Result<Option<When>, Bad> {
        let text = match self.cell(column)? {
            Cell::Empty => return Ok(None),
            Cell::Unknown => return Ok(Some(When::Unknown)),
            Cell::Text(text) => text,
        };
        let pattern = self.layout.words(column).and_then(|words| words.pattern.as_ref());
        let day = pattern.and_then(|pattern| pattern.date(&text));
        day.map(|day| Some(When::On(day))).ok_or(Bad { column: Some(column), rule: Rule::NotADate })
    }

    /// A month, if it is known.
    pub(super) fn month(&self, column: &'static str) -> Result<Option<CalendarMonth>, Bad> {
        let Cell::Text(text) = self.cell(column)? else { return Ok(None) };
        let pattern = self.layout.words(column).and_then(|words| words.pattern.as_ref());
        let month = pattern.and_then(|pattern| pattern.month(&text));
        month.map(Some).ok_or(Bad { column: Some(column), rule: Rule::NotAMonth })
    }

    /// A whole number between these, if there is one; `rule` names what else it may not be.
    pub(super) fn number(
        &self,
        column: &'static str,
        range: std::ops::RangeInclusive<u32>,
        rule: Rule,
    ) -> Result<Option<u32>, Bad> {
        let Cell::Text(text) = self.cell(column)? else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && range.contains(number));
        number.map(Some).ok_or(Bad { column: Some(column), rule })
    }

    /// A text; empty if there is none.
    pub(super) fn text(&self, column: &'static str) -> Result<Cow<'r, str>, Bad> {
        match self.cell(column)? {
            Cell::Text(text) => Ok(text),
            Cell::Empty | Cell::Unknown => Ok(Cow::Borrowed("")),
        }
    }

    fn cell(&self, column: &'static str) -> Result<Cell<'r>, Bad> {
        self.layout.cell(self.record, column).map_err(|rule| Bad { column: Some(column), rule })
    }
}
