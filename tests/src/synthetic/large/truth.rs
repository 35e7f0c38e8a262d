//! What is true of a large export over the first half of 2026, by code that shares nothing with the node's.
//!
//! **Invariant:** only what does not depend on a node's secret key is here: which cells of a participant
//! count is the node's to choose, how many is not.

use super::{Large, people, with_contacts};

/// Exact counts of a large export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// S17: participants by home visits a month, in the order of the table's cells.
    pub home_visits: [i64; 6],
    /// S18 over all categories: contacts of any category count in six at the most for each participant.
    pub categories: i64,
}

/// What is known of one person.
#[derive(Clone, Copy, Default)]
struct Person {
    /// One bit for each of the six months with a form.
    months: u8,
    visits: u32,
    /// One bit for each category with a contact in the last quarter.
    categories: u32,
}

/// The place of home visits among the categories.
const HOME_VISIT: u64 = 1;

impl Large {
    /// What is true of it over 2026H1; reads every row once more, and keeps a few bytes a person.
    #[must_use]
    pub fn truth(&self) -> Truth {
        let people = usize::try_from(with_contacts(self.people)).unwrap_or(usize::MAX);
        let mut known = vec![Person::default(); people];
        for contact in (0..self.rows).map(|row| self.contact(row)) {
            let (count, (2026, month)) = (contact.count, contact.month) else { continue };
            let at = usize::try_from(contact.person).ok();
            let Some((person, count)) = at.and_then(|at| known.get_mut(at)).zip(count) else {
                continue;
            };
            person.months |= 1 << (month - 1);
            if contact.category == HOME_VISIT {
                person.visits += count;
            }
            if month >= 4 && count > 0 {
                person.categories |= 1 << contact.category;
            }
        }
        let mut truth = Truth { home_visits: [0; 6], categories: 0 };
        for (number, person) in (0..).zip(known) {
            if !people::is_counted(self, number) {
                continue;
            }
            let months = person.months.count_ones();
            let band = match person.visits {
                _ if months == 0 => 5,
                0 => 0,
                visits if visits < months => 1,
                visits if visits < 2 * months => 2,
                visits if visits < 4 * months => 3,
                _ => 4,
            };
            if let Some(cell) = truth.home_visits.get_mut(band) {
                *cell += 1;
            }
            truth.categories += i64::from(person.categories.count_ones().min(6));
        }
        truth
    }
}
