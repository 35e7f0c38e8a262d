//! Every text of the report in bokmål, nynorsk and English: three files of one shape.
//!
//! **Invariant:** a key that is missing in one language, or that nothing shows, is an error when the
//! texts are read.

use super::Verdict;
use crate::publish::CoverageState;
use fellestall_shared::labels::Language;
use fellestall_shared::period::Period;
use serde::Deserialize;
use std::sync::LazyLock;
use time::Date;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident { $($key:ident),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub(super) struct $name {
                $(pub $key: String,)+
            }
        )+
    };
}

/// The texts of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub page: PageWords,
    pub period: PeriodWords,
    pub state: StateWords,
    pub sentence: SentenceWords,
    pub verdict: VerdictWords,
    pub method: MethodWords,
    pub sheet: SheetWords,
    months: Months,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Months {
    names: [String; 12],
}

texts! {
    /// Headings.
    PageWords {
        title, lead, made, contents, summary, changes, changes_none, coverage, figures, method, cite,
        links, figure, interval, picture, change, verdict, unit, symbols,
    }
    /// Periods and days.
    PeriodWords { half_1, half_2, quarter, month, year, day, range }
    /// How a municipality stands.
    StateWords { reported, late, missing, declined, undecided }
    /// The summary.
    SentenceWords {
        coverage, late, provisional, total, largest, largest_part, order_unsure, figure, no_figure, first_period,
        no_changes, changes, chance, joined, gone, coverage_differs, higher, lower, new_definition,
    }
    /// What a change is called.
    VerdictWords { no_real_change, higher, lower, other_municipalities, new_definition, not_comparable }
    /// The method note.
    MethodWords {
        noise, noise_text, interval, interval_text, change, change_text, rule, rule_text, privacy,
        privacy_text, cumulative_text, cite_text, front, document, csv, contact,
    }
    /// The workbook.
    SheetWords {
        coverage, figures, changes, method, study, number, name, state, table, title, category, unit,
        shown, lower, upper, deviation, raw, symbol, before, raw_before, raw_now, difference, verdict,
        same, yes, no, about,
    }
}

/// The texts of all languages.
#[derive(Debug)]
pub(super) struct AllWords {
    nb: Words,
    nn: Words,
    en: Words,
}

/// Texts that are not whole.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct BadWords {
    file: &'static str,
    message: String,
}

impl AllWords {
    /// The texts that the program was built with.
    pub(super) fn builtin() -> Result<&'static Self, &'static BadWords> {
        static ALL: LazyLock<Result<AllWords, BadWords>> = LazyLock::new(|| {
            Ok(AllWords {
                nb: parse("nb.toml", include_str!("words/nb.toml"))?,
                nn: parse("nn.toml", include_str!("words/nn.toml"))?,
                en: parse("en.toml", include_str!("words/en.toml"))?,
            })
        });
        ALL.as_ref()
    }

    /// The texts of one language.
    pub(super) fn of(&self, language: Language) -> &Words {
        match language {
            Language::Nb => &self.nb,
            Language::Nn => &self.nn,
            Language::En => &self.en,
        }
    }
}

fn parse(file: &'static str, text: &str) -> Result<Words, BadWords> {
    toml::from_str(text).map_err(|error| BadWords { file, message: error.to_string() })
}

/// A text with the things in its braces filled in.
pub(super) fn fill(text: &str, things: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        let thing = things.iter().find(|(known, _)| *known == name);
        filled.push_str(thing.map_or("", |(_, thing)| thing));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

impl Words {
    /// A period in words, as "first half of 2026".
    pub(super) fn period(&self, period: Period) -> String {
        let words = &self.period;
        let first = u8::from(period.first_day().month());
        let number = (first - 1) / period.months().max(1) + 1;
        let text = match (period.months(), number) {
            (12, _) => &words.year,
            (6, 1) => &words.half_1,
            (6, _) => &words.half_2,
            (3, _) => &words.quarter,
            _ => &words.month,
        };
        let (year, number) = (period.year().to_string(), number.to_string());
        fill(text, &[("year", &year), ("number", &number), ("month", self.month(first))])
    }

    /// A day in words, as "30 June 2026".
    pub(super) fn day(&self, day: Date) -> String {
        let (year, number) = (day.year().to_string(), day.day().to_string());
        let month = self.month(u8::from(day.month()));
        fill(&self.period.day, &[("year", &year), ("day", &number), ("month", month)])
    }

    fn month(&self, number: u8) -> &str {
        let place = usize::from(number.saturating_sub(1));
        self.months.names.get(place).map_or("", String::as_str)
    }

    /// An interval, as "3 to 9".
    pub(super) fn range(&self, low: &str, high: &str) -> String {
        fill(&self.period.range, &[("low", low), ("high", high)])
    }

    /// How a municipality stands.
    pub(super) fn state(&self, state: CoverageState) -> &str {
        match state {
            CoverageState::Reported => &self.state.reported,
            CoverageState::Late => &self.state.late,
            CoverageState::Missing => &self.state.missing,
            CoverageState::Declined => &self.state.declined,
            CoverageState::Undecided => &self.state.undecided,
        }
    }

    /// What a change is called; of other municipalities than before only with that said.
    pub(super) fn verdict(&self, verdict: Verdict, same_municipalities: bool) -> String {
        let words = &self.verdict;
        let name = match verdict {
            Verdict::NoRealChange => return words.no_real_change.clone(),
            Verdict::Higher => &words.higher,
            Verdict::Lower => &words.lower,
        };
        if same_municipalities {
            name.clone()
        } else {
            format!("{name}; {}", words.other_municipalities)
        }
    }
}

#[cfg(test)]
mod tests;
