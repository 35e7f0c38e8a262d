//! What can be wrong with the rows of an export.
//!
//! **Invariant:** the text stays delimited text; a file that is not is refused elsewhere.

use super::Records;
use super::chance::Chance;
use std::collections::BTreeMap;

/// Texts that some column cannot hold, or holds in another meaning.
const TEXTS: [&str; 46] = [
    "",
    " ",
    "\u{a0}",
    "x",
    "?",
    "NULL",
    "unknown",
    "UKJENT",
    "ja",
    "home visit",
    "home_visit\u{0}",
    "0",
    "-1",
    "+3",
    "1.0",
    "1e3",
    "4294967295",
    "4294967296",
    "99999999999999999999999999",
    "2016-02-30",
    "2016-02-29",
    "2015-02-29",
    "2016-1-1",
    "16-01-01",
    "2016-12-31 00:00",
    "31.12.16",
    "32.12.2016",
    "1899-12-31",
    "2101-01-01",
    "+2016-01-01",
    "-2016-01-01",
    "02016-01-01",
    "2016-01-1a",
    "2016- 1-01",
    "2016/01/01",
    "+2016-11",
    "11/+2016",
    "01.11.+2016",
    "2016-11-",
    "\u{662}016-11-01",
    "2016-11\u{a0}",
    "2016-13",
    "00/2016",
    "12/2016",
    "two\nlines",
    "another-purpose",
];

/// Breaks a few rows.
pub fn add(chance: &mut Chance, files: &mut BTreeMap<String, Records>) {
    let names: Vec<String> = files.keys().cloned().collect();
    for _ in 0..=chance.below(4) {
        // Contacts most of all: they are what is left of many rows.
        let contacts = names.iter().find(|name| name.starts_with("contact") && chance.percent(30));
        let name = contacts.unwrap_or_else(|| chance.one_of(&names)).clone();
        let records = files.get_mut(&name).expect("a file");
        if records.len() < 2 {
            continue;
        }
        let row = 1 + chance.below(records.len() - 1);
        let place = chance.below(records[row].len());
        match chance.below(12) {
            0 => {
                records[row].pop();
            }
            1 => records[row].push(b"x".to_vec()),
            2 => records[row][place] = vec![0xc3, 0x28],
            3 => {
                let again = records[row].clone();
                records.push(again);
            }
            4 => {
                // The same row of somebody else, or with another key.
                let other = chance.one_of(&records[1..])[place].clone();
                let mut again = records[row].clone();
                again[place] = other;
                records.push(again);
            }
            5 => {
                records.remove(row);
            }
            _ => chance.one_of(&TEXTS).as_bytes().clone_into(&mut records[row][place]),
        }
    }
}
