//! Small exports out of a seed: people, what is recorded about them, how it is written, what is asked.
//!
//! **Invariant:** the same seed and wish always give the same bytes.

use self::chance::Chance;
use self::rows::{Heap, rows};
use super::format::{Format, Step, TABLES, TableFormat, columns};
use super::reference::Question;
use std::collections::BTreeMap;

mod chance;
mod defects;
mod rows;
mod text;

/// What kind of export is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Nothing is wrong.
    Sound,
    /// Something is wrong, in a few places.
    Broken,
    /// A few people with very many contacts.
    Heavy,
    /// As sound, with files of a megabyte or more, so that they are read in several chunks.
    Long,
}

/// An export, how it is written, and what is asked.
#[derive(Clone)]
pub struct Drawn {
    pub files: BTreeMap<String, Vec<u8>>,
    pub format: Format,
    /// Whether rows that cannot be used are skipped.
    pub skip: bool,
    pub question: Question,
}

/// The purpose that most consents are for.
const PURPOSE: &str = "housing-first-statistics";

/// The records of one file: texts in the words of the export, the header first.
pub(super) type Records = Vec<Vec<Vec<u8>>>;

/// An export from a seed.
pub fn draw(seed: u64, wish: Wish) -> Drawn {
    let mut chance = Chance::new(seed);
    let format = format(&mut chance);
    let question = question(&mut chance);
    let heap = rows(&mut chance, &format, wish);
    let mut records = written(&mut chance, &format, heap);
    let skip = wish == Wish::Broken && chance.percent(75);
    if wish == Wish::Broken {
        defects::add(&mut chance, &mut records);
    }
    let files = records
        .into_iter()
        .map(|(name, records)| (name, text::text(&mut chance, &format, &records)));
    Drawn { files: files.collect(), format, skip, question }
}

/// The same rows of each file in another order.
pub fn shuffled(drawn: &Drawn, seed: u64) -> Drawn {
    let mut chance = Chance::new(seed);
    let mut other = drawn.clone();
    for bytes in other.files.values_mut() {
        *bytes = text::shuffled(&mut chance, &drawn.format, bytes);
    }
    other
}

fn question(chance: &mut Chance) -> Question {
    let (period, first, quarter, last) = *chance.one_of(&[
        ("2016H2", "2016-07-01", "2016-10-01", "2016-12-31"),
        ("2016H1", "2016-01-01", "2016-04-01", "2016-06-30"),
        ("2016", "2016-01-01", "2016-10-01", "2016-12-31"),
        ("2016K4", "2016-10-01", "2016-10-01", "2016-12-31"),
        ("2015H2", "2015-07-01", "2015-10-01", "2015-12-31"),
    ]);
    Question {
        period,
        first,
        quarter,
        last,
        purpose: PURPOSE,
        by_consent: chance.percent(70),
        forms: ["v1", "2014-1", "\"v2\""].map(str::to_owned).to_vec(),
        at_once: chance.percent(30),
        where_they_live: chance.percent(50),
    }
}

fn format(chance: &mut Chance) -> Format {
    let events = chance.percent(30);
    let words = |chance: &mut Chance, words: &[&str]| -> Vec<String> {
        if chance.percent(50) {
            words.iter().map(|word| (*word).to_owned()).collect()
        } else {
            vec![]
        }
    };
    let mut format = Format {
        delimiter: *chance.one_of(&[',', ';', '\t', '|']),
        latin1: chance.percent(30),
        norwegian: chance.percent(40),
        events,
        unknown: words(chance, &["Ukjent", "?", "ikke spurt"]),
        empty: words(chance, &["NULL", "ingenting"]),
        tables: BTreeMap::new(),
    };
    for table in TABLES {
        let mut of_table = TableFormat {
            file: if chance.percent(50) {
                format!("{table}.csv")
            } else {
                format!("{table}_år.txt")
            },
            ..TableFormat::default()
        };
        let own = chance.percent(50);
        for (at, column) in columns(table, events).iter().enumerate() {
            let header = if own { format!("Kol {at} ÆØ") } else { (*column).to_owned() };
            match lacking(column) {
                Some(constants) if chance.percent(8) => {
                    of_table.constants.push((column, (*chance.one_of(constants)).to_owned()));
                }
                _ => of_table.headers.push((column, header)),
            }
            if let Some(codes) = own_codes(column).filter(|_| chance.percent(40)) {
                let has_it = of_table.headers.iter().any(|(name, _)| name == column);
                if has_it {
                    of_table.codes.insert(column, codes);
                }
            }
        }
        let steps = match table {
            "contact" => *chance.one_of(&[0, 0, 0, 1, 2]),
            "complaint" => *chance.one_of(&[0, 0, 1]),
            "consent" => u32::from(chance.percent(10)),
            _ => 0,
        };
        of_table.joins = (0..steps)
            .map(|step| Step {
                file: format!("{table}-key-{step}.csv"),
                key: format!("nr{step}"),
                to: format!("nr{}", step + 1),
            })
            .collect();
        if let Some((_, header)) = of_table.headers.first_mut().filter(|_| steps > 0) {
            "nr0".clone_into(header);
        }
        format.tables.insert(table, of_table);
    }
    format
}

/// What a column may be in every row of an export that lacks it.
fn lacking(column: &str) -> Option<&'static [&'static str]> {
    Some(match column {
        "recorded" => &["yes", "YES", "unknown"],
        "mode" => &["written", "oral"],
        "substitution_treatment" | "three_way_meeting" => &["unknown", "no", ""],
        "valid_until" => &["", "2030-01-31", "unknown"],
        "form_version" => &["v1"],
        "birth_year" => &["", "1980"],
        _ => return None,
    })
}

/// A municipality's own codes; some codes of ours have none, and some have two.
fn own_codes(column: &str) -> Option<Vec<(String, &'static str)>> {
    let codes: &[(&str, &'static str)] = match column {
        "gender" => &[("K", "woman"), ("M", "man"), ("mann", "man"), ("U", "unknown")],
        "recorded" | "three_way_meeting" => &[("Ja", "yes"), ("J", "yes"), ("NEI", "no")],
        "category" => &[
            ("HB", "home_visit"),
            ("Hjemmebesøk", "home_visit"),
            ("NAV", "nav"),
            ("lege", "general_practitioner"),
            ("pårørende", "next_of_kin"),
            ("team", "team_in_person"),
            ("annet", "other"),
            ("vet ikke", "unknown"),
        ],
        _ => return None,
    };
    Some(codes.iter().map(|(own, code)| ((*own).to_owned(), *code)).collect())
}

/// Rows in the words and columns of the export, and the key files.
fn written(chance: &mut Chance, format: &Format, heap: Heap) -> BTreeMap<String, Records> {
    let mut files = BTreeMap::new();
    for (table, mut rows) in heap {
        let of_table = &format.tables[table];
        chance.shuffle(&mut rows);
        if !of_table.joins.is_empty() {
            key_files(chance, format, of_table, &mut rows, &mut files);
        }
        let mut order: Vec<usize> = (0..of_table.headers.len()).collect();
        chance.shuffle(&mut order);
        let mut records: Records = Vec::new();
        let mut header: Vec<String> =
            order.iter().map(|at| chance.dirtied(&of_table.headers[*at].1)).collect();
        // Columns that are nobody's business, and the nameless one of a delimiter at the end.
        let (note, nameless) = (chance.percent(40), chance.percent(15));
        header.extend(note.then(|| "merknad".to_owned()));
        header.extend(nameless.then(String::new));
        records.push(header.iter().map(|text| format.bytes(text)).collect());
        for row in rows {
            let mut cells: Vec<String> =
                order.iter().map(|at| row[of_table.headers[*at].0].clone()).collect();
            cells.extend(note.then(|| chance.note()));
            cells.extend(nameless.then(String::new));
            records.push(cells.iter().map(|text| format.bytes(text)).collect());
        }
        files.insert(of_table.file.clone(), records);
    }
    files
}

/// Replaces participants by keys, and writes the files that lead back to them.
fn key_files(
    chance: &mut Chance,
    format: &Format,
    table: &TableFormat,
    rows: &mut [BTreeMap<&'static str, String>],
    files: &mut BTreeMap<String, Records>,
) {
    let mut targets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for step in table.joins.iter().rev() {
        let mut records: Records = vec![vec![format.bytes(&step.key), format.bytes(&step.to)]];
        let mut next: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let is_last = table.joins.last().is_some_and(|last| last.file == step.file);
        let ends: Vec<String> = if is_last {
            let people = rows.iter().map(|row| row["participant_id"].trim().to_lowercase());
            people.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
        } else {
            targets.values().flatten().cloned().collect()
        };
        for (at, end) in ends.iter().enumerate() {
            // One or two keys for each, written in one way or another.
            for nth in 0..=u64::from(chance.percent(30)) {
                let key = format!("{}{at}-{nth}", if is_last { "Sak" } else { "æ" });
                let (dirty, to) = (chance.dirtied(&key), chance.dirtied(end));
                records.push(vec![format.bytes(&dirty), format.bytes(&to)]);
                next.entry(end.clone()).or_default().push(key);
            }
        }
        if is_last {
            targets = next;
        } else {
            for keys in targets.values_mut() {
                *keys = keys.iter().flat_map(|key| next[key].clone()).collect();
            }
        }
        chance.shuffle(&mut records[1..]);
        files.insert(step.file.clone(), records);
    }
    for row in rows {
        let person = row["participant_id"].trim().to_lowercase();
        let key = chance.one_of(&targets[&person]).clone();
        row.insert("participant_id", chance.dirtied(&key));
    }
}

impl Format {
    /// A text as the bytes of this export's encoding.
    fn bytes(&self, text: &str) -> Vec<u8> {
        if self.latin1 {
            text.chars().map(|one| u8::try_from(u32::from(one)).unwrap_or(b'?')).collect()
        } else {
            text.as_bytes().to_vec()
        }
    }
}
