//! Rows of contacts, each text understood once.
//!
//! What a row says beyond whose it is and how many, its tail, is one of a few hundred texts. A tail that is
//! met for the first time goes the slow way, through mapping, codes and dates, and what comes out is kept
//! under its bytes. So the quick way can differ from the slow one in nothing but speed.
//!
//! **Invariant:** a row takes the quick way only if its participant is known by these very characters, its
//! tail was accepted before, and its number is in digits that have no other meaning; a row that is
//! rejected always takes the slow way.

use super::blocks::{Block, Line};
use super::byte_map::{ByteMap, Key, Slots, words};
use super::cells::{Number, first_cell, number, number_in};
use super::csv::{CsvError, CsvReader, Malformed, Record};
use super::join::Keys;
use super::layout::Layout;
use super::places::{PersonKey, Places};
use super::quality::Rule;
use super::row::{Bad, Row};
use crate::kernel::person::{Contact, PersonId};
use fellestall_shared::limits::REPORTED_ROWS;
use std::collections::BTreeSet;

/// Different tails that are kept in each way, at the most: a file with more has a column of free text.
const TAILS: usize = 50_000;

/// How the rows of a table are read: the same for every thread.
pub(super) struct Plan<'a> {
    pub(super) layout: &'a Layout,
    pub(super) keys: &'a [Keys],
    pub(super) places: &'a Places<'a>,
    pub(super) left_out: &'a BTreeSet<PersonId>,
    pub(super) parse: fn(&Row<'_>) -> Result<Contact, Bad>,
    pub(super) delimiter: u8,
}

/// Who is told of each accepted row.
pub(super) trait Visit {
    /// What is kept of a tail.
    type Kept: Copy;

    /// What is to be kept of a tail that says this.
    fn keep(&self, contact: &Contact) -> Self::Kept;

    /// A row of the participant at this place, on this line, with this tail and so many contacts.
    fn row(&mut self, place: u32, line: u64, tail: Self::Kept, count: u32);
}

impl<V: Visit> Visit for &mut V {
    type Kept = V::Kept;

    fn keep(&self, contact: &Contact) -> Self::Kept {
        (**self).keep(contact)
    }

    fn row(&mut self, place: u32, line: u64, tail: Self::Kept, count: u32) {
        (**self).row(place, line, tail, count);
    }
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

/// Reads rows, either block by block or record by record.
pub(super) struct Reader<'a, V: Visit> {
    plan: &'a Plan<'a>,
    pub(super) visit: V,
    tails: Tails<V::Kept>,
    /// Where the participant's cell is.
    person: usize,
    /// The cells that a tail is made of.
    needed: Vec<usize>,
    /// Which of them holds a number, if its digits have no other meaning.
    number: Option<usize>,
    /// How many cells come behind it.
    behind: Option<usize>,
    key: Vec<u8>,
    record: Record,
    pub(super) tally: Tally,
}

/// Lines that are looked up at once: the processor waits for several places of memory at a time then.
const AT_ONCE: usize = 32;

/// A line that is looked up.
#[derive(Clone, Copy)]
struct Look<'b> {
    line: Line<'b>,
    person: Option<PersonKey>,
    /// Where the tail starts.
    tail: usize,
}

impl<'a, V: Visit> Reader<'a, V> {
    pub(super) fn new(plan: &'a Plan<'a>, visit: V) -> Self {
        let (person, needed) = plan.layout.person_and_others();
        let number = plan.layout.number("count");
        let width = plan.layout.width();
        Self {
            plan,
            visit,
            tails: Tails::new(),
            person,
            needed,
            number,
            behind: number.and_then(|place| width.checked_sub(place)?.checked_sub(1)),
            key: Vec::new(),
            record: Record::default(),
            tally: Tally::default(),
        }
    }

    /// Takes a block, of which the first line is `line`; the number of the line after its last.
    pub(super) fn block(&mut self, block: &Block, mut line: u64) -> Result<u64, Malformed> {
        let mut lines = block.lines();
        let nothing = Line { from: &[], text: &[] };
        let mut looks = [Look { line: nothing, person: None, tail: 0 }; AT_ONCE];
        loop {
            let mut number = 0_usize;
            for (look, line) in looks.iter_mut().zip(&mut lines) {
                *look = self.look(line);
                number = number.saturating_add(1);
            }
            for key in looks.iter().take(number).filter_map(|look| look.person.as_ref()) {
                self.plan.places.touch(key);
            }
            for look in looks.iter().take(number) {
                self.line(look, line)?;
                line = line.saturating_add(1);
            }
            if number < AT_ONCE {
                return Ok(line);
            }
        }
    }

    /// What is looked up for a line that starts with the participant's cell: the tail is all that comes
    /// behind it.
    fn look<'b>(&self, line: Line<'b>) -> Look<'b> {
        let first = first_cell(line.from, self.plan.delimiter).filter(|_| self.person == 0);
        // The first delimiter that was found may be that of a later line.
        let person = first
            .filter(|length| *length < line.text.len())
            .and_then(|length| self.plan.places.key(line.from, length));
        Look { line, person, tail: first.map_or(0, |length| length.saturating_add(1)) }
    }

    /// Takes a line.
    fn line(&mut self, look: &Look<'_>, line: u64) -> Result<(), Malformed> {
        let Some(person) = look.person else { return self.cells(look.line.text, line).map(drop) };
        let tail = self.tail_of(look);
        let place = self.plan.places.of_key(&person);
        let known = tail.and_then(|(key, count)| Some((self.tails.quick(&key)?, count)));
        if let Some((place, (known, count))) = place.zip(known) {
            self.accept(place, line, known, count);
            return Ok(());
        }
        let found = self.cells(look.line.text, line)?;
        if let Some(((key, count), found)) = tail.zip(found) {
            self.tails.keep_quick(&key, count, found);
        }
        Ok(())
    }

    fn accept(&mut self, place: u32, line: u64, known: Known<V::Kept>, count: Option<u32>) {
        self.tally.accept();
        self.visit.row(place, line, known.tail, count.unwrap_or(known.count));
    }

    /// The tail of a line without its number, and that number, where it has one.
    fn tail_of(&self, look: &Look<'_>) -> Option<(Key<TAIL>, Option<u32>)> {
        let Line { from, text } = look.line;
        let tail = from.get(look.tail..)?;
        let number = self.behind.and_then(|behind| number_in(text, self.plan.delimiter, behind));
        let (length, rest, count) = match number.filter(|number| number.start >= look.tail) {
            Some(Number { start, end, value }) => {
                let behind = words::<REST>(from.get(end..)?, text.len().checked_sub(end)?)?;
                (start.checked_sub(look.tail)?, behind, Some(value))
            }
            // No text ends with such bytes: none is so long.
            None => (text.len().checked_sub(look.tail)?, [u32::MAX; REST], None),
        };
        let before = words::<{ TAIL - REST }>(tail, length)?;
        let mut key = [0; TAIL];
        *key.first_chunk_mut()? = before;
        *key.last_chunk_mut()? = rest;
        Some((self.tails.quick.key(key), count))
    }

    /// Takes a line cell by cell; what its tail says, if it can be used.
    fn cells(&mut self, text: &[u8], line: u64) -> Result<Option<Known<V::Kept>>, Malformed> {
        if text.is_empty() {
            return Ok(None);
        }
        let mut reader = CsvReader::new(text, self.plan.delimiter);
        match reader.read(&mut self.record) {
            Ok(true) => Ok(self.row(line)),
            Err(CsvError::Malformed(wrong)) => Err(Malformed { line, ..wrong }),
            // There is no system between us and these bytes that could fail.
            Ok(false) | Err(CsvError::Io(_)) => Ok(None),
        }
    }

    /// Takes a record.
    pub(super) fn record(&mut self, record: &mut Record, line: u64) {
        std::mem::swap(&mut self.record, record);
        self.row(line);
    }

    /// Takes the record that was read; what its tail says, if it can be used.
    fn row(&mut self, line: u64) -> Option<Known<V::Kept>> {
        let count = self.join();
        let person = self.record.field(self.person);
        let person = person.filter(|_| self.record.len() == self.plan.layout.width());
        let place = person.and_then(|person| self.plan.places.of_cell(person));
        if let Some((place, known)) = place.zip(self.tails.get(&self.key)) {
            self.accept(place, line, known, count);
            return Some(Known { count: count.unwrap_or(known.count), ..known });
        }
        let found = self.slowly(line)?;
        self.tails.keep(&self.key, count, found);
        Some(found)
    }

    /// Puts the cells of a tail into `key` behind each other, each after its length, so that no two tails
    /// look the same; in the place of a number only that it is there. That number, if there is one.
    fn join(&mut self) -> Option<u32> {
        let mut count = None;
        self.key.clear();
        for at in &self.needed {
            let field = self.record.field(*at).unwrap_or_default();
            let number = self.number.filter(|place| place == at).and_then(|_| number(field));
            let (length, field) = match number {
                Some(_) => (u32::MAX, &[][..]),
                None => (u32::try_from(field.len()).unwrap_or(u32::MAX), field),
            };
            count = count.or(number);
            self.key.extend_from_slice(&length.to_le_bytes());
            self.key.extend_from_slice(field);
        }
        count
    }

    /// Takes the record that was read, in every detail; what its tail says, if it can be used.
    fn slowly(&mut self, line: u64) -> Option<Known<V::Kept>> {
        let Self { plan, visit, record, tally, .. } = self;
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
        // A row of a file has never more than 32 bits.
        let count = u32::try_from(contact.count).unwrap_or(u32::MAX);
        let tail = visit.keep(&contact);
        if let Some(place) = plan.places.of(&person) {
            tally.accepted = tally.accepted.saturating_add(1);
            visit.row(place, line, tail, count);
        } else if plan.left_out.contains(&person) {
            tally.left_out = tally.left_out.saturating_add(1);
        } else {
            let (column, rule) = (Some("participant_id"), Rule::ParticipantMissing);
            tally.reject(line, Bad { column, rule });
        }
        Some(Known { tail, count })
    }
}

/// Words of a tail that is looked up at once, with what comes behind its number.
const TAIL: usize = 12;
/// Words of what comes behind its number.
const REST: usize = 2;

/// What the known tails say.
struct Tails<K> {
    /// By the bytes of a line.
    quick: Slots<TAIL>,
    /// By cells that were joined.
    slow: ByteMap,
    known: Vec<Known<K>>,
}

/// What a tail says, and the number of the row that it was met in first.
#[derive(Clone, Copy)]
struct Known<K> {
    tail: K,
    count: u32,
}

impl<K: Copy> Tails<K> {
    fn new() -> Self {
        Self { quick: Slots::with_room(0), slow: ByteMap::new(), known: Vec::new() }
    }

    fn quick(&self, tail: &Key<TAIL>) -> Option<Known<K>> {
        self.at(self.quick.get(tail)?)
    }

    fn get(&self, tail: &[u8]) -> Option<Known<K>> {
        self.at(self.slow.get(tail)?)
    }

    fn at(&self, place: u32) -> Option<Known<K>> {
        self.known.get(usize::try_from(place).ok()?).copied()
    }

    /// Keeps what a tail says, if there is room and the number was understood.
    fn keep(&mut self, tail: &[u8], count: Option<u32>, says: Known<K>) {
        let is_new = self.slow.len() < TAILS && self.slow.get(tail).is_none();
        if let Some(place) = self.next(count, says).filter(|_| is_new) {
            self.slow.insert(tail, place);
            self.known.push(says);
        }
    }

    /// As [`Self::keep`].
    fn keep_quick(&mut self, tail: &Key<TAIL>, count: Option<u32>, says: Known<K>) {
        let is_new = self.quick.len() < TAILS && self.quick.get(tail).is_none();
        if let Some(place) = self.next(count, says).filter(|_| is_new) {
            self.quick.insert(tail.words(), place);
            self.known.push(says);
        }
    }

    fn next(&self, count: Option<u32>, says: Known<K>) -> Option<u32> {
        let is_understood = count.is_none_or(|count| count == says.count);
        u32::try_from(self.known.len()).ok().filter(|_| is_understood)
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

#[cfg(test)]
mod tests {
    use super::{Known, TAILS, Tails};

    #[test]
    fn a_tail_is_kept_once_and_free_text_does_not_grow_for_ever() {
        let mut tails = Tails::new();
        let says = Known { tail: 'x', count: 3 };
        for _ in 0..10 {
            tails.keep(b"tail", None, says);
            tails.keep(b"number", Some(3), says);
            tails.keep(b"other number", Some(4), says);
        }
        assert_eq!((tails.slow.len(), tails.known.len()), (2, 2));
        assert!(tails.get(b"other number").is_none());
        for number in 0..u32::try_from(TAILS).expect("a number") + 10 {
            tails.keep(number.to_string().as_bytes(), None, says);
            let key = tails.quick.key([number; 12]);
            tails.keep_quick(&key, None, says);
            tails.keep_quick(&key, None, says);
        }
        assert_eq!((tails.slow.len(), tails.quick.len()), (TAILS, TAILS));
        assert_eq!(tails.known.len(), 2 * TAILS);
    }
}
