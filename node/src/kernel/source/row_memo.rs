//! Rows of contacts, each text understood once.
//!
//! What a row says beyond whose it is, its tail, is one of a few thousand texts. A tail that is met for
//! the first time goes the slow way, through mapping, codes and dates, and what comes out is kept under
//! its bytes. So the quick way can differ from the slow one in nothing but speed.
//!
//! **Invariant:** a row takes the quick way only if its participant is known by these very characters and
//! its tail was accepted before; a row that is rejected always takes the slow way.

use super::byte_map::ByteMap;
use super::csv::{CsvError, CsvReader, Malformed, Record};
use super::join::Keys;
use super::layout::Layout;
use super::places::{AT_ONCE, Places};
use super::quality::Rule;
use super::row::{Bad, Row};
use crate::kernel::contacts::Months;
use crate::kernel::person::{Contact, PersonId};
use fellestall_shared::limits::REPORTED_ROWS;
use std::collections::BTreeSet;

/// Different tails that are kept, at the most: a file with more has a column of free text.
const TAILS: usize = 50_000;

/// How the rows of a table are read: the same for every thread.
pub(super) struct Plan<'a> {
    pub(super) layout: &'a Layout,
    pub(super) keys: &'a [Keys],
    pub(super) places: &'a Places<'a>,
    pub(super) left_out: &'a BTreeSet<PersonId>,
    pub(super) parse: fn(&Row<'_>) -> Result<Contact, Bad>,
    pub(super) months: Option<Months>,
    pub(super) delimiter: u8,
}

/// What a tail says.
#[derive(Clone, Copy)]
pub(super) struct Tail {
    pub(super) contact: Contact,
    /// Where it belongs, if it is asked about.
    pub(super) cell: Option<u32>,
}

/// Who is told of each accepted row.
pub(super) trait Visit {
    /// A row of the participant at this place, on this line.
    fn row(&mut self, place: u32, line: u64, tail: &Tail);
}

/// What became of rows.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) read: u64,
    pub(super) accepted: u64,
    pub(super) left_out: u64,
    pub(super) rejected: u64,
    /// The first of the rejected: on which line, and why.
    pub(super) shown: Vec<(u64, Bad)>,
    /// The first whose key leads to several participants.
    pub(super) of_several: Option<(u64, Bad)>,
}

/// Reads rows, either line by line or record by record.
pub(super) struct Reader<'a> {
    plan: &'a Plan<'a>,
    /// The place of each tail among the known.
    tails: ByteMap<u32>,
    known: Vec<Tail>,
    /// Where the participant's cell is.
    person: usize,
    /// The cells that a tail is made of.
    needed: Vec<usize>,
    /// Whether the tail is all that comes after the first cell.
    is_rest: bool,
    key: Vec<u8>,
    record: Record,
    pub(super) tally: Tally,
}

impl<'a> Reader<'a> {
    pub(super) fn new(plan: &'a Plan<'a>) -> Self {
        let (person, needed) = plan.layout.person_and_others();
        let is_rest = person == 0 && needed.len().saturating_add(1) == plan.layout.width();
        Self {
            plan,
            tails: ByteMap::new(),
            known: Vec::new(),
            person,
            needed,
            is_rest,
            key: Vec::new(),
            record: Record::default(),
            tally: Tally::default(),
        }
    }

    /// Takes lines of a text in which every line break ends a record, of which the first is `line`; the
    /// number of the line after the last.
    pub(super) fn lines<'t>(
        &mut self,
        mut texts: impl Iterator<Item = &'t [u8]>,
        mut line: u64,
        visit: &mut impl Visit,
    ) -> Result<u64, Malformed> {
        let (mut some, mut persons) = ([(&[][..], None); AT_ONCE], [&[][..]; AT_ONCE]);
        let mut places = [None; AT_ONCE];
        loop {
            let mut number = 0_usize;
            for ((one, person), text) in some.iter_mut().zip(&mut persons).zip(&mut texts) {
                let mut tail = None;
                *person = if self.is_rest {
                    first_and_rest(text, self.plan.delimiter).map(|(first, rest)| {
                        tail = Some(rest);
                        first
                    })
                } else {
                    cell_at(text, self.person, self.plan.delimiter)
                }
                .unwrap_or_default();
                *one = (text, tail);
                number = number.saturating_add(1);
            }
            let persons = persons.get(..number).unwrap_or_default();
            self.plan.places.of_cells(persons, &mut places);
            for ((text, tail), place) in some.iter().zip(places).take(number) {
                self.line(text, *tail, place, line, visit)?;
                line = line.saturating_add(1);
            }
            if number < AT_ONCE {
                return Ok(line);
            }
        }
    }

    /// Takes a line with this tail, if it is one piece, whose participant is at this place, if that is
    /// known already.
    fn line(
        &mut self,
        text: &[u8],
        tail: Option<&[u8]>,
        place: Option<u32>,
        line: u64,
        visit: &mut impl Visit,
    ) -> Result<(), Malformed> {
        if text.is_empty() {
            return Ok(());
        }
        let tail = match tail {
            Some(tail) => Some(Where::Line(tail)),
            None if self.is_rest => None,
            None => self.tail_of(text),
        };
        if let Some(tail) = tail {
            let known = self.tails.get(tail.bytes(&self.key)).and_then(|at| known(&self.known, at));
            if let Some((place, tail)) = place.zip(known) {
                self.tally.accept();
                visit.row(place, line, tail);
                return Ok(());
            }
        }
        let mut reader = CsvReader::new(text, self.plan.delimiter);
        match reader.read(&mut self.record) {
            Ok(true) => {}
            Err(CsvError::Malformed(wrong)) => return Err(Malformed { line, ..wrong }),
            // There is no system between us and these bytes that could fail.
            Ok(false) | Err(CsvError::Io(_)) => return Ok(()),
        }
        if let Some((tail, found)) = tail.zip(self.slowly(line, visit)) {
            keep((&mut self.tails, &mut self.known), tail.bytes(&self.key), found);
        }
        Ok(())
    }

    /// Takes a record.
    pub(super) fn record(&mut self, record: &mut Record, line: u64, visit: &mut impl Visit) {
        std::mem::swap(&mut self.record, record);
        let fields = self.needed.iter().map(|at| self.record.field(*at));
        if self.record.len() == self.plan.layout.width() && join(fields, &mut self.key) {
            let person = self.record.field(self.person);
            let place = person.and_then(|person| self.plan.places.of_cell(person));
            let known = self.tails.get(&self.key).and_then(|at| known(&self.known, at));
            if let Some((place, tail)) = place.zip(known) {
                self.tally.accept();
                visit.row(place, line, tail);
                return;
            }
        }
        if let Some(found) = self.slowly(line, visit) {
            keep((&mut self.tails, &mut self.known), &self.key, found);
        }
    }

    /// Puts the tail of a line into `key`; `None` if it has not as many cells as there are headers.
    fn tail_of<'t>(&mut self, text: &'t [u8]) -> Option<Where<'t>> {
        let mut width = 0_usize;
        let mut needed = self.needed.iter().peekable();
        self.key.clear();
        for field in (Fields { text: Some(text), delimiter: self.plan.delimiter }) {
            if needed.peek() == Some(&&width) {
                needed.next();
                push(field, &mut self.key)?;
            }
            width = width.saturating_add(1);
        }
        (width == self.plan.layout.width()).then_some(Where::Key)
    }

    /// Takes the record that was read, in every detail; what its tail says, if it can be used.
    fn slowly(&mut self, line: u64, visit: &mut impl Visit) -> Option<Tail> {
        let Self { plan, record, tally, .. } = self;
        tally.read = tally.read.saturating_add(1);
        let whose = Row::new(plan.layout, record)
            .and_then(|row| row.person(plan.keys).map(|person| (row, person)));
        let (person, contact) = match whose.and_then(|(row, id)| Ok((id, (plan.parse)(&row)?))) {
            Ok(known) => known,
            Err(bad) => {
                tally.reject(line, bad);
                return None;
            }
        };
        let tail = Tail { contact, cell: plan.months.and_then(|months| months.cell(&contact)) };
        if let Some(place) = plan.places.of(&person) {
            tally.accepted = tally.accepted.saturating_add(1);
            visit.row(place, line, &tail);
        } else if plan.left_out.contains(&person) {
            tally.left_out = tally.left_out.saturating_add(1);
        } else {
            let (column, rule) = (Some("participant_id"), Rule::ParticipantMissing);
            tally.reject(line, Bad { column, rule });
        }
        Some(tail)
    }
}

impl Tally {
    fn accept(&mut self) {
        self.read = self.read.saturating_add(1);
        self.accepted = self.accepted.saturating_add(1);
    }

    fn reject(&mut self, line: u64, bad: Bad) {
        self.rejected = self.rejected.saturating_add(1);
        if self.shown.len() < REPORTED_ROWS {
            self.shown.push((line, bad));
        }
        if bad.rule == Rule::KeyAmbiguous {
            self.of_several.get_or_insert((line, bad));
        }
    }
}

/// Where the tail of a row is.
#[derive(Clone, Copy)]
enum Where<'t> {
    /// In the line itself.
    Line(&'t [u8]),
    /// Put together in the reader's `key`.
    Key,
}

impl<'t> Where<'t> {
    fn bytes(self, key: &'t [u8]) -> &'t [u8] {
        match self {
            Self::Line(bytes) => bytes,
            Self::Key => key,
        }
    }
}

/// The first cell of a line, and all that comes after it.
fn first_and_rest(text: &[u8], delimiter: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == delimiter)?;
    Some((text.get(..at)?, text.get(at.saturating_add(1)..)?))
}

/// The cell of a line at this place.
fn cell_at(text: &[u8], place: usize, delimiter: u8) -> Option<&[u8]> {
    Fields { text: Some(text), delimiter }.nth(place)
}

/// The cells of a line.
struct Fields<'t> {
    text: Option<&'t [u8]>,
    delimiter: u8,
}

impl<'t> Iterator for Fields<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        let text = self.text?;
        let end = text.iter().position(|byte| *byte == self.delimiter);
        self.text = end.and_then(|end| text.get(end.saturating_add(1)..));
        text.get(..end.unwrap_or(text.len()))
    }
}

/// Puts cells behind each other, each after its length, so that no two tails look the same.
fn join<'f>(fields: impl Iterator<Item = Option<&'f [u8]>>, key: &mut Vec<u8>) -> bool {
    key.clear();
    for field in fields {
        if field.and_then(|field| push(field, key)).is_none() {
            return false;
        }
    }
    true
}

fn push(field: &[u8], key: &mut Vec<u8>) -> Option<()> {
    key.extend_from_slice(&u32::try_from(field.len()).ok()?.to_le_bytes());
    key.extend_from_slice(field);
    Some(())
}

fn known(known: &[Tail], at: u32) -> Option<&Tail> {
    known.get(usize::try_from(at).ok()?)
}

fn keep((tails, known): (&mut ByteMap<u32>, &mut Vec<Tail>), key: &[u8], tail: Tail) {
    let place = u32::try_from(known.len()).ok().filter(|_| known.len() < TAILS);
    if let Some(place) = place.filter(|_| tails.get(key).is_none())
        && tails.insert(key, place)
    {
        known.push(tail);
    }
}
