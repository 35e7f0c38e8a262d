//! One table of an export, row by row.
//!
//! **Invariant:** each row that is read is accepted, rejected or left out, and counted as such.

use super::csv::Record;
use super::drafts::Located;
use super::error::{SourceError, Why};
use super::file::{Rows, SourceFile};
use super::join::{self, Keys};
use super::layout::Layout;
use super::mapping::{ColumnMapping, FileMapping, TableMapping};
use super::quality::{QualityReport, RejectedRow, Rule, TableReport};
use super::row::{Bad, Row};
use super::row_memo::Tally;
use super::schema::{Kind, Table};
use super::shelf::Shelf;
use crate::kernel::person::PersonId;

/// A table that is being read.
pub(super) struct TableRows {
    file: SourceFile,
    layout: Layout,
    keys: Vec<Keys>,
    record: Record,
    report: TableReport,
}

/// What a row says.
pub(super) enum Outcome<T> {
    /// This, of this person.
    Row(PersonId, Located<T>),
    /// It cannot be used; whose it is, if that much is known.
    Rejected(Option<PersonId>, Bad),
}

impl TableRows {
    /// Opens a table; `None`, and a line in the report, if the export does not have it.
    pub(super) fn open(
        shelf: &Shelf,
        table: Table,
        mapping: &TableMapping,
        report: &mut QualityReport,
    ) -> Result<Option<Self>, SourceError> {
        let mut own = TableReport {
            table,
            file: mapping.file.name.clone(),
            present: true,
            read: 0,
            accepted: 0,
            rejected: 0,
            left_out: 0,
        };
        let Some(file) = SourceFile::open(shelf, &mapping.file)? else {
            if let Some(why) = needed(table, &mapping.file) {
                return Err(SourceError::Missing { file: own.file, why });
            }
            own.present = false;
            report.tables.push(own);
            return Ok(None);
        };
        let layout = Layout::new(&mapping.columns, file.header(), mapping.file.encoding)
            .map_err(|(column, header)| missing(table, &mapping.file, column, header))?;
        let mut keys = Vec::new();
        for step in &mapping.joins {
            let (step, joined) = join::keys(shelf, table, step, |row| report.rejected.push(row))?;
            keys.push(step);
            report.joins.push(joined);
        }
        Ok(Some(Self { file, layout, keys, record: Record::default(), report: own }))
    }

    /// The next row; `None` at the end.
    pub(super) fn next<T>(
        &mut self,
        parse: impl FnOnce(&Row<'_>) -> Result<T, Bad>,
    ) -> Result<Option<Outcome<T>>, SourceError> {
        let layout = &self.layout;
        let named = |place| layout.header_at(place).map(str::to_owned);
        if !self.file.next(&mut self.record).map_err(|stop| stop.named(named))? {
            return Ok(None);
        }
        let person = Row::new(&self.layout, &self.record)
            .and_then(|row| row.person(&self.keys).map(|person| (row, person)));
        Ok(Some(match person {
            Err(bad) => Outcome::Rejected(None, bad),
            Ok((row, person)) => match parse(&row) {
                Ok(row) => Outcome::Row(person, Located { line: self.record.line(), row }),
                Err(bad) => Outcome::Rejected(Some(person), bad),
            },
        }))
    }

    /// Counts the last row as accepted.
    pub(super) fn accept(&mut self) {
        self.report.accepted = self.report.accepted.saturating_add(1);
    }

    /// Counts the last row as going with a rejected one.
    pub(super) fn leave_out(&mut self) {
        self.report.left_out = self.report.left_out.saturating_add(1);
    }

    /// Counts rows that were accepted as going with a rejected one after all.
    pub(super) fn leave_out_accepted(&mut self, rows: usize) {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        self.report.accepted = self.report.accepted.saturating_sub(rows);
        self.report.left_out = self.report.left_out.saturating_add(rows);
    }

    /// Counts and reports the last row as rejected.
    pub(super) fn reject(&mut self, bad: Bad, report: &mut QualityReport) -> RejectedRow {
        self.report.rejected = self.report.rejected.saturating_add(1);
        let column = bad.column.and_then(|column| self.layout.header(column)).map(str::to_owned);
        let file = self.report.file.clone();
        let row = RejectedRow { file, line: self.record.line(), column, rule: bad.rule };
        report.rejected.push(row.clone());
        if bad.rule == Rule::KeyAmbiguous {
            report.row_of_several.get_or_insert_with(|| row.clone());
        }
        row
    }

    /// Reads all rows of a table that is not kept; `read` gets the file, the layout and the keys.
    pub(super) fn all(
        self,
        report: &mut QualityReport,
        read: impl FnOnce(Rows, &Layout, &[Keys]) -> Result<Tally, SourceError>,
    ) -> Result<(), SourceError> {
        let Self { file, layout, keys, report: mut own, .. } = self;
        let tally = read(file.into_rows()?, &layout, &keys)?;
        own.read = tally.read;
        own.accepted = tally.accepted;
        own.left_out = tally.left_out;
        own.rejected = tally.rejected;
        let named = |(line, bad): (u64, Bad)| {
            let column = bad.column.and_then(|column| layout.header(column)).map(str::to_owned);
            RejectedRow { file: own.file.clone(), line, column, rule: bad.rule }
        };
        let unseen = tally.rejected.saturating_sub(u64::try_from(tally.shown.len()).unwrap_or(0));
        if let Some(row) = tally.of_several.map(named) {
            report.row_of_several.get_or_insert(row);
        }
        for row in tally.shown.into_iter().map(named) {
            report.rejected.push(row);
        }
        report.rejected.total = report.rejected.total.saturating_add(unseen);
        report.tables.push(own);
        Ok(())
    }

    /// Puts what became of the table into the report.
    pub(super) fn finish(mut self, report: &mut QualityReport) {
        self.report.read = self.file.rows();
        report.tables.push(self.report);
    }
}

/// Why the table's file has to be there, if it has to.
fn needed(table: Table, file: &FileMapping) -> Option<Why> {
    if table.is_required() {
        return Some(Why::Required(table));
    }
    file.is_named.then_some(Why::Named)
}

fn missing(table: Table, file: &FileMapping, column: &ColumnMapping, header: &str) -> SourceError {
    let can_lack = column.column.kind != Kind::Person;
    SourceError::ColumnMissing {
        file: file.name.clone(),
        header: header.to_owned(),
        table,
        our: can_lack.then(|| column.column.name.to_owned()),
    }
}
