//! Rows gathered by person, with the lines that they came from.
//!
//! **Invariant:** nobody is there twice; once all participants are known, they stand in the order of
//! their identifiers, and keep their places.

use super::byte_map::ByteMap;
use crate::kernel::person::{
    Baseline, Complaint, Consent, Participant, Person, PersonId, Satisfaction, Stay, Tenancy,
};
use std::collections::BTreeSet;

/// A row and the line on which it starts.
pub(super) struct Located<T> {
    pub(super) line: u64,
    pub(super) row: T,
}

/// All rows of one person, contacts apart.
pub(super) struct Draft {
    pub(super) participant: Located<Participant>,
    pub(super) consents: Vec<Located<Consent>>,
    pub(super) tenancies: Vec<Located<Tenancy>>,
    pub(super) stays: Vec<Located<Stay>>,
    pub(super) complaints: Vec<Located<Complaint>>,
    pub(super) baselines: Vec<Located<Baseline>>,
    pub(super) satisfactions: Vec<Located<Satisfaction>>,
}

/// Everybody.
pub(super) struct Drafts {
    people: Vec<(PersonId, Draft)>,
    places: ByteMap,
    /// The place of whoever was asked for last: most tables are in the order of participants.
    last: usize,
}

/// People whose memory is given back at once.
const GIVEN_BACK: usize = 16_384;

impl Draft {
    fn new(participant: Located<Participant>) -> Self {
        Self {
            participant,
            consents: Vec::new(),
            tenancies: Vec::new(),
            stays: Vec::new(),
            complaints: Vec::new(),
            baselines: Vec::new(),
            satisfactions: Vec::new(),
        }
    }

    fn into_person(self) -> Person {
        fn rows<T>(located: Vec<Located<T>>) -> Box<[T]> {
            located.into_iter().map(|located| located.row).collect()
        }
        Person {
            participant: self.participant.row,
            consents: rows(self.consents),
            tenancies: rows(self.tenancies),
            stays: rows(self.stays),
            complaints: rows(self.complaints),
            contacts: Box::default(),
            baselines: rows(self.baselines),
            satisfactions: rows(self.satisfactions),
        }
    }
}

impl Drafts {
    pub(super) fn new() -> Self {
        Self { people: Vec::new(), places: ByteMap::new(), last: 0 }
    }

    /// Adds a participant; gives the identifier back if somebody has it already.
    pub(super) fn add(
        &mut self,
        id: PersonId,
        participant: Located<Participant>,
    ) -> Result<(), PersonId> {
        let place = u32::try_from(self.people.len());
        match place {
            Ok(place) if self.places.get(id.as_bytes()).is_none() => {
                self.places.insert(id.as_bytes(), place);
                self.people.push((id, Draft::new(participant)));
                Ok(())
            }
            _ => Err(id),
        }
    }

    /// Takes out who is left out, and gives everybody else the place in the order of identifiers; how
    /// many were taken out.
    pub(super) fn settle(&mut self, left_out: &BTreeSet<PersonId>) -> usize {
        let before = self.people.len();
        self.people.retain(|(id, _)| !left_out.contains(id));
        let taken_out = before.saturating_sub(self.people.len());
        if taken_out > 0 || !self.people.is_sorted_by(|(one, _), (other, _)| one <= other) {
            self.people.sort_by(|(one, _), (other, _)| one.cmp(other));
            self.places = ByteMap::with_room(self.people.len());
            for (place, (id, _)) in (0_u32..).zip(&self.people) {
                self.places.insert(id.as_bytes(), place);
            }
        }
        taken_out
    }

    /// The rows of a participant.
    pub(super) fn get_mut(&mut self, id: &PersonId) -> Option<&mut Draft> {
        let is_at = |place: &usize| self.people.get(*place).is_some_and(|(known, _)| known == id);
        let near = [self.last, self.last.saturating_add(1)].into_iter().find(is_at);
        let place = near.or_else(|| usize::try_from(self.places.get(id.as_bytes())?).ok())?;
        self.last = place;
        self.people.get_mut(place).map(|(_, draft)| draft)
    }

    /// Every identifier, in the order of places.
    pub(super) fn ids(&self) -> impl Iterator<Item = &PersonId> + Clone {
        self.people.iter().map(|(id, _)| id)
    }

    /// Everybody's rows, in the order of places.
    pub(super) fn all(&self) -> impl Iterator<Item = &Draft> {
        self.people.iter().map(|(_, draft)| draft)
    }

    /// The place of each identifier.
    pub(super) fn places(&self) -> &ByteMap {
        &self.places
    }

    /// The people, in the order of places, and the places.
    pub(super) fn into_people(self) -> (Vec<(PersonId, Person)>, ByteMap) {
        let Self { people: mut drafts, places, .. } = self;
        let mut people = Vec::with_capacity(drafts.len());
        while let Some((id, draft)) = drafts.pop() {
            people.push((id, draft.into_person()));
            // Memory is given back as it becomes free: everybody twice would be the most that is ever held.
            if drafts.len().is_multiple_of(GIVEN_BACK) {
                drafts.shrink_to_fit();
            }
        }
        people.reverse();
        (people, places)
    }
}

/// Puts a row behind the others. Most people have one row or two of a table: a list that grows by four
/// would be mostly empty.
pub(super) fn push<T>(rows: &mut Vec<T>, row: T) {
    if rows.len() == rows.capacity() {
        rows.reserve_exact(rows.len().checked_div(2).unwrap_or(0).max(1));
    }
    rows.push(row);
}
