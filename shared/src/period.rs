//! The period a round is about, written as Statistics Norway writes time codes.
//!
//! **Invariant:** a period that exists has a first and a last day in the calendar.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use time::{Date, Month};

/// A year (`2026`), half-year (`2026H1`), quarter (`2026K1`) or month (`2026M01`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    year: u16,
    first_month: u8,
    months: u8,
}

/// Text that is not a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a period is a year (2026), a half-year (2026H1), a quarter (2026K1) or a month (2026M01), from 1990 to 2199"
)]
pub struct NotAPeriod;

impl Period {
    fn new(year: u16, months: u8, number: u8) -> Result<Self, NotAPeriod> {
        let count = 12_u8.checked_div(months).ok_or(NotAPeriod)?;
        if !(1990..=2199).contains(&year) || number == 0 || number > count {
            return Err(NotAPeriod);
        }
        Ok(Self { year, first_month: (number - 1) * months + 1, months })
    }

    /// The calendar year: what yearly budgets are counted by.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }

    /// The number of months: 12, 6, 3 or 1.
    #[must_use]
    pub fn months(self) -> u8 {
        self.months
    }

    /// The first day.
    #[must_use]
    pub fn first_day(self) -> Date {
        first_of(self.year, self.first_month)
    }

    /// The last day: the census date of tables about a state.
    #[must_use]
    pub fn last_day(self) -> Date {
        let after = self.first_month + self.months;
        let next = if after > 12 { first_of(self.year + 1, 1) } else { first_of(self.year, after) };
        next.previous_day().unwrap_or(Date::MAX)
    }

    /// The last quarter of this period; a quarter is its own, a month lies in its quarter's stead.
    #[must_use]
    pub fn last_quarter(self) -> Self {
        if self.months <= 3 {
            return self;
        }
        Self { year: self.year, first_month: self.first_month + self.months - 3, months: 3 }
    }
}

fn first_of(year: u16, month: u8) -> Date {
    Month::try_from(month)
        .ok()
        .and_then(|month| Date::from_calendar_date(i32::from(year), month, 1).ok())
        .unwrap_or(Date::MIN)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = (self.first_month - 1) / self.months + 1;
        match self.months {
            12 => write!(f, "{}", self.year),
            6 => write!(f, "{}H{number}", self.year),
            3 => write!(f, "{}K{number}", self.year),
            _ => write!(f, "{}M{number:02}", self.year),
        }
    }
}

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let (year, rest) = text.split_at_checked(4).ok_or(NotAPeriod)?;
        let number = |digits: &str| digits.parse::<u8>().map_err(|_| NotAPeriod);
        let year = year.parse().map_err(|_| NotAPeriod)?;
        let period = match rest.split_at_checked(1) {
            None => Self::new(year, 12, 1),
            Some(("H", half)) => Self::new(year, 6, number(half)?),
            Some(("K", quarter)) => Self::new(year, 3, number(quarter)?),
            Some(("M", month)) => Self::new(year, 1, number(month)?),
            Some(_) => Err(NotAPeriod),
        }?;
        if period.to_string() == text { Ok(period) } else { Err(NotAPeriod) }
    }
}

impl TryFrom<String> for Period {
    type Error = NotAPeriod;
    fn try_from(text: String) -> Result<Self, NotAPeriod> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Period;

    fn check(text: &str, first: &str, last: &str, quarter: &str) {
        let period: Period = text.parse().expect("a period");
        assert_eq!(period.to_string(), text);
        assert_eq!(period.first_day().to_string(), first);
        assert_eq!(period.last_day().to_string(), last);
        assert_eq!(period.last_quarter().to_string(), quarter);
    }

    #[test]
    fn periods_have_their_days() {
        check("2016", "2016-01-01", "2016-12-31", "2016K4");
        check("2016H2", "2016-07-01", "2016-12-31", "2016K4");
        check("2026H1", "2026-01-01", "2026-06-30", "2026K2");
        check("2024K1", "2024-01-01", "2024-03-31", "2024K1");
        check("2024M02", "2024-02-01", "2024-02-29", "2024M02");
    }

    #[test]
    fn other_texts_are_not_periods() {
        for text in
            ["", "20", "2026H3", "2026H0", "2026Q1", "2026M13", "2026M1", "1889", "2026H+1", "æøåæ"]
        {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
