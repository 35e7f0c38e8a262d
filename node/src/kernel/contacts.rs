//! How many contacts each participant had, by month and category: the one table of the records that can
//! be larger than memory, summed while it is read.
//!
//! **Invariant:** its size follows from the people, the months asked about and the categories, and
//! never from the number of rows; a sum is exact, and the same in whatever order rows came.

use super::person::{CalendarMonth, Contact, ContactCategory, YesNo};
use std::collections::BTreeMap;
use time::Date;

/// What stands in a cell of which nothing was recorded.
const NOTHING: u16 = u16::MAX;
/// What stands in a cell whose sum is among the large ones. A small one is less.
const LARGE: u16 = u16::MAX - 1;

/// Rows that are added at once.
const AT_ONCE: usize = 32;

/// A range of calendar months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Months {
    first: CalendarMonth,
    length: usize,
}

impl Months {
    /// The months from that of `first` to that of `last`, both included; `None` if there is none.
    pub(super) fn between(first: Date, last: Date) -> Option<Self> {
        let first = CalendarMonth::of(first);
        let months = CalendarMonth::of(last).since(first)?;
        Some(Self { first, length: months.saturating_add(1) })
    }

    /// The smallest range that holds both.
    pub(super) fn and(self, other: Self) -> Self {
        let first = self.first.min(other.first);
        let ends = [self, other]
            .map(|months| months.first.since(first).unwrap_or(0).saturating_add(months.length));
        Self { first, length: ends.into_iter().fold(0, usize::max) }
    }

    /// The place of a month, from 0.
    fn place(self, month: CalendarMonth) -> Option<usize> {
        month.since(self.first).filter(|place| *place < self.length)
    }

    /// The month at a place.
    fn month(self, place: usize) -> Option<CalendarMonth> {
        self.first.later(place)
    }

    /// Cells of one participant.
    fn width(self) -> usize {
        self.length.saturating_mul(ContactCategory::CODES.len())
    }

    /// Where a row belongs; `None` for a month outside, an unknown one, or one without a filled-in form:
    /// such a row changes no table.
    pub(super) fn cell(self, contact: &Contact) -> Option<u32> {
        if contact.recorded != YesNo::Yes {
            return None;
        }
        let month = self.place(contact.month?)?;
        let code = contact.category.code();
        let category = ContactCategory::CODES.iter().position(|known| *known == code)?;
        let cell = month.checked_mul(ContactCategory::CODES.len())?.checked_add(category)?;
        u32::try_from(cell).ok()
    }
}

/// The sums of every participant, by place.
pub(super) struct ContactTable {
    months: Months,
    /// The only place that is kept, if there is one.
    only: Option<u32>,
    /// A row of `months.width()` for each participant: the sum, [`NOTHING`] or [`LARGE`].
    cells: Vec<u16>,
    large: BTreeMap<usize, u64>,
}

impl ContactTable {
    /// An empty table of so many people, or of one of them alone.
    pub(super) fn new(months: Months, people: usize, only: Option<u32>) -> Self {
        let rows = if only.is_some() { 1 } else { people };
        let cells = vec![NOTHING; rows.saturating_mul(months.width())];
        Self { months, only, cells, large: BTreeMap::new() }
    }

    /// The months that are summed.
    pub(super) fn months(&self) -> Months {
        self.months
    }

    /// What a table of so many people takes, in bytes.
    pub(super) fn bytes(months: Months, people: usize) -> u64 {
        let cells = people.saturating_mul(months.width());
        u64::try_from(cells.saturating_mul(size_of::<u16>())).unwrap_or(u64::MAX)
    }

    /// Adds contacts to cells: place, cell and contacts of each. All are looked at before the first is
    /// changed, so that the processor waits for several places of memory at once.
    pub(super) fn add_all(&mut self, rows: &[(u32, u32, u32)]) {
        for some in rows.chunks(AT_ONCE) {
            for (place, cell, _) in some {
                std::hint::black_box(
                    self.at(*place, *cell).and_then(|at| self.cells.get(at)).copied(),
                );
            }
            for (place, cell, contacts) in some {
                self.add(*place, *cell, *contacts);
            }
        }
    }

    /// Adds contacts to a cell of the participant at this place. No contacts are added too: they say that
    /// the form was filled in.
    pub(super) fn add(&mut self, place: u32, cell: u32, contacts: u32) {
        let Some(at) = self.at(place, cell) else { return };
        let Some(held) = self.cells.get_mut(at) else { return };
        let contacts = u64::from(contacts);
        let sum = match *held {
            LARGE => {
                let sum = self.large.entry(at).or_insert(0);
                *sum = sum.saturating_add(contacts);
                return;
            }
            NOTHING => contacts,
            small => u64::from(small).saturating_add(contacts),
        };
        match u16::try_from(sum) {
            Ok(small) if small < LARGE => *held = small,
            _ => {
                *held = LARGE;
                self.large.insert(at, sum);
            }
        }
    }

    /// The participant's rows: one for each month and category of which anything was recorded.
    pub(super) fn of(&self, place: usize, rows: &mut Vec<Contact>) {
        rows.clear();
        let width = self.months.width();
        let row = match (self.only, u32::try_from(place)) {
            (None, _) => place,
            (Some(only), Ok(place)) if only == place => 0,
            (Some(_), _) => return,
        };
        let start = row.saturating_mul(width);
        let cells = self.cells.get(start..start.saturating_add(width)).unwrap_or_default();
        let of_months = cells.chunks(ContactCategory::ALL.len());
        for (place, cells) in of_months.enumerate() {
            let month = self.months.month(place);
            let held = cells.iter().zip(ContactCategory::ALL).enumerate();
            for (at, (held, category)) in held.filter(|(_, (held, _))| **held != NOTHING) {
                let count = match *held {
                    LARGE => self.large_sum(start, place, at),
                    small => u64::from(small),
                };
                rows.push(Contact { month, category, count, recorded: YesNo::Yes });
            }
        }
    }

    /// The large sum of a month and category of the row that starts there.
    fn large_sum(&self, start: usize, month: usize, category: usize) -> u64 {
        let at = month.saturating_mul(ContactCategory::ALL.len()).saturating_add(category);
        self.large.get(&start.saturating_add(at)).copied().unwrap_or(u64::MAX)
    }

    fn at(&self, place: u32, cell: u32) -> Option<usize> {
        let row = match self.only {
            None => usize::try_from(place).ok()?,
            Some(only) if only == place => 0,
            Some(_) => return None,
        };
        let cell = usize::try_from(cell).ok()?;
        row.checked_mul(self.months.width())?.checked_add(cell)
    }
}

#[cfg(test)]
mod tests;
