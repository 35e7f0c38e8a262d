//! A municipality's export: a folder of CSV files, read through its mapping.
//!
//! **Invariant:** what comes out of here towards people is file, line, column and rule, and never
//! a value of a record; the folder is only read.

use super::postgres::PostgresConfig;
use super::records::Records;
use fellestall_shared::limits::REFUSED_ROWS;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use time::Date;

mod contradictions;
mod control;
mod csv;
mod error;
mod file;
mod join;
mod layout;
mod mapping;
mod people;
mod quality;
mod row;
mod rows;
mod schema;
mod table;
mod value;

pub use contradictions::{Contradiction, ContradictionRule, Place};
pub use control::{ControlFinding, ControlRule};
pub use error::{FileProblem, SourceError, Why};
pub use mapping::{Mapping, MappingError};
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
}

/// What holds the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The folder of an export, read into this process.
    Folder(PathBuf),
    /// A PostgreSQL database, which counts where the records are.
    Postgres(PostgresConfig),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Postgres(database) => database.fmt(f),
        }
    }
}

impl SourceConfig {
    /// The folder of the export.
    ///
    /// # Errors
    /// [`SourceError::NotAnExport`] if the records are in a database: they are not read row by row.
    pub fn folder(&self) -> Result<&Path, SourceError> {
        match &self.origin {
            Origin::Folder(folder) => Ok(folder),
            Origin::Postgres(_) => Err(SourceError::NotAnExport),
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

/// Reads the records for a release.
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
pub fn read(config: &SourceConfig) -> Result<(Records, QualityReport), SourceError> {
    let all = gather(config, None)?;
    let (people, report) = all.into_parts();
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
    Ok((Records::new(people), report))
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
    let (_, mut report) = gather(config, today)?.into_parts();
    let control = config.mapping.control();
    if control::check(config.folder()?, control, &mut report.control)? {
        report.control_file = Some(control.name.clone());
    } else if control.is_named {
        return Err(SourceError::Missing { file: control.name.clone(), why: Why::Named });
    }
    Ok(report)
}

fn gather(
    config: &SourceConfig,
    today: Option<Date>,
) -> Result<people::Gathering<'_>, SourceError> {
    let folder = config.folder()?;
    if !folder.is_dir() {
        return Err(SourceError::Folder { folder: folder.to_owned() });
    }
    let mut all = people::gather(folder, &config.mapping, config.rejected_rows)?;
    let mut found = Listed::default();
    for draft in all.drafts() {
        contradictions::find(draft, &config.mapping, today, &mut found);
    }
    all.report.contradictions = found;
    Ok(all)
}

#[cfg(test)]
mod tests;
