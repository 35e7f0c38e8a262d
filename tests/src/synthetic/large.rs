//! Large synthetic exports: millions of contact rows, written as they are made.
//!
//! For benchmarks and for tests of limits. The same seed, size and form always give the same bytes.
//! Contact rows come in no order of people or months, so that no reader profits from their order,
//! and no two of them are about one person, month and category.
//!
//! **Invariant:** no record here is about a person, every written folder says so, and memory does not
//! grow with the number of rows.

use super::chance::Chance;
use super::person::{CATEGORIES, Code};
use super::{PURPOSE, README};
use shuffle::Shuffle;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;

mod people;
pub mod postgres;
mod shuffle;
#[cfg(test)]
mod tests;
mod truth;

pub use truth::Truth;

/// The version of the consent form that everybody here was asked on.
pub const FORM_VERSION: &str = "2014-1";

/// Rows that are made before they are written.
const CHUNK: u64 = 20_000;

/// The files of the standard export, by name, besides `contact.csv`.
const SMALL_FILES: [(&str, people::Writer); 4] = [
    ("participant.csv", people::participants),
    ("consent.csv", people::consents),
    ("tenancy.csv", people::tenancies),
    ("complaint.csv", people::complaints),
];

/// How contacts are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One row for each participant, month and category, with a count.
    Months,
    /// One row for each contact, with a date.
    Events,
}

/// How the month of a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `2026-03`: the standard export.
    Export,
    /// `2026-03-01`: a column of dates in a database.
    Database,
}

/// A large export that has not been written yet.
#[derive(Debug, Clone)]
pub struct Large {
    seed: u64,
    people: u64,
    rows: u64,
    form: Form,
    /// As `(2024, 7)`, in order.
    months: Vec<(i32, u8)>,
    shuffle: Shuffle,
}

impl Large {
    /// `rows` contact rows of `people` people over the `months` months that end with June 2026.
    ///
    /// # Errors
    /// If there are more rows than there are people, months and categories for.
    pub fn new(seed: u64, people: u64, rows: u64, months: u32, form: Form) -> io::Result<Self> {
        let months: Vec<_> = (0..months).rev().map(months_before_july_2026).collect();
        let categories = u64::try_from(CATEGORIES.len()).unwrap_or(u64::MAX) + 1;
        let cells = with_contacts(people)
            .checked_mul(u64::try_from(months.len()).unwrap_or(u64::MAX))
            .and_then(|cells| cells.checked_mul(categories))
            .filter(|cells| *cells >= rows.max(1));
        let cells = cells.ok_or_else(|| {
            io::Error::other("more rows than people, months and categories give; take more of them")
        })?;
        Ok(Self { seed, people, rows, form, months, shuffle: Shuffle::new(seed, cells) })
    }

    /// Writes participants, consents, dwellings, neighbour complaints and contacts into `folder`, which
    /// is made if need be, with a README.txt that says what they are, and a `mapping.toml` if contacts
    /// are events.
    ///
    /// # Errors
    /// What the file system answers.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("README.txt"), README)?;
        if self.form == Form::Events {
            fs::write(folder.join("mapping.toml"), "[tables.contact]\nform = \"events\"\n")?;
        }
        for (name, write) in SMALL_FILES {
            let mut file = BufWriter::new(File::create(folder.join(name))?);
            write(self, &mut file)?;
            file.flush()?;
        }
        let mut file = File::create(folder.join("contact.csv"))?;
        file.write_all(match self.form {
            Form::Months => b"participant_id,month,category,count,recorded\n",
            Form::Events => b"participant_id,date,category\n",
        })?;
        let mut chunk = Vec::new();
        for rows in self.chunks() {
            chunk.clear();
            self.contacts(rows, Style::Export, &mut chunk);
            file.write_all(&chunk)?;
        }
        Ok(())
    }

    /// The contact rows, in parts that fit into memory.
    fn chunks(&self) -> impl Iterator<Item = Range<u64>> + use<> {
        let rows = self.rows;
        let starts = (0..rows.div_ceil(CHUNK)).map(|part| part * CHUNK);
        starts.map(move |start| start..rows.min(start + CHUNK))
    }

    /// Writes some of the contact rows, without a header.
    fn contacts(&self, rows: Range<u64>, style: Style, out: &mut Vec<u8>) {
        for contact in rows.map(|row| self.contact(row)) {
            let (year, month) = contact.month;
            id(contact.person, out);
            out.push(b',');
            decimal(u64::try_from(year).unwrap_or(0), 4, out);
            out.push(b'-');
            decimal(month.into(), 2, out);
            match (self.form, style) {
                (Form::Events, _) => {
                    out.push(b'-');
                    decimal(contact.day.into(), 2, out);
                }
                (Form::Months, Style::Database) => out.extend_from_slice(b"-01"),
                (Form::Months, Style::Export) => {}
            }
            out.push(b',');
            out.extend_from_slice(category(contact.category).as_bytes());
            match (self.form, contact.count) {
                (Form::Events, _) => {}
                (Form::Months, None) => out.extend_from_slice(b",,no"),
                (Form::Months, Some(count)) => {
                    out.push(b',');
                    decimal(count.into(), 1, out);
                    out.extend_from_slice(b",yes");
                }
            }
            out.push(b'\n');
        }
    }

    /// One contact row.
    fn contact(&self, row: u64) -> Contact {
        let people = with_contacts(self.people);
        let cell = self.shuffle.place(row);
        let (cell, person) = (cell / people, cell % people);
        let months = u64::try_from(self.months.len()).unwrap_or(1).max(1);
        let (category, month) = (cell / months, cell % months);
        let month = usize::try_from(month).ok().and_then(|at| self.months.get(at));
        let month = month.copied().unwrap_or((2026, 6));
        let mut chance = Chance::new(self.seed ^ row, "contact");
        let (day, count) = match self.form {
            Form::Events => (chance.between(1, 28), Some(1)),
            Form::Months => (1, count(&mut chance)),
        };
        Contact { person, month, day, category, count }
    }
}

/// A contact row.
struct Contact {
    person: u64,
    month: (i32, u8),
    day: u32,
    category: u64,
    /// `None` where the form was not filled in.
    count: Option<u32>,
}

/// A count as a form has it: often none or a few, now and then many, and now and then no form.
fn count(chance: &mut Chance) -> Option<u32> {
    Some(match chance.below(20) {
        0 => return None,
        1..=4 => 0,
        5..=17 => chance.between(1, 5),
        18 => chance.between(6, 30),
        _ => chance.between(31, 400),
    })
}

/// The category at a place; `unknown` comes after the others.
fn category(at: u64) -> Code {
    let code = usize::try_from(at).ok().and_then(|at| CATEGORIES.get(at).copied());
    code.unwrap_or("unknown")
}

/// Of so many people, how many have contacts: who left before the first month has none.
fn with_contacts(people: u64) -> u64 {
    people - people / 50
}

/// The identifier of a person.
fn id(person: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"4601-");
    decimal(person, 7, out);
}

/// A number with at least `width` digits.
fn decimal(number: u64, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    let mut left = number;
    while left > 0 || out.len() - start < width {
        out.push(b'0' + u8::try_from(left % 10).unwrap_or(0));
        left /= 10;
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// June 2026 for 0, May for 1.
fn months_before_july_2026(back: u32) -> (i32, u8) {
    let months = 2026 * 12 + 5 - i32::try_from(back).unwrap_or(0);
    (months.div_euclid(12), u8::try_from(months.rem_euclid(12)).unwrap_or(0) + 1)
}
