//! A municipality's export: a folder of CSV files, read through its mapping.
//!
//! **Invariant:** what comes out of here towards people is file, line, column and rule, and never
//! a value of a record; the folder is only read.

use super::contacts::Months;
use super::person::PersonId;
use super::postgres::PostgresConfig;
use super::records::Records;
use fellestall_shared::limits::REFUSED_ROWS;
use serde::{Deserialize, Serialize};
use shelf::Shelf;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use time::Date;

mod blocks;
mod byte_map;
mod cells;
mod contacts;
mod contradictions;
mod control;
mod csv;
mod drafts;
mod error;
mod file;
mod join;
mod layout;
mod mapping;
mod memory;
mod numbered;
mod people;
mod places;
mod progress;
mod quality;
mod row;
mod row_memo;
mod rows;
mod schema;
mod shelf;
mod table;
mod value;

pub use contradictions::{Contradiction, ContradictionRule, Place};
pub use control::{ControlFinding, ControlRule};
pub use error::{FileProblem, SourceError, Why};
pub use mapping::{Mapping, MappingError};
pub use progress::Progress;
pub use quality::{JoinReport, Listed, QualityReport, RejectedRow, Rule, TableReport};
pub use schema::Table;
pub(super) use schema::{Column, ContactForm, Kind};

/// Where the records are, and how to read them.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// The folder or the database that holds them.
    pub origin: Origin,
    /// What its files, columns and codes are called.
    pub mapping: Mapping,
    /// What to do with rows that cannot be used.
    pub rejected_rows: RejectedRows,
    /// What reading may take.
    pub limits: Limits,
    /// How far it has come.
    pub progress: Progress,
}

/// What reading the records may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory for records, in bytes, about. There are no temporary files.
    pub memory: u64,
    /// Threads that read and count.
    pub threads: NonZeroUsize,
    /// Bytes of a file that a thread takes at once.
    pub block: usize,
}

impl Default for Limits {
    /// A GiB, and as many threads as the machine runs at once.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { memory: 1024 * memory::MIB, threads, block: BLOCK }
    }
}

/// Bytes that a thread takes at once: enough that the others seldom wait for it, and little enough that
/// they stay in the cache.
const BLOCK: usize = 128 * 1024;

/// Which contacts are wanted: the table is not kept.
pub(super) struct Wanted<'a> {
    /// The months; `None` if there is no question about contacts.
    pub(super) months: Option<Months>,
    /// The only participant whose contacts are asked about, if it is one.
    pub(super) only: Option<&'a PersonId>,
}

impl Wanted<'_> {
    /// No question about contacts.
    pub(super) const NO_CONTACTS: Self = Self { months: None, only: None };

    /// The contacts of everybody over these days.
    #[cfg(test)]
    pub(super) fn between(first: Date, last: Date) -> Self {
        Self { months: Months::between(first, last), only: None }
    }
}

/// What holds the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The folder of an export, read into this process.
    Folder(PathBuf),
    /// A database in one file, whose tables are read into this process.
    Sqlite(PathBuf),
    /// A PostgreSQL database, which counts where the records are.
    Postgres(PostgresConfig),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) | Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(database) => database.fmt(f),
        }
    }
}

impl SourceConfig {
    /// Records from here, with the usual limits.
    #[must_use]
    pub fn new(origin: Origin, mapping: Mapping, rejected_rows: RejectedRows) -> Self {
        let (limits, progress) = (Limits::default(), Progress::default());
        let is_database = matches!(origin, Origin::Sqlite(_));
        let mapping = if is_database { mapping.of_database() } else { mapping };
        Self { origin, mapping, rejected_rows, limits, progress }
    }

    /// The folder of the export.
    ///
    /// # Errors
    /// [`SourceError::NotAnExport`] if the records are in a database: they are not read row by row.
    pub fn folder(&self) -> Result<&Path, SourceError> {
        match &self.origin {
            Origin::Folder(folder) => Ok(folder),
            Origin::Sqlite(_) | Origin::Postgres(_) => Err(SourceError::NotAnExport),
        }
    }
}

/// What to do with rows that cannot be used. There is no default: it is the operator's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectedRows {
    /// Release nothing while there is any.
    Refuse,
    /// Go on without them. Who has a rejected row in the participant table is left out with all
    /// rows; who has a rejected consent row is taken to have objected; of other tables only the row
    /// is lost. A consent row or a key that may be anybody's cannot be skipped.
    Skip,
}

/// Reads the records for a release: everything, and of the contacts the sums that are wanted.
///
/// # Errors
/// [`SourceError`] if a file cannot be read, if rows are rejected and the policy is to refuse, if a
/// consent row is rejected of which it is not known whose it is, or if a row's key leads to several
/// participants.
///
/// # Privacy
/// P3: what is read of one participant follows from that participant's own rows alone.
/// Neither the error nor the report has a value or an identifier of a record in it; both are for
/// the operator alone.
pub(super) fn read(
    config: &SourceConfig,
    wanted: &Wanted<'_>,
) -> Result<(Records, QualityReport), SourceError> {
    let (records, report) = people::read(&shelf(config)?, config, wanted)?;
    match config.rejected_rows {
        RejectedRows::Refuse if report.rejected.total > 0 => {
            let first: Vec<_> = report.rejected.shown.iter().take(REFUSED_ROWS).cloned().collect();
            let more = report.rejected.shown.len() > first.len();
            return Err(SourceError::Rejected { first, more });
        }
        RejectedRows::Skip if let Some(row) = report.consent_of_unknown => {
            return Err(SourceError::ConsentOfUnknown { row });
        }
        RejectedRows::Skip if let Some(row) = report.row_of_several => {
            return Err(SourceError::RowOfSeveral { row });
        }
        RejectedRows::Refuse | RejectedRows::Skip => {}
    }
    Ok((records.counted_by(config.limits.threads), report))
}

/// Reads everything, keeps nothing, and says what is wrong; rejected rows are no error.
///
/// # Errors
/// [`SourceError`] if a file cannot be read at all.
pub fn check(config: &SourceConfig) -> Result<QualityReport, SourceError> {
    examine(config, None)
}

/// As [`check`], and reports what is dated later than `today`.
///
/// # Errors
/// [`SourceError`] if a file cannot be read at all.
pub fn check_on(config: &SourceConfig, today: Date) -> Result<QualityReport, SourceError> {
    examine(config, Some(today))
}

fn examine(config: &SourceConfig, today: Option<Date>) -> Result<QualityReport, SourceError> {
    if let Origin::Postgres(database) = &config.origin {
        return super::postgres::check(database);
    }
    let shelf = shelf(config)?;
    let mut report = people::examine(&shelf, config, today)?;
    let control = config.mapping.control();
    if control::check(&shelf, control, &mut report.control)? {
        report.control_file = Some(control.name.clone());
    } else if control.is_named {
        return Err(SourceError::Missing { file: control.name.clone(), why: Why::Named });
    }
    Ok(report)
}

/// Opens what holds the tables.
fn shelf(config: &SourceConfig) -> Result<Shelf, SourceError> {
    match &config.origin {
        Origin::Sqlite(file) => Shelf::sqlite(file),
        Origin::Folder(folder) if folder.is_dir() => Ok(Shelf::Folder(folder.clone())),
        Origin::Folder(folder) => Err(SourceError::Folder { folder: folder.clone() }),
        Origin::Postgres(_) => Err(SourceError::NotAnExport),
    }
}

#[cfg(test)]
mod tests;
