//! What the texts of one column mean: codes, dates, and the words for unknown and empty.
//!
//! **Invariant:** no text has two meanings, and every code on our side is one of the column's.

use super::{Column, ColumnFile, Kind, MappingError, MappingFile, TableFile, list, pattern_of};
use crate::kernel::source::value::{Cell, Pattern, Words, normalised};
use fellestall_shared::ids::Purpose;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// A column, for messages.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) table: &'static str,
    pub(super) column: &'static Column,
}

/// The words of a column that the export has.
pub(super) fn words(
    at: Place,
    settings: &ColumnFile,
    own: &TableFile,
    all: &MappingFile,
) -> Result<Words, MappingError> {
    let Place { table, column } = at;
    let mut unknown = texts(at, &[&all.unknown, &own.unknown, &settings.unknown])?;
    unknown.insert("unknown".to_owned());
    let empty = texts(at, &[&all.empty, &own.empty, &settings.empty])?;
    let codes = match &settings.codes {
        Some(codes) => Some(own_codes(at, codes)?),
        None => standard_codes(column.kind),
    };
    let both = unknown.intersection(&empty).next();
    let is_code = |text: &&String| {
        codes.as_ref().and_then(|codes| codes.get(*text)).is_some_and(|code| code != "unknown")
    };
    let twice =
        both.or_else(|| unknown.iter().find(is_code)).or_else(|| empty.iter().find(is_code));
    if let Some(own) = twice.cloned() {
        return Err(MappingError::TwoMeanings { table, column: column.name, own });
    }
    let pattern = match pattern_of(column.kind) {
        None if settings.dates.is_some() => {
            return Err(MappingError::NoDates { table, column: column.name });
        }
        None => None,
        Some("months") => {
            let formats = [&settings.dates, &own.months, &all.months];
            Some(pattern(at, "months", first(&formats, "%Y-%m"))?)
        }
        Some(_) => {
            let formats = [&settings.dates, &own.dates, &all.dates];
            Some(pattern(at, "days", first(&formats, "%Y-%m-%d"))?)
        }
    };
    Ok(Words { unknown, empty, codes, pattern })
}

/// The words of a column that the export lacks: `constant` is in our own codes and formats.
pub(super) fn constant(at: Place, constant: &str) -> Result<Words, MappingError> {
    let (none, settings) = (MappingFile::default(), ColumnFile::default());
    let words = words(at, &settings, &TableFile::default(), &none)?;
    if holds(at.column.kind, &words, constant) {
        return Ok(words);
    }
    Err(MappingError::BadConstant {
        table: at.table,
        column: at.column.name,
        constant: constant.to_owned(),
        allowed: allowed_constants(at.column.kind),
    })
}

/// Whether a column of this kind can hold `text` in every row.
fn holds(kind: Kind, words: &Words, text: &str) -> bool {
    let Ok(cell) = words.read(Cow::Borrowed(text)) else { return false };
    let Cell::Text(text) = cell else { return !matches!(kind, Kind::Person | Kind::Purpose) };
    match kind {
        Kind::Person => false,
        Kind::Code(_) | Kind::OptionalCode(_) | Kind::Text => true,
        Kind::Date | Kind::OptionalDate => {
            words.pattern.as_ref().is_some_and(|pattern| pattern.date(&text).is_some())
        }
        Kind::Month => words.pattern.as_ref().is_some_and(|pattern| pattern.month(&text).is_some()),
        Kind::Year | Kind::Number => text.parse::<u32>().is_ok(),
        Kind::Purpose => text.parse::<Purpose>().is_ok(),
    }
}

fn allowed_constants(kind: Kind) -> String {
    match kind {
        Kind::Person => "its column or a join: every row needs its own participant".to_owned(),
        Kind::Code(codes) => list(codes.iter().copied()),
        Kind::OptionalCode(codes) => {
            format!("{}, or \"\" for never", list(codes.iter().copied()))
        }
        Kind::Date => "a day as 2016-12-31, or \"unknown\"".to_owned(),
        Kind::OptionalDate => {
            "a day as 2016-12-31, \"unknown\", or \"\" for has not happened".to_owned()
        }
        Kind::Month => "a month as 2016-12, or \"unknown\"".to_owned(),
        Kind::Year | Kind::Number => "a whole number, \"unknown\" or \"\"".to_owned(),
        Kind::Purpose => "a purpose as in the studies, as housing-first-statistics".to_owned(),
        Kind::Text => "a text".to_owned(),
    }
}

/// Lists of texts, together and in lower case.
fn texts(at: Place, lists: &[&Vec<String>]) -> Result<BTreeSet<String>, MappingError> {
    lists.iter().copied().flatten().map(|text| own_text(at, text)).collect()
}

fn own_text(at: Place, text: &str) -> Result<String, MappingError> {
    let text = normalised(text).into_owned();
    if text.is_empty() {
        return Err(MappingError::BlankText { table: at.table, column: at.column.name });
    }
    Ok(text)
}

/// The municipality's own codes: they take the place of ours.
fn own_codes(
    at: Place,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, MappingError> {
    let Place { table, column } = at;
    let mut codes = BTreeMap::new();
    for (own, code) in given {
        match column.kind {
            Kind::Code(known) | Kind::OptionalCode(known) if !known.contains(&code.as_str()) => {
                return Err(MappingError::UnknownCode {
                    table,
                    column: column.name,
                    own: own.clone(),
                    code: code.clone(),
                    known: list(known.iter().copied()),
                });
            }
            Kind::Purpose if code.parse::<Purpose>().is_err() => {
                let code = code.clone();
                return Err(MappingError::Purpose { table, column: column.name, code });
            }
            Kind::Code(_) | Kind::OptionalCode(_) | Kind::Purpose => {}
            _ => return Err(MappingError::NoCodes { table, column: column.name }),
        }
        if codes.insert(own_text(at, own)?, code.clone()).is_some() {
            let own = own.clone();
            return Err(MappingError::TwoMeanings { table, column: column.name, own });
        }
    }
    Ok(codes)
}

fn standard_codes(kind: Kind) -> Option<BTreeMap<String, String>> {
    let own = |code: &&str| ((*code).to_owned(), (*code).to_owned());
    kind.codes().map(|codes| codes.iter().filter(|code| **code != "unknown").map(own).collect())
}

fn first<'a>(formats: &[&'a Option<String>], standard: &'a str) -> &'a str {
    formats.iter().find_map(|format| format.as_deref()).unwrap_or(standard)
}

fn pattern(at: Place, what: &'static str, format: &str) -> Result<Pattern, MappingError> {
    let pattern = if what == "months" { Pattern::months(format) } else { Pattern::days(format) };
    pattern.ok_or_else(|| MappingError::DateFormat {
        place: format!("[tables.{}.columns] {}", at.table, at.column.name),
        format: format.to_owned(),
        what,
    })
}
