//! All participants of a municipality, in memory for one release.
//!
//! **Invariant:** outside the kernel there is no way to count, list or look into them; people are in the
//! order of their identifiers, and nobody is there twice.

use super::contacts::ContactTable;
use super::person::{Contact, Person, PersonId};
use std::num::NonZeroUsize;

/// The records of one municipality. No public length, no iteration, no debug form.
pub struct Records {
    people: Vec<(PersonId, Person)>,
    contacts: Option<ContactTable>,
    threads: NonZeroUsize,
}

/// One participant of the records.
#[derive(Clone, Copy)]
pub(super) struct Member<'r> {
    pub(super) id: &'r PersonId,
    pub(super) person: &'r Person,
    /// The place among all participants, from 0.
    place: usize,
}

impl Records {
    /// Records of these people, who are in the order of their identifiers.
    pub(super) fn new(people: Vec<(PersonId, Person)>) -> Self {
        Self { people, contacts: None, threads: NonZeroUsize::MIN }
    }

    /// The same records with the contacts summed, each person's at the place in the order of identifiers.
    pub(super) fn with_contacts(self, contacts: Option<ContactTable>) -> Self {
        Self { contacts, ..self }
    }

    /// The same records, counted by so many threads.
    pub(super) fn counted_by(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// By how many threads they are counted.
    pub(super) fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Each person, in the order of their identifiers.
    pub(super) fn people(&self) -> impl Iterator<Item = Member<'_>> {
        let people = self.people.iter().enumerate();
        people.map(|(place, (id, person))| Member { id, person, place })
    }

    /// One person, for that person's own report.
    pub(super) fn person(&self, id: &PersonId) -> Option<Member<'_>> {
        let place = self.people.binary_search_by(|(known, _)| known.cmp(id)).ok()?;
        self.people.get(place).map(|(id, person)| Member { id, person, place })
    }

    /// The contacts of a participant; `rows` is where they are put together, if they have to be.
    pub(super) fn contacts<'a>(
        &'a self,
        member: &Member<'a>,
        rows: &'a mut Vec<Contact>,
    ) -> &'a [Contact] {
        match &self.contacts {
            None => &member.person.contacts,
            Some(table) => {
                table.of(member.place, rows);
                rows
            }
        }
    }
}
