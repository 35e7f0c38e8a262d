//! One file of an export, opened: its headers, then its rows.
//!
//! **Invariant:** a file is read once from front to back, and never written.

use super::csv::{CsvError, CsvReader, Record};
use super::error::{FileProblem, SourceError};
use super::layout::Header;
use super::mapping::FileMapping;
use fellestall_shared::limits::SOURCE_ROWS;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// An open file, after its headers.
pub(super) struct SourceFile {
    name: String,
    reader: CsvReader<BufReader<File>>,
    header: Header,
    rows: u64,
}

/// A place in a file that cannot be read on, before its column has a name.
pub(super) struct Stop {
    pub(super) error: SourceError,
    /// The column's place, from 0, if the problem is in one cell.
    pub(super) field: Option<usize>,
}

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self { error, field: None }
    }
}

impl SourceFile {
    /// Opens a file of the folder and reads its headers; `None` if there is no such file.
    pub(super) fn open(folder: &Path, file: &FileMapping) -> Result<Option<Self>, SourceError> {
        let name = file.name.clone();
        let io = |source| SourceError::Io { file: file.name.clone(), source };
        let problem = |line, problem| SourceError::File {
            file: file.name.clone(),
            line,
            column: None,
            problem,
        };
        let mut input = match File::open(folder.join(&file.name)) {
            Ok(opened) => BufReader::new(opened),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let start = input.fill_buf().map_err(io)?;
        if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
            return Err(problem(1, FileProblem::Utf16));
        }
        if start.starts_with(&[0xEF, 0xBB, 0xBF]) {
            input.consume(3);
        }
        let mut reader = CsvReader::new(input, file.delimiter);
        let mut record = Record::default();
        if !reader.read(&mut record).map_err(|error| stop(&name, error).error)? {
            return Err(problem(1, FileProblem::Empty));
        }
        let header =
            Header::new(&record, file.encoding).map_err(|wrong| problem(record.line(), wrong))?;
        Ok(Some(Self { name, reader, header, rows: 0 }))
    }

    /// Its headers.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the next row; `false` at the end.
    pub(super) fn next(&mut self, record: &mut Record) -> Result<bool, Stop> {
        let more = self.reader.read(record).map_err(|error| stop(&self.name, error))?;
        self.rows = self.rows.saturating_add(u64::from(more));
        if self.rows > SOURCE_ROWS {
            let (file, line) = (self.name.clone(), record.line());
            let problem = FileProblem::TooManyRows;
            return Err(SourceError::File { file, line, column: None, problem }.into());
        }
        Ok(more)
    }

    /// How many rows were read so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }
}

fn stop(file: &str, error: CsvError) -> Stop {
    let file = file.to_owned();
    match error {
        CsvError::Io(source) => SourceError::Io { file, source }.into(),
        CsvError::Malformed(wrong) => Stop {
            error: SourceError::File {
                file,
                line: wrong.line,
                column: None,
                problem: wrong.fault.into(),
            },
            field: Some(wrong.field),
        },
    }
}

impl Stop {
    /// The error, with the name of its column.
    pub(super) fn named(self, header_at: impl Fn(usize) -> Option<String>) -> SourceError {
        match (self.error, self.field) {
            (SourceError::File { file, line, problem, .. }, Some(field)) => {
                SourceError::File { file, line, column: header_at(field), problem }
            }
            (error, _) => error,
        }
    }
}
