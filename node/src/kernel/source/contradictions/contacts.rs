//! Contradictions in the `contact` table, row by row while it is read.
//!
//! **Invariant:** rows are not kept: of each form, only the line on which it was met first.

use super::{Contradiction, ContradictionRule, Finder, known};
use crate::kernel::person::{CalendarMonth, Contact, ContactCategory, YesNo};
use crate::kernel::source::drafts::Draft;
use crate::kernel::source::mapping::Mapping;
use crate::kernel::source::quality::Listed;
use crate::kernel::source::row_memo::Visit;
use crate::kernel::source::schema::{ContactForm, Table};
use std::collections::HashMap;
use time::Date;

/// A month's form of one participant about one category.
type Form = (u32, CalendarMonth, ContactCategory);

/// Finds what does not go together in the `contact` table.
pub(in crate::kernel::source) struct ContactFinder<'a> {
    finder: Finder<'a>,
    /// The month in which each participant left, and the line that says so.
    people: Vec<(Option<CalendarMonth>, u64)>,
    is_form: bool,
    /// The line of each form.
    forms: HashMap<Form, u64>,
    most_forms: usize,
}

impl<'a> ContactFinder<'a> {
    /// For these participants, in the order of their places; with room for so many bytes.
    pub(in crate::kernel::source) fn new<'d>(
        people: impl Iterator<Item = &'d Draft>,
        mapping: &'a Mapping,
        (today, found): (Option<Date>, &'a mut Listed<Contradiction>),
        room: u64,
    ) -> Self {
        let left = |draft: &Draft| {
            let exit = known(draft.participant.row.exit).map(CalendarMonth::of);
            (exit, draft.participant.line)
        };
        let table = mapping.table(Table::Contact);
        let bytes_of_form = u64::try_from(size_of::<(Form, u64)>()).unwrap_or(u64::MAX);
        let most_forms = room.checked_div(bytes_of_form.saturating_mul(2)).unwrap_or(0);
        Self {
            finder: Finder { mapping, today, found },
            people: people.map(left).collect(),
            is_form: table.is_some_and(|table| table.form == ContactForm::Months),
            forms: HashMap::new(),
            most_forms: usize::try_from(most_forms).unwrap_or(usize::MAX),
        }
    }

    /// Whether every form had room: else some that are there twice were not found.
    pub(in crate::kernel::source) fn had_room(&self) -> bool {
        self.forms.len() < self.most_forms
    }
}

impl Visit for ContactFinder<'_> {
    type Kept = Contact;

    fn keep(&self, contact: &Contact) -> Contact {
        *contact
    }

    fn row(&mut self, place: u32, line: u64, tail: Contact, count: u32) {
        let row = Contact { count: count.into(), ..tail };
        let at = (Table::Contact, line);
        let person = usize::try_from(place).ok().and_then(|place| self.people.get(place));
        let (exit, participant) = person.copied().unwrap_or((None, line));
        let now = self.finder.today.map(CalendarMonth::of);
        let left = Some((Table::Participant, participant));
        let beyond = |limit: Option<CalendarMonth>| {
            row.month.zip(limit).is_some_and(|(month, limit)| month > limit)
        };
        self.finder.report_if(beyond(exit), at, left, ContradictionRule::AfterExit);
        self.finder.report_if(beyond(now), at, None, ContradictionRule::InTheFuture);
        let uncounted = row.recorded == YesNo::No && row.count > 0;
        self.finder.report_if(uncounted, at, None, ContradictionRule::CountNotRecorded);
        let Some(month) = row.month.filter(|_| self.is_form && self.had_room()) else { return };
        let before = *self.forms.entry((place, month, row.category)).or_insert(line);
        let twice = before != line;
        self.finder.report_if(twice, at, Some((at.0, before)), ContradictionRule::SameFormTwice);
    }
}
