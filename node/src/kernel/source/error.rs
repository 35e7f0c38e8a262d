//! Why an export cannot be read.
//!
//! **Invariant:** an error names files, lines, headers of the mapping and rules, and never quotes
//! the export.

use super::csv::Fault;
use super::quality::RejectedRow;
use super::schema::Table;
use crate::kernel::postgres::PostgresError;
use fellestall_shared::limits::{SOURCE_COLUMNS, SOURCE_FIELD_BYTES, SOURCE_ROWS};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// An export that cannot be read, or may not be counted as it is.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No folder.
    #[error("there is no folder {}; export to it, or correct the folder in the configuration", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
    },
    /// The records are in a database, and something asked for the rows of an export.
    #[error(
        "the records are in PostgreSQL, which counts them itself: there is no export to read; this is a defect of the program"
    )]
    NotAnExport,
    /// A database that cannot be asked, or may not be counted as it is.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A file that has to be there.
    #[error("{file} is missing: {why}; export it, or correct its name in the mapping")]
    Missing {
        /// The file.
        file: String,
        /// Why it has to be there.
        why: Why,
    },
    /// The system does not let us read.
    #[error(
        "{file} cannot be read; see that the node's user may read it, and that no program holds it"
    )]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file that is not the delimited text it should be.
    #[error("{file} line {line}{}: {problem}", In(column.as_deref()))]
    File {
        /// The file.
        file: String,
        /// The line on which the row starts, from 1.
        line: u64,
        /// The header that the mapping names, if it is about one of its columns.
        column: Option<String>,
        /// What is wrong.
        problem: FileProblem,
    },
    /// A header that is not there.
    #[error(
        "{file} line 1: no column \"{header}\"; correct its name under [tables.{table}] in the mapping, and see that the delimiter is right{}", Lacking(our.as_deref())
    )]
    ColumnMissing {
        /// The file.
        file: String,
        /// The header that the mapping names.
        header: String,
        /// The table whose mapping names it.
        table: Table,
        /// Our name of the column, if an export may lack it.
        our: Option<String>,
    },
    /// A header that the file of printed figures has to have.
    #[error("{file} line 1: no column \"{header}\"; the columns are figure, role, state and value")]
    ControlColumn {
        /// The file.
        file: String,
        /// The header.
        header: &'static str,
    },
    /// Rejected rows, where the configuration says to refuse.
    #[error(
        "rows of the export are rejected, and the configuration says to refuse then; `fellestall-node check-data` lists them all:{}", Lines(first, *more)
    )]
    Rejected {
        /// The first of them.
        first: Vec<RejectedRow>,
        /// Whether there are more.
        more: bool,
    },
    /// A database that cannot be read.
    #[error(
        "{} cannot be read as an SQLite database; see that it is one, and that the node's user may read it and its folder", file.display()
    )]
    Sqlite {
        /// The database's file, or the table.
        file: PathBuf,
        /// What the database said.
        #[source]
        source: rusqlite::Error,
    },
    /// A table of a database whose reading stopped, and nobody knows what was left.
    #[error(
        "the reading of {table} ended before its last row; nothing was counted. This is a defect of the program: try again, and report it"
    )]
    EndedEarly {
        /// The table.
        table: String,
    },
    /// More memory than the configuration allows.
    #[error(
        "reading the records would take more than {limit_mib} MiB of memory; set a higher memory_mib under [records] in the configuration, or ask about a shorter period. Nothing was released"
    )]
    Memory {
        /// What is allowed, in MiB.
        limit_mib: u64,
    },
    /// A row that may be of several participants.
    #[error(
        "{row}; one participant's key would decide whether another's rows are counted, so it cannot be skipped: mend the key file"
    )]
    RowOfSeveral {
        /// The row.
        row: RejectedRow,
    },
    /// A consent that may be a withdrawal of anybody's.
    #[error(
        "{row}; it is not known whose consent this is, and it may be a withdrawal, so it cannot be skipped"
    )]
    ConsentOfUnknown {
        /// The row.
        row: RejectedRow,
    },
}

/// Why a file has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing can be counted without it.
    Required(Table),
    /// The mapping names it.
    Named,
    /// A join goes through it.
    Join(Table),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required(table) => {
                write!(f, "nothing can be counted without the {table} table")
            }
            Self::Named => f.write_str("the mapping names it"),
            Self::Join(table) => write!(f, "the {table} table leads to participants through it"),
        }
    }
}

/// What is wrong with a file as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileProblem {
    /// Nothing in it.
    Empty,
    /// UTF-16, as Excel's "Unicode text".
    Utf16,
    /// Headers that are not UTF-8.
    HeaderNotUtf8,
    /// One header twice.
    HeaderTwice {
        /// The place of the first, from 1.
        first: usize,
        /// The place of the second, from 1.
        second: usize,
    },
    /// A cell longer than the limit.
    FieldTooLong,
    /// A quote that is not closed.
    QuoteNotClosed,
    /// Text after a closing quote.
    TextAfterQuote,
    /// More columns than the limit.
    TooManyColumns,
    /// More rows than the limit.
    TooManyRows,
}

impl From<Fault> for FileProblem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::FieldTooLong => Self::FieldTooLong,
            Fault::QuoteNotClosed => Self::QuoteNotClosed,
            Fault::TextAfterQuote => Self::TextAfterQuote,
            Fault::TooManyFields => Self::TooManyColumns,
        }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "the file is empty; a table without rows still has its line of headers, so export it anew",
            ),
            Self::Utf16 => {
                f.write_str("the file is UTF-16; export it as CSV in UTF-8 or ISO-8859-1")
            }
            Self::HeaderNotUtf8 => f.write_str(
                "the headers are not UTF-8; export as UTF-8, or set encoding = \"iso-8859-1\" in the mapping",
            ),
            Self::HeaderTwice { first, second } => write!(
                f,
                "column {second} has the same header as column {first}; rename one of them in the export",
            ),
            Self::FieldTooLong => write!(
                f,
                "a cell is longer than {SOURCE_FIELD_BYTES} bytes; look for a quote (\") that is never closed",
            ),
            Self::QuoteNotClosed => {
                f.write_str("a quote (\") is never closed; close it, or write it twice if it is text")
            }
            Self::TextAfterQuote => f.write_str(
                "text follows a closing quote (\"); a quote inside a quoted text is written twice",
            ),
            Self::TooManyColumns => write!(
                f,
                "the row has more than {SOURCE_COLUMNS} cells; see that the delimiter is right",
            ),
            Self::TooManyRows => write!(
                f,
                "the file has more than {SOURCE_ROWS} rows; export fewer years at a time",
            ),
        }
    }
}

struct In<'a>(Option<&'a str>);

impl fmt::Display for In<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |column| write!(f, ", column {column}"))
    }
}

struct Lacking<'a>(Option<&'a str>);

impl fmt::Display for Lacking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |our| {
            write!(f, "; if your export lacks it, give {our} = {{ constant = \"unknown\" }}")
        })
    }
}

struct Lines<'a>(&'a [RejectedRow], bool);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in self.0 {
            write!(f, "\n  {row}")?;
        }
        if self.1 { f.write_str("\n  and more") } else { Ok(()) }
    }
}
