//! The data-quality report: what was read, and what is wrong with it.
//!
//! **Invariant:** it says file, line, column and rule, and never a value of a record, a person's
//! identifier or a text of the export. It is for the operator's terminal and goes nowhere else.

use super::RejectedRows;
use super::contradictions::Contradiction;
use super::control::ControlFinding;
use super::schema::Table;
use crate::kernel::postgres::FlawedRows;
use fellestall_shared::limits::REPORTED_ROWS;
use serde::Serialize;
use std::fmt;

mod render;
mod rule;

pub use rule::Rule;

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// The file.
    pub file: String,
    /// The line on which the row starts, from 1; line 1 is the headers.
    pub line: u64,
    /// The header that the mapping names; `None` if it is about the whole row.
    pub column: Option<String>,
    /// What is wrong.
    pub rule: Rule,
}

impl fmt::Display for RejectedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file, self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}; {}", self.rule, self.rule.mend())
    }
}

/// A list that keeps its first entries, and counts all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// The first of them.
    pub shown: Vec<T>,
    /// How many there are.
    pub total: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { shown: Vec::new(), total: 0 }
    }
}

impl<T> Listed<T> {
    pub(super) fn push(&mut self, entry: T) {
        self.total = self.total.saturating_add(1);
        if self.shown.len() < REPORTED_ROWS {
            self.shown.push(entry);
        }
    }
}

/// What became of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// The table.
    pub table: Table,
    /// Its file.
    pub file: String,
    /// Whether the file is there.
    pub present: bool,
    /// Rows read.
    pub read: u64,
    /// Rows that can be counted.
    pub accepted: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Rows that are themselves sound, but go with a rejected row: all rows of a participant whose
    /// own row is rejected, and all consents of a participant with a rejected consent row.
    pub left_out: u64,
}

/// What became of one key file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JoinReport {
    /// The table that goes through it.
    pub table: Table,
    /// The key file.
    pub file: String,
    /// Its column with the key.
    pub key: String,
    /// Its column with the next key, or the participant.
    pub to: String,
    /// Rows read.
    pub read: u64,
    /// Rows rejected.
    pub rejected: u64,
}

/// What was read from a municipality's export, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QualityReport {
    /// What the configuration says of rejected rows.
    pub rejected_rows: RejectedRows,
    /// Every table.
    pub tables: Vec<TableReport>,
    /// Every key file.
    pub joins: Vec<JoinReport>,
    /// Rows that cannot be used.
    pub rejected: Listed<RejectedRow>,
    /// In a database: the rules that rows break, and how many do. (A database has no lines.)
    pub flaws: Vec<FlawedRows>,
    /// Rows that do not go together; they are counted as they stand.
    pub contradictions: Listed<Contradiction>,
    /// The file of printed figures, if there is one.
    pub control_file: Option<String>,
    /// Printed figures that do not go together.
    pub control: Listed<ControlFinding>,
    /// A rejected consent row of which it is not known whose it is: it can't be skipped, since it
    /// may be a withdrawal.
    pub consent_of_unknown: Option<RejectedRow>,
    /// A row whose key leads to several participants: it can't be skipped, since then the rows of
    /// one of them would decide whether another's are counted.
    pub row_of_several: Option<RejectedRow>,
}

impl QualityReport {
    pub(in crate::kernel) fn new(rejected_rows: RejectedRows) -> Self {
        Self {
            rejected_rows,
            tables: Vec::new(),
            joins: Vec::new(),
            rejected: Listed::default(),
            flaws: Vec::new(),
            contradictions: Listed::default(),
            control_file: None,
            control: Listed::default(),
            consent_of_unknown: None,
            row_of_several: None,
        }
    }

    /// Puts the tables into their order, however they were read.
    pub(super) fn sort(&mut self) {
        self.tables.sort_by_key(|table| table.table);
        self.joins.sort_by_key(|join| join.table);
    }

    /// Whether a release would be made from this export under this configuration.
    #[must_use]
    pub fn can_release(&self) -> bool {
        match self.rejected_rows {
            RejectedRows::Refuse => self.rejected.total == 0,
            RejectedRows::Skip => {
                self.consent_of_unknown.is_none() && self.row_of_several.is_none()
            }
        }
    }

    /// Whether nothing at all is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.rejected.total == 0 && self.contradictions.total == 0 && self.control.total == 0
    }
}
