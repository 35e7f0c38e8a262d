//! All tables of an export, one after the other.
//!
//! **Invariant:** a person is whole or absent: who has a rejected participant row is left out with
//! every row, and who has a rejected consent row is in no table, whatever the legal basis.

use super::contacts;
use super::contradictions::{self, ContactFinder};
use super::drafts::{Draft, Drafts, Located, push};
use super::error::SourceError;
use super::join::Keys;
use super::layout::Layout;
use super::mapping::Mapping;
use super::memory::Memory;
use super::places::Places;
use super::quality::{Listed, QualityReport, RejectedRow, Rule};
use super::row::{Bad, Row};
use super::row_memo::Plan;
use super::rows::{self, Texts};
use super::schema::{ContactForm, Table};
use super::shelf::Shelf;
use super::table::{Outcome, TableRows};
use super::{SourceConfig, Wanted};
use crate::kernel::contacts::ContactTable;
use crate::kernel::person::{Consent, PersonId};
use crate::kernel::records::Records;
use std::collections::{BTreeMap, BTreeSet};
use time::Date;

/// What an export holds, and what is wrong with it.
struct Gathering<'s> {
    shelf: &'s Shelf,
    mapping: &'s Mapping,
    drafts: Drafts,
    left_out: BTreeSet<PersonId>,
    memory: Memory,
    report: QualityReport,
}

/// Reads every table: the people, with the sums of the contacts that are wanted.
pub(super) fn read(
    shelf: &Shelf,
    config: &SourceConfig,
    wanted: &Wanted<'_>,
) -> Result<(Records, QualityReport), SourceError> {
    let mut all = gather(shelf, config)?;
    let rows = all.open(Table::Contact)?;
    let Gathering { drafts, left_out, mut memory, mut report, .. } = all;
    let (people, by_id) = drafts.into_people();
    let mut table = None;
    if let Some(rows) = rows {
        rows.all(&mut report, |file, layout, keys| {
            let places = Places::new(&by_id, people.iter().map(|(id, _)| id), layout, keys);
            let plan = plan(config, layout, keys, &places, &left_out);
            if let Some(months) = wanted.months {
                let only = wanted.only.map(|id| places.of(id).unwrap_or(u32::MAX));
                let people = if only.is_some() { 1 } else { people.len() };
                memory.take(ContactTable::bytes(months, people))?;
                table = Some(ContactTable::new(months, people, only));
            }
            contacts::sum(file, &plan, table.as_mut(), config.limits, &config.progress)
        })?;
    }
    report.sort();
    Ok((Records::new(people).with_contacts(table), report))
}

/// Reads every table and says what is wrong; what is dated after `today` is, if it is given.
pub(super) fn examine(
    shelf: &Shelf,
    config: &SourceConfig,
    today: Option<Date>,
) -> Result<QualityReport, SourceError> {
    let mut all = gather(shelf, config)?;
    let rows = all.open(Table::Contact)?;
    let Gathering { drafts, left_out, memory, mut report, .. } = all;
    let mapping = &config.mapping;
    let mut found = Listed::default();
    for draft in drafts.all() {
        contradictions::find(draft, mapping, today, &mut found);
    }
    if let Some(rows) = rows {
        rows.all(&mut report, |file, layout, keys| {
            let places = Places::new(drafts.places(), drafts.ids(), layout, keys);
            let plan = plan(config, layout, keys, &places, &left_out);
            let asked = (today, &mut found);
            let mut finder = ContactFinder::new(drafts.all(), mapping, asked, memory.left());
            let tally = contacts::visit(file, &plan, &mut finder, &config.progress)?;
            if finder.had_room() { Ok(tally) } else { Err(memory.refuse()) }
        })?;
    }
    report.sort();
    report.contradictions = found;
    Ok(report)
}

/// How the rows of the `contact` table are read.
fn plan<'a>(
    config: &'a SourceConfig,
    layout: &'a Layout,
    keys: &'a [Keys],
    places: &'a Places<'a>,
    left_out: &'a BTreeSet<PersonId>,
) -> Plan<'a> {
    let mapping = config.mapping.table(Table::Contact);
    let parse = match mapping.map(|mapping| mapping.form) {
        Some(ContactForm::Events) => rows::contact_event,
        Some(ContactForm::Months) | None => rows::contact_month,
    };
    let delimiter = mapping.map_or(b',', |mapping| mapping.file.delimiter);
    Plan { layout, keys, places, left_out, parse, delimiter }
}

/// Reads every table but that of contacts, which is the only one that may be larger than memory.
fn gather<'s>(shelf: &'s Shelf, config: &'s SourceConfig) -> Result<Gathering<'s>, SourceError> {
    let mut all = Gathering {
        shelf,
        mapping: &config.mapping,
        drafts: Drafts::new(),
        left_out: BTreeSet::new(),
        memory: Memory::new(config.limits.memory),
        report: QualityReport::new(config.rejected_rows),
    };
    all.participants()?;
    all.consents()?;
    all.table(Table::Tenancy, rows::tenancy, |draft| &mut draft.tenancies)?;
    all.table(Table::Stay, rows::stay, |draft| &mut draft.stays)?;
    all.table(Table::Complaint, rows::complaint, |draft| &mut draft.complaints)?;
    all.table(Table::Baseline, rows::baseline, |draft| &mut draft.baselines)?;
    all.table(Table::Satisfaction, rows::satisfaction, |draft| &mut draft.satisfactions)?;
    Ok(all)
}

impl Gathering<'_> {
    fn open(&mut self, table: Table) -> Result<Option<TableRows>, SourceError> {
        match self.mapping.table(table) {
            Some(mapping) => TableRows::open(self.shelf, table, mapping, &mut self.report),
            None => Ok(None),
        }
    }

    fn participants(&mut self) -> Result<(), SourceError> {
        let Some(mut rows) = self.open(Table::Participant)? else { return Ok(()) };
        while let Some(outcome) = rows.next(rows::participant)? {
            self.memory.take_some::<(PersonId, Draft)>(1)?;
            match outcome {
                Outcome::Row(id, participant) => match self.drafts.add(id, participant) {
                    Ok(()) => rows.accept(),
                    Err(id) => {
                        // Which of the two rows is right is not known: neither is used.
                        self.left_out.insert(id);
                        let (column, rule) = (Some("participant_id"), Rule::ParticipantTwice);
                        rows.reject(Bad { column, rule }, &mut self.report);
                    }
                },
                Outcome::Rejected(id, bad) => {
                    self.left_out.extend(id);
                    rows.reject(bad, &mut self.report);
                }
            }
        }
        rows.leave_out_accepted(self.drafts.settle(&self.left_out));
        rows.finish(&mut self.report);
        Ok(())
    }

    /// A rejected consent row may be a withdrawal: whoever has one is taken to have objected, which
    /// keeps out on every ground.
    fn consents(&mut self) -> Result<(), SourceError> {
        let Some(mut rows) = self.open(Table::Consent)? else { return Ok(()) };
        let mut in_doubt = BTreeMap::new();
        let mut texts = Texts::default();
        while let Some(outcome) = rows.next(|row| rows::consent(row, &mut texts))? {
            self.memory.take_some::<Located<Consent>>(1)?;
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
            self.memory.take_some::<Located<T>>(1)?;
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
            push(rows_of(draft), row);
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
