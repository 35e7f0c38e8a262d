//! All participants of a municipality, in memory for one release.
//!
//! **Invariant:** outside the kernel there is no way to count, list or look into them.

use super::person::{Person, PersonId};
use std::collections::BTreeMap;

/// The records of one municipality. No public length, no iteration, no debug form.
pub struct Records {
    people: BTreeMap<PersonId, Person>,
}

impl Records {
    /// Records of these people.
    pub(super) fn new(people: BTreeMap<PersonId, Person>) -> Self {
        Self { people }
    }

    /// Each person, in the order of their identifiers.
    pub(super) fn people(&self) -> impl Iterator<Item = (&PersonId, &Person)> {
        self.people.iter()
    }

    /// One person, for that person's own report.
    pub(super) fn person(&self, id: &PersonId) -> Option<&Person> {
        self.people.get(id)
    }
}
