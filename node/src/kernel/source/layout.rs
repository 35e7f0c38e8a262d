//! Where each of our columns stands in one file.
//!
//! **Invariant:** a layout exists only if every column of the mapping has exactly one place.

use super::csv::Record;
use super::error::FileProblem;
use super::mapping::{ColumnMapping, ColumnSource, Encoding};
use super::quality::Rule;
use super::schema::Kind;
use super::value::{Cell, PlainWords, Words, normalised, plain_text};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The header line of a file.
pub(super) struct Header {
    places: BTreeMap<String, usize>,
    width: usize,
}

impl Header {
    /// The headers of this first record; a header that is there twice is refused.
    pub(super) fn new(record: &Record, encoding: Encoding) -> Result<Self, FileProblem> {
        let mut places = BTreeMap::new();
        for (at, bytes) in record.fields().enumerate() {
            let text = decode(bytes, encoding).ok_or(FileProblem::HeaderNotUtf8)?;
            let name = normalised(&text).into_owned();
            // Exports often end each line with a delimiter: a header without a name is no column.
            if name.is_empty() {
                continue;
            }
            if let Some(before) = places.insert(name, at) {
                let [first, second] = [before, at].map(|at| at.saturating_add(1));
                return Err(FileProblem::HeaderTwice { first, second });
            }
        }
        Ok(Self { places, width: record.len() })
    }

    /// How many cells each row has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Where the column with this header stands.
    pub(super) fn place(&self, header: &str) -> Option<usize> {
        self.places.get(normalised(header).as_ref()).copied()
    }
}

/// Where each column of a table stands, and how to understand it.
pub(super) struct Layout {
    columns: Vec<Placed>,
    width: usize,
    encoding: Encoding,
}

/// A column of ours.
struct Placed {
    mapping: ColumnMapping,
    place: Option<usize>,
    plain: PlainWords,
}

impl Layout {
    /// The columns of a mapping in a file with these headers; the first that is missing otherwise.
    pub(super) fn new<'m>(
        columns: &'m [ColumnMapping],
        header: &Header,
        encoding: Encoding,
    ) -> Result<Self, (&'m ColumnMapping, &'m str)> {
        let mut placed = Vec::new();
        for column in columns {
            let place = match &column.source {
                ColumnSource::Constant(_) => None,
                ColumnSource::Header(name) => {
                    Some(header.place(name).ok_or((column, name.as_str()))?)
                }
            };
            let plain = PlainWords::of(&column.words);
            placed.push(Placed { mapping: column.clone(), place, plain });
        }
        Ok(Self { columns: placed, width: header.width(), encoding })
    }

    /// How many cells each row has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The header that the mapping names for our column.
    pub(super) fn header(&self, column: &str) -> Option<&str> {
        match &self.find(column)?.mapping.source {
            ColumnSource::Header(name) => Some(name),
            ColumnSource::Constant(_) => None,
        }
    }

    /// The header of the column at this place, if it is one of ours.
    pub(super) fn header_at(&self, place: usize) -> Option<&str> {
        let found = self.columns.iter().find(|column| column.place == Some(place));
        found.and_then(|column| self.header(column.mapping.column.name))
    }

    /// The place of the participant's cell, and those of all other cells of ours in their order. No
    /// place is that of a participant whose cell has another meaning too.
    pub(super) fn person_and_others(&self) -> (usize, Vec<usize>) {
        let is_person = |column: &&Placed| column.mapping.column.kind == Kind::Person;
        let (persons, others): (Vec<_>, Vec<_>) = self.columns.iter().partition(is_person);
        let others: BTreeSet<usize> = others.into_iter().filter_map(|other| other.place).collect();
        let person = persons.first().and_then(|person| person.place);
        let person = person.filter(|place| !others.contains(place)).unwrap_or(usize::MAX);
        (person, others.into_iter().collect())
    }

    /// The place of our column, if digits in its cells mean their number and nothing else can be meant.
    pub(super) fn number(&self, column: &str) -> Option<usize> {
        let Placed { mapping, place, .. } = self.find(column)?;
        let place = (*place).filter(|_| mapping.words.numbers_are_plain())?;
        let here = self.columns.iter().filter(|other| other.place == Some(place));
        (here.count() == 1).then_some(place)
    }

    /// How to understand our column.
    pub(super) fn words(&self, column: &str) -> Option<&Words> {
        self.find(column).map(|column| &column.mapping.words)
    }

    /// What the cell of our column says in this record.
    pub(super) fn cell<'r>(&'r self, record: &'r Record, column: &str) -> Result<Cell<'r>, Rule> {
        let Some(Placed { mapping, place, plain }) = self.find(column) else {
            return Ok(Cell::Empty);
        };
        let text = match (&mapping.source, place) {
            (ColumnSource::Constant(text), _) => Cow::Borrowed(text.as_str()),
            (ColumnSource::Header(_), Some(place)) => {
                let bytes = record.field(*place).ok_or(Rule::FieldCount)?;
                if let Some(text) = plain_text(bytes) {
                    return plain.read(text);
                }
                decode(bytes, self.encoding).ok_or(Rule::NotUtf8)?
            }
            (ColumnSource::Header(_), None) => return Err(Rule::FieldCount),
        };
        mapping.words.read(text)
    }

    fn find(&self, column: &str) -> Option<&Placed> {
        self.columns.iter().find(|placed| placed.mapping.column.name == column)
    }
}

/// The characters of these bytes; `None` if they are not in this encoding.
pub(super) fn decode(bytes: &[u8], encoding: Encoding) -> Option<Cow<'_, str>> {
    match std::str::from_utf8(bytes) {
        Ok(text) if encoding == Encoding::Utf8 || bytes.is_ascii() => Some(Cow::Borrowed(text)),
        _ if encoding == Encoding::Utf8 => None,
        // The first 256 characters of Unicode are those of ISO-8859-1, in its order.
        _ => Some(Cow::Owned(bytes.iter().copied().map(char::from).collect())),
    }
}
