//! Rows gathered by person, with the lines that they came from.
//!
//! **Invariant:** a person is whole or absent: who has a rejected participant row is left out with
//! every row, and who has a rejected consent row is in no table, whatever the legal basis.

use super::RejectedRows;
use super::error::SourceError;
use super::mapping::Mapping;
use super::quality::{QualityReport, RejectedRow, Rule};
use super::row::{Bad, Row};
use super::rows;
use super::schema::{ContactForm, Table};
use super::table::{Outcome, TableRows};
use crate::kernel::person::{
    Baseline, Complaint, Consent, Contact, Participant, Person, PersonId, Satisfaction, Stay,
    Tenancy,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A row and the line on which it starts.
pub(super) struct Located<T> {
    pub(super) line: u64,
    pub(super) row: T,
}

/// All rows of one person.
pub(super) struct Draft {
    pub(super) participant: Located<Participant>,
    pub(super) consents: Vec<Located<Consent>>,
    pub(super) tenancies: Vec<Located<Tenancy>>,
    pub(super) stays: Vec<Located<Stay>>,
    pub(super) complaints: Vec<Located<Complaint>>,
    pub(super) contacts: Vec<Located<Contact>>,
    pub(super) baselines: Vec<Located<Baseline>>,
    pub(super) satisfactions: Vec<Located<Satisfaction>>,
}

impl Draft {
    fn new(participant: Located<Participant>) -> Self {
        Self {
            participant,
            consents: Vec::new(),
            tenancies: Vec::new(),
            stays: Vec::new(),
            complaints: Vec::new(),
            contacts: Vec::new(),
            baselines: Vec::new(),
            satisfactions: Vec::new(),
        }
    }

    fn into_person(self) -> Person {
        fn rows<T>(located: Vec<Located<T>>) -> Vec<T> {
            located.into_iter().map(|located| located.row).collect()
        }
        Person {
            participant: self.participant.row,
            consents: rows(self.consents),
            tenancies: rows(self.tenancies),
            stays: rows(self.stays),
            complaints: rows(self.complaints),
            contacts: rows(self.contacts),
            baselines: rows(self.baselines),
            satisfactions: rows(self.satisfactions),
        }
    }
}

/// What an export holds, and what is wrong with it.
pub(super) struct Gathering<'s> {
    folder: &'s Path,
    mapping: &'s Mapping,
    drafts: BTreeMap<PersonId, Draft>,
    left_out: BTreeSet<PersonId>,
    pub(super) report: QualityReport,
}

/// Reads every table of the folder.
pub(super) fn gather<'s>(
    folder: &'s Path,
    mapping: &'s Mapping,
    policy: RejectedRows,
) -> Result<Gathering<'s>, SourceError> {
    let mut all = Gathering {
        folder,
        mapping,
        drafts: BTreeMap::new(),
        left_out: BTreeSet::new(),
        report: QualityReport::new(policy),
    };
    all.participants()?;
    all.consents()?;
    all.table(Table::Tenancy, rows::tenancy, |draft| &mut draft.tenancies)?;
    all.table(Table::Stay, rows::stay, |draft| &mut draft.stays)?;
    all.table(Table::Complaint, rows::complaint, |draft| &mut draft.complaints)?;
    let form = mapping.table(Table::Contact).map(|table| table.form);
    let contact = match form {
        Some(ContactForm::Events) => rows::contact_event,
        Some(ContactForm::Months) | None => rows::contact_month,
    };
    all.table(Table::Contact, contact, |draft| &mut draft.contacts)?;
    all.table(Table::Baseline, rows::baseline, |draft| &mut draft.baselines)?;
    all.table(Table::Satisfaction, rows::satisfaction, |draft| &mut draft.satisfactions)?;
    Ok(all)
}

impl Gathering<'_> {
    /// Every person with all rows, in the order of identifiers.
    pub(super) fn drafts(&self) -> impl Iterator<Item = &Draft> {
        self.drafts.values()
    }

    /// The people, and the report.
    pub(super) fn into_parts(self) -> (BTreeMap<PersonId, Person>, QualityReport) {
        let people = self.drafts.into_iter().map(|(id, draft)| (id, draft.into_person()));
        (people.collect(), self.report)
    }

    fn open(&mut self, table: Table) -> Result<Option<TableRows>, SourceError> {
        match self.mapping.table(table) {
            Some(mapping) => TableRows::open(self.folder, table, mapping, &mut self.report),
            None => Ok(None),
        }
    }

    fn participants(&mut self) -> Result<(), SourceError> {
        let Some(mut rows) = self.open(Table::Participant)? else { return Ok(()) };
        while let Some(outcome) = rows.next(rows::participant)? {
            match outcome {
                Outcome::Row(id, _) if self.drafts.contains_key(&id) => {
                    // Which of the two rows is right is not known: neither is used.
                    self.left_out.insert(id);
                    let (column, rule) = (Some("participant_id"), Rule::ParticipantTwice);
                    rows.reject(Bad { column, rule }, &mut self.report);
                }
                Outcome::Row(id, participant) => {
                    self.drafts.insert(id, Draft::new(participant));
                    rows.accept();
                }
                Outcome::Rejected(id, bad) => {
                    self.left_out.extend(id);
                    rows.reject(bad, &mut self.report);
                }
            }
        }
        let before = self.drafts.len();
        self.drafts.retain(|id, _| !self.left_out.contains(id));
        rows.leave_out_accepted(before.saturating_sub(self.drafts.len()));
        rows.finish(&mut self.report);
        Ok(())
    }

    /// A rejected consent row may be a withdrawal: whoever has one is taken to have objected, which
    /// keeps out on every ground.
    fn consents(&mut self) -> Result<(), SourceError> {
        let Some(mut rows) = self.open(Table::Consent)? else { return Ok(()) };
        let mut in_doubt = BTreeMap::new();
        while let Some(outcome) = rows.next(rows::consent)? {
            let rejected = self.take(&mut rows, outcome, |draft| &mut draft.consents);
            match rejected {
                None => {}
                Some((Some(id), row)) => {
                    in_doubt.insert(id, row.line);
                }
                Some((None, row)) => {
                    self.report.consent_of_unknown.get_or_insert(row);
                }
            }
        }
        for (id, line) in in_doubt {
            if let Some(draft) = self.drafts.get_mut(&id) {
                rows.leave_out_accepted(draft.consents.len());
                draft.consents = vec![Located { line, row: rows::consent_in_doubt() }];
            }
        }
        rows.finish(&mut self.report);
        Ok(())
    }

    fn table<T>(
        &mut self,
        table: Table,
        parse: fn(&Row<'_>) -> Result<T, Bad>,
        rows_of: fn(&mut Draft) -> &mut Vec<Located<T>>,
    ) -> Result<(), SourceError> {
        let Some(mut rows) = self.open(table)? else { return Ok(()) };
        while let Some(outcome) = rows.next(parse)? {
            self.take(&mut rows, outcome, rows_of);
        }
        rows.finish(&mut self.report);
        Ok(())
    }

    /// Puts a row with its person; if it is rejected, gives back whose it is and the report of it.
    fn take<T>(
        &mut self,
        rows: &mut TableRows,
        outcome: Outcome<T>,
        rows_of: fn(&mut Draft) -> &mut Vec<Located<T>>,
    ) -> Option<(Option<PersonId>, RejectedRow)> {
        let (id, row) = match outcome {
            Outcome::Row(id, row) => (id, row),
            Outcome::Rejected(id, bad) => return Some((id, rows.reject(bad, &mut self.report))),
        };
        if let Some(draft) = self.drafts.get_mut(&id) {
            rows_of(draft).push(row);
            rows.accept();
            return None;
        }
        if self.left_out.contains(&id) {
            rows.leave_out();
            return None;
        }
        let bad = Bad { column: Some("participant_id"), rule: Rule::ParticipantMissing };
        Some((Some(id), rows.reject(bad, &mut self.report)))
    }
}
