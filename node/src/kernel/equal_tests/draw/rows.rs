//! What is recorded about invented people, in our columns and in the words of the export.
//!
//! **Invariant:** for tests alone; nobody here exists.

use super::chance::Chance;
use super::{Format, PURPOSE, Wish};
use crate::kernel::equal_tests::format::columns;
use crate::kernel::equal_tests::reference::codes;
use std::collections::BTreeMap;

/// Rows of each table, by our columns.
pub type Heap = BTreeMap<&'static str, Vec<BTreeMap<&'static str, String>>>;

type Row = BTreeMap<&'static str, String>;

/// Identifiers that are different people.
const IDS: [&str; 12] =
    ["p1", "p2", "a-7", "0012", "12", "å3", "x y", "ÆØ", "q\"q", "r,s;t", "s.s", "l\nm"];

/// Everybody's rows.
pub fn rows(chance: &mut Chance, format: &Format, wish: Wish) -> Heap {
    let mut heap = Heap::new();
    for table in crate::kernel::equal_tests::format::TABLES {
        heap.insert(table, Vec::new());
    }
    let many = match wish {
        Wish::Heavy => 2 + chance.below(3),
        Wish::Long => IDS.len(),
        Wish::Sound | Wish::Broken => chance.below(IDS.len() + 1),
    };
    let mut ids = IDS;
    chance.shuffle(&mut ids);
    for id in &ids[..many] {
        let counts = match wish {
            Wish::Heavy => (1, 20, 150),
            Wish::Long => (2, 300, 3_000),
            Wish::Sound | Wish::Broken => (2, 3, 12),
        };
        add(chance, format, &mut heap, "participant", id, 1);
        let consents = 1 + chance.below(counts.0);
        add(chance, format, &mut heap, "consent", id, consents);
        let complaints = if chance.percent(50) { chance.below(counts.1 * 4) } else { 0 };
        add(chance, format, &mut heap, "complaint", id, complaints);
        let contacts = if chance.percent(80) { chance.below(counts.2 * 3) } else { 0 };
        add(chance, format, &mut heap, "contact", id, contacts);
    }
    heap
}

fn add(
    chance: &mut Chance,
    format: &Format,
    heap: &mut Heap,
    table: &'static str,
    id: &str,
    many: usize,
) {
    for _ in 0..many {
        let mut row = Row::new();
        row.insert("participant_id", chance.dirtied(id));
        for column in &columns(table, format.events)[1..] {
            row.insert(column, String::new());
            let cell = cell(chance, table, column);
            row.insert(column, word(chance, format, table, column, cell));
        }
        if table == "contact" && !format.events {
            a_form(chance, format, &mut row);
        }
        heap.get_mut(table).expect("a table").push(row);
    }
}

/// A count on a form that is there, or nothing on one that is not.
fn a_form(chance: &mut Chance, format: &Format, row: &mut Row) {
    let recorded = format.tables["contact"].constants.iter().find(|(name, _)| *name == "recorded");
    let always = recorded.is_some_and(|(_, constant)| constant.eq_ignore_ascii_case("yes"));
    let (recorded, count) = match chance.below(20) {
        0 if !always => ("no", String::new()),
        1 if !always => ("unknown", String::new()),
        2 if !always => ("no", "3".to_owned()),
        3 => ("yes", u32::MAX.to_string()),
        4 => ("yes", format!("00{}", chance.below(20))),
        5..=8 => ("yes", "0".to_owned()),
        _ => ("yes", chance.below(16).to_string()),
    };
    row.insert("count", chance.dirtied(&count));
    row.insert("recorded", word(chance, format, "contact", "recorded", Some(recorded.to_owned())));
}

/// What stands in a cell, in our codes and as ISO dates; `None` for not known.
fn cell(chance: &mut Chance, table: &str, column: &str) -> Option<String> {
    let text = |text: &str| Some(text.to_owned());
    let modes = ["written", "oral", "written", "oral", "unknown"];
    let forms = ["v1", "2014-1", "\"v2\"", "v1", "V1", ""];
    match (table, column) {
        (_, "intake_date") => match chance.below(20) {
            0 => None,
            1..=3 => Some(chance.day(2016, 2017)),
            4 => Some(chance.day(2031, 2034)),
            _ => Some(chance.day(2010, 2016)),
        },
        (_, "birth_year") => Some((1950 + chance.below(70)).to_string()),
        (_, "exit_date") => match chance.below(10) {
            0..=6 => text(""),
            7 => None,
            _ => Some(chance.day(2015, 2017)),
        },
        (_, "exit_reason" | "valid_until") if chance.percent(60) => text(""),
        (_, "exit_reason") if chance.percent(40) => text("moved_municipality"),
        (_, "purpose") if chance.percent(85) => text(PURPOSE),
        (_, "purpose") => text("another-purpose"),
        (_, "status") if chance.percent(75) => text("given"),
        (_, "mode") => text(chance.one_of::<&str>(&modes)),
        (_, "form_version") => text(chance.one_of::<&str>(&forms)),
        (_, "valid_until") => Some(chance.day(2015, 2018)),
        (_, "withdrawn_on") if chance.percent(80) => text(""),
        (_, "withdrawn_on") => Some(chance.day(2014, 2018)),
        ("consent", "date") => Some(chance.day(2012, 2016)).filter(|_| !chance.percent(4)),
        ("complaint" | "contact", "date") => {
            Some(chance.day(2015, 2017)).filter(|_| !chance.percent(4))
        }
        (_, "month") => Some(chance.day(2015, 2017)[..7].to_owned()).filter(|_| !chance.percent(4)),
        (_, "category") if chance.percent(35) => text("home_visit"),
        // Both are made in `a_form`.
        (_, "count" | "recorded") => text("0"),
        _ => {
            let codes = codes(column).expect("a column of codes");
            (!chance.percent(6)).then(|| (*chance.one_of(codes)).to_owned())
        }
    }
}

/// A word of the export for it.
fn word(
    chance: &mut Chance,
    format: &Format,
    table: &str,
    column: &'static str,
    cell: Option<String>,
) -> String {
    let codes = format.tables[table].codes.get(column);
    let optional = ["exit_date", "exit_reason", "valid_until", "withdrawn_on"].contains(&column);
    let cell = cell.filter(|cell| cell != "unknown");
    let text = match cell {
        None => {
            let mut words: Vec<&str> = vec!["unknown"];
            words.extend(format.unknown.iter().map(String::as_str));
            if !optional {
                words.push("");
                words.extend(format.empty.iter().map(String::as_str));
            }
            (*chance.one_of(&words)).to_owned()
        }
        Some(cell) if cell.is_empty() && column != "form_version" => {
            let mut words = vec![""];
            words.extend(format.empty.iter().map(String::as_str));
            (*chance.one_of(&words)).to_owned()
        }
        Some(cell) => match codes {
            Some(codes) => {
                // A code of ours that the municipality has no code for is not written by it.
                let own: Vec<_> = codes.iter().filter(|(_, code)| *code == cell).collect();
                if own.is_empty() { codes[0].0.clone() } else { chance.one_of(&own).0.clone() }
            }
            None if column == "month" => format.month(&cell),
            None if column.ends_with("date")
                || ["valid_until", "withdrawn_on"].contains(&column) =>
            {
                format.day(&cell)
            }
            None => cell,
        },
    };
    // The version of a form is the one text in which case matters.
    if column == "form_version" { format!("{text} ") } else { chance.dirtied(&text) }
}
