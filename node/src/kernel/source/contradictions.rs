//! Rows that are each sound, and do not go together.
//!
//! They are reported and counted as they stand: which of two rows is right is the municipality's
//! to say.
//!
//! **Invariant:** a contradiction names file, lines and rule, and never a value or a person.

use super::drafts::{Draft, Located};
use super::mapping::Mapping;
use super::quality::Listed;
use super::schema::Table;
use crate::kernel::person::When;
use serde::Serialize;
use std::fmt;
use time::Date;

mod contacts;
mod rule;
mod tenancies;

pub(super) use contacts::ContactFinder;
pub use rule::ContradictionRule;

/// Rows of one person that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contradiction {
    /// The file.
    pub file: String,
    /// The line of the row.
    pub line: u64,
    /// The file and line of the row that it does not go with, if that is another one.
    pub other: Option<Place>,
    /// What does not go together.
    pub rule: ContradictionRule,
}

/// A row of the export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line on which the row starts.
    pub line: u64,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (&self.file, self.line);
        match &self.other {
            None => write!(f, "{file} line {line}")?,
            Some(other) if other.file == *file => {
                let (first, second) = (line.min(other.line), line.max(other.line));
                write!(f, "{file} lines {first} and {second}")?;
            }
            Some(other) => write!(f, "{file} line {line} and {} line {}", other.file, other.line)?,
        }
        write!(f, ": {}", self.rule)
    }
}

/// Where the contradictions of one person are gathered.
struct Finder<'a> {
    mapping: &'a Mapping,
    today: Option<Date>,
    found: &'a mut Listed<Contradiction>,
}

/// A row of a table: its line.
type At = (Table, u64);

impl Finder<'_> {
    fn report(&mut self, at: At, other: Option<At>, rule: ContradictionRule) {
        let name = |table| {
            self.mapping.table(table).map(|table| table.file.name.clone()).unwrap_or_default()
        };
        let (table, line) = at;
        let other = other.map(|(table, line)| Place { file: name(table), line });
        self.found.push(Contradiction { file: name(table), line, other, rule });
    }

    fn report_if(&mut self, wrong: bool, at: At, other: Option<At>, rule: ContradictionRule) {
        if wrong {
            self.report(at, other, rule);
        }
    }

    /// A day of a row, which may lie in the future.
    fn day(&mut self, at: At, day: Option<Date>) {
        let future = day.zip(self.today).is_some_and(|(day, today)| day > today);
        self.report_if(future, at, None, ContradictionRule::InTheFuture);
    }
}

/// Whether both days are known and the first is later than the second.
fn later(first: Option<Date>, second: Option<Date>) -> bool {
    first.zip(second).is_some_and(|(first, second)| first > second)
}

/// Finds what does not go together among the rows of one person, contacts apart; days after `today` are in the
/// future, and none is if it is not given.
pub(super) fn find(
    draft: &Draft,
    mapping: &Mapping,
    today: Option<Date>,
    found: &mut Listed<Contradiction>,
) {
    let mut finder = Finder { mapping, today, found };
    finder.participant(draft);
    finder.consents(draft);
    finder.tenancies(draft);
    finder.stays(draft);
    finder.after_exit(draft);
}

/// The day of something that happened on a known day.
fn known(day: Option<When>) -> Option<Date> {
    day.and_then(When::day)
}

impl Finder<'_> {
    fn participant(&mut self, draft: &Draft) {
        let Located { line, row } = &draft.participant;
        let at = (Table::Participant, *line);
        let (intake, exit) = (row.intake.day(), known(row.exit));
        self.report_if(later(intake, exit), at, None, ContradictionRule::ExitBeforeIntake);
        let reason_alone = row.exit.is_none() && row.exit_reason.is_some();
        self.report_if(reason_alone, at, None, ContradictionRule::ExitReasonWithoutExit);
        self.day(at, intake);
        self.day(at, exit);
    }

    fn consents(&mut self, draft: &Draft) {
        for Located { line, row } in &draft.consents {
            let at = (Table::Consent, *line);
            let (given, withdrawn) = (row.date.day(), known(row.withdrawn_on));
            let (until, withdrawn_early) = (known(row.valid_until), later(given, withdrawn));
            self.report_if(withdrawn_early, at, None, ContradictionRule::WithdrawnBeforeGiven);
            self.report_if(later(given, until), at, None, ContradictionRule::ExpiredBeforeGiven);
            // A consent may well be valid, and its withdrawal known, beyond today: only the day it
            // was given has to lie behind us.
            self.day(at, given);
        }
    }

    fn stays(&mut self, draft: &Draft) {
        for Located { line, row } in &draft.stays {
            let at = (Table::Stay, *line);
            let (from, to) = (row.from.day(), known(row.to));
            self.report_if(later(from, to), at, None, ContradictionRule::StayEndsBeforeStart);
            self.day(at, from);
        }
    }

    /// What is dated after the participant left.
    fn after_exit(&mut self, draft: &Draft) {
        let exit = known(draft.participant.row.exit);
        let left = Some((Table::Participant, draft.participant.line));
        let complaints = draft.complaints.iter().map(|c| (Table::Complaint, c.line, c.row.date));
        let baselines = draft.baselines.iter().map(|b| (Table::Baseline, b.line, b.row.date));
        let scores = draft.satisfactions.iter().map(|s| (Table::Satisfaction, s.line, s.row.date));
        for (table, line, date) in complaints.chain(baselines).chain(scores) {
            let (at, day) = ((table, line), date.day());
            self.report_if(later(day, exit), at, left, ContradictionRule::AfterExit);
            self.day(at, day);
        }
    }
}

#[cfg(test)]
mod tests;
