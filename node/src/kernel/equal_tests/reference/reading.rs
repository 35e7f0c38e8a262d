//! The reference's own reading of an export: text split by the `csv` crate, cells as texts.
//!
//! **Invariant:** a row is all of its cells, or rejected; whose it is may be known even then.

use crate::kernel::equal_tests::draw::Drawn;
use crate::kernel::equal_tests::format::{Format, Step, TABLES, TableFormat, columns};
use std::collections::{BTreeMap, BTreeSet};

/// The cells of a row by our names, in our codes: empty is "has not happened", `?` a day or month that is
/// not known, `unknown` a code.
pub type Row = BTreeMap<&'static str, String>;

/// A row as it was read.
pub struct Read {
    /// Whose it is, if that is known.
    pub person: Option<String>,
    /// What it says; `None` if it is rejected.
    pub cells: Option<Row>,
}

/// Every table.
pub struct Tables {
    pub rows: BTreeMap<&'static str, Vec<Read>>,
    /// How many rows are rejected for what they say, in key files too.
    pub rejected: u64,
    /// Whether a key leads to several participants.
    pub several: bool,
}

type Records = Vec<Vec<Vec<u8>>>;

/// The records of a file, the header first.
fn records(drawn: &Drawn, file: &str) -> Records {
    let bytes = drawn.files[file].strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&drawn.files[file]);
    let delimiter = u8::try_from(drawn.format.delimiter).expect("one byte");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(bytes);
    let records = reader.byte_records().map(|record| record.expect("delimited text"));
    records.map(|record| record.iter().map(<[u8]>::to_vec).collect()).collect()
}

fn text(bytes: &[u8], latin1: bool) -> Option<String> {
    if latin1 {
        return Some(bytes.iter().map(|byte| char::from(*byte)).collect());
    }
    String::from_utf8(bytes.to_vec()).ok()
}

fn plain(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The place of each header.
fn places(header: &[Vec<u8>], latin1: bool) -> BTreeMap<String, usize> {
    let name = |bytes: &Vec<u8>| plain(&text(bytes, latin1).expect("a header"));
    header.iter().enumerate().map(|(at, bytes)| (name(bytes), at)).collect()
}

/// Reads every table and key file.
pub fn tables(drawn: &Drawn) -> Tables {
    let mut all = Tables { rows: BTreeMap::new(), rejected: 0, several: false };
    for name in TABLES {
        let format = &drawn.format.tables[name];
        let keys: Vec<_> = format.joins.iter().map(|step| keys(drawn, step, &mut all)).collect();
        let records = records(drawn, &format.file);
        let (header, rows) = records.split_first().expect("a header");
        let places = places(header, drawn.format.latin1);
        let mut read = Vec::new();
        for row in rows {
            let of_column = |column: &'static str| {
                cell(&drawn.format, format, column, |header| {
                    let place = places[&plain(header)];
                    text(&row[place], drawn.format.latin1)
                })
            };
            let whole = row.len() == header.len();
            let person = if whole { person(&of_column, &keys, &mut all.several) } else { None };
            let columns = columns(name, drawn.format.events);
            let cells = person.as_ref().and_then(|_| {
                let cells: Option<Row> =
                    columns[1..].iter().map(|column| Some((*column, of_column(column)?))).collect();
                sound(name, drawn.format.events, cells?)
            });
            all.rejected += u64::from(cells.is_none());
            read.push(Read { person, cells });
        }
        all.rows.insert(name, read);
    }
    all
}

/// A key file: where each key leads, which may be to several.
fn keys(drawn: &Drawn, step: &Step, all: &mut Tables) -> BTreeMap<String, BTreeSet<String>> {
    let records = records(drawn, &step.file);
    let (header, rows) = records.split_first().expect("a header");
    let places = places(header, drawn.format.latin1);
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let cell = |name: &str| {
            let cell = row.get(places[&plain(name)]).filter(|_| row.len() == header.len())?;
            let cell = plain(&text(cell, drawn.format.latin1)?);
            (!cell.is_empty()).then_some(cell)
        };
        match cell(&step.key).zip(cell(&step.to)) {
            Some((key, to)) => {
                keys.entry(key).or_default().insert(to);
            }
            None => all.rejected += 1,
        }
    }
    keys
}

/// Whose row it is.
fn person(
    of_column: &impl Fn(&'static str) -> Option<String>,
    keys: &[BTreeMap<String, BTreeSet<String>>],
    several: &mut bool,
) -> Option<String> {
    let mut key = plain(&of_column("participant_id")?);
    for step in keys {
        let to = step.get(&key)?;
        if to.len() > 1 {
            *several = true;
            return None;
        }
        key = to.first()?.clone();
    }
    Some(key)
}

/// What the cell of a column says; `None` if the column cannot hold that.
fn cell(
    format: &Format,
    table: &TableFormat,
    column: &'static str,
    read: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let constant = table.constants.iter().find(|(name, _)| *name == column);
    let standard = constant.is_some();
    let cell = if let Some((_, constant)) = constant {
        constant.clone()
    } else {
        let header = table.headers.iter().find(|(name, _)| *name == column).expect("a header");
        read(&header.1)?
    };
    let (cell, word) = (cell.trim(), plain(&cell));
    let is = |words: &[String]| !standard && words.iter().any(|one| plain(one) == word);
    let own = table.codes.get(column).filter(|_| !standard);
    let ours = codes(column);
    let code = match (own, ours) {
        (Some(own), _) => own.iter().find(|(text, _)| plain(text) == word).map(|(_, code)| *code),
        (None, Some(ours)) => ours.iter().find(|code| **code == word).copied(),
        (None, None) => None,
    };
    let optional = ["exit_reason", "exit_date", "valid_until", "withdrawn_on"].contains(&column);
    let dated = ["intake_date", "exit_date", "date", "valid_until", "withdrawn_on", "month"]
        .contains(&column);
    let not_known = if dated { "?" } else { "unknown" };
    if let Some(code) = code {
        return Some(code.to_owned());
    }
    let empty = cell.is_empty() || is(&format.empty);
    let unknown = word == "unknown" || is(&format.unknown);
    match column {
        "participant_id" | "purpose" if empty || unknown => None,
        "birth_year" | "count" | "form_version" if empty || unknown => Some(String::new()),
        _ if empty => Some(if optional { "" } else { not_known }.to_owned()),
        _ if unknown => Some(not_known.to_owned()),
        _ if ours.is_some() => None,
        "month" => month(cell, format.norwegian && !standard),
        _ if dated => day(cell, format.norwegian && !standard),
        "birth_year" => {
            whole(cell).filter(|year| (1900..=2100).contains(year)).map(|y| y.to_string())
        }
        "count" => whole(cell).filter(|n| *n <= 4_294_967_295).map(|n| n.to_string()),
        "purpose" => Some(word),
        _ => Some(cell.to_owned()),
    }
}

/// What a table asks of a row beyond its cells.
fn sound(table: &str, events: bool, mut row: Row) -> Option<Row> {
    if table == "contact" && events {
        let month = row["date"].get(..7).unwrap_or("?").to_owned();
        row.extend([("month", month), ("count", "1".to_owned()), ("recorded", "yes".to_owned())]);
    } else if table == "contact" && row["count"].is_empty() {
        // Without a count a form must not say that it is there; then it is missing, and not a zero.
        if row["recorded"] == "yes" {
            return None;
        }
        row.extend([("count", "0".to_owned()), ("recorded", "no".to_owned())]);
    }
    Some(row)
}

fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.chars().all(|one| one.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Exactly so many digits.
fn digits(text: &str, many: usize) -> Option<u64> {
    if text.chars().count() == many { whole(text) } else { None }
}

/// Four digits; a plus sign before them is allowed.
fn of_year(text: &str) -> Option<u64> {
    digits(text.strip_prefix('+').unwrap_or(text), 4)
}

fn month(text: &str, norwegian: bool) -> Option<String> {
    let (year, month) = if norwegian {
        text.split_once('/').map(|(month, year)| (year, month))?
    } else {
        text.split_once('-')?
    };
    let (number, many) = (of_year(year)?, digits(month, 2)?);
    let good = (1900..=2100).contains(&number) && (1..=12).contains(&many);
    good.then(|| format!("{number}-{month}"))
}

fn day(text: &str, norwegian: bool) -> Option<String> {
    let parts: Vec<&str> = text.split(if norwegian { '.' } else { '-' }).collect();
    let [first, second, third] = parts[..] else { return None };
    let (year, month, day) =
        if norwegian { (third, second, first) } else { (first, second, third) };
    let (y, m, d) = (of_year(year)?, digits(month, 2)?, digits(day, 2)?);
    let leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let length = match m {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let good = (1900..=2100).contains(&y) && (1..=length).contains(&d);
    good.then(|| format!("{y}-{month}-{day}"))
}

/// Our codes of a column, `unknown` left out.
pub fn codes(column: &str) -> Option<&'static [&'static str]> {
    Some(match column {
        "gender" => &["woman", "man"],
        "housing_at_intake" => &[
            "temporary_or_hostel",
            "with_family",
            "with_friends",
            "prison",
            "treatment_institution",
            "outdoors",
            "shared_housing",
            "own_dwelling",
        ],
        "specialist_follow_up" => &["none", "psychiatric_centre", "fact_or_act"],
        "substitution_treatment" | "three_way_meeting" | "recorded" => &["yes", "no"],
        "exit_reason" => &[
            "own_dwelling_no_follow_up",
            "other_accommodation",
            "moved_municipality",
            "did_not_want",
            "died",
            "other",
        ],
        "status" => &["given", "refused", "withdrawn", "not_asked"],
        "mode" => &["written", "oral"],
        "source" => &["neighbour", "landlord", "housing_office", "police", "other"],
        "kind" => &super::KINDS[..6],
        "category" => &super::CATEGORIES[..17],
        _ => return None,
    })
}
