//! What holds the tables: a folder of files, or a database in one file.
//!
//! **Invariant:** all tables of a database are read in one transaction, which can only read, so that they
//! are of one moment; a table ends where it is said to end, and nowhere else.

use super::csv::Record;
use super::error::{FileProblem, SourceError};
use fellestall_shared::limits::{SOURCE_COLUMNS, SOURCE_FIELD_BYTES, SOURCE_ROWS};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Rows that are handed over at once, and about how many bytes, at the most.
const ROWS_AT_ONCE: usize = 500;
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// Where tables are.
pub(super) enum Shelf {
    /// Files in a folder.
    Folder(PathBuf),
    /// Tables and views of a database.
    Sqlite(Database),
}

/// A database that is open for reading. It lives in a thread of its own: its rows are lent by the
/// statement, and that by the connection.
pub(super) struct Database {
    ask: Option<Sender<Ask>>,
    thread: Option<JoinHandle<()>>,
}

/// A question about a table.
struct Ask {
    table: String,
    wants: Wants,
    answer: SyncSender<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wants {
    Columns,
    Rows,
}

/// A part of the answer.
enum Part {
    /// The columns' names; `None` if there is no such table.
    Columns(Option<Vec<String>>),
    Rows(Vec<Record>),
    /// There are no more rows.
    End,
    /// What a file may not have either, in this row, from 1; 0 is that of the columns.
    Wrong {
        row: u64,
        column: Option<String>,
        problem: FileProblem,
    },
    Failed(rusqlite::Error),
}

/// A table that is being read. Its rows are asked for with the first of them: the thread answers one
/// question after the other, and between its columns and its rows others may be read.
pub(super) struct Table {
    name: String,
    columns: Vec<String>,
    ask: Option<Sender<Ask>>,
    parts: Receiver<Part>,
    rows: std::vec::IntoIter<Record>,
    row: u64,
    is_at_end: bool,
}

impl Shelf {
    /// The database in this file.
    pub(super) fn sqlite(path: &Path) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Sqlite { file: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(20)).map_err(failed)?;
        // The first statement decides which moment all others see.
        let look = "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; BEGIN; \
            SELECT count(*) FROM sqlite_schema;";
        connection.execute_batch(look).map_err(failed)?;
        let (ask, asked) = channel();
        let thread = std::thread::spawn(move || serve(&connection, &asked));
        Ok(Self::Sqlite(Database { ask: Some(ask), thread: Some(thread) }))
    }
}

impl Database {
    /// Begins to read a table or a view; `None` if there is none of this name.
    pub(super) fn table(&self, name: &str) -> Result<Option<Table>, SourceError> {
        let Some(ask) = &self.ask else { return Err(ended_early(name)) };
        let parts = question(ask, name, Wants::Columns);
        let columns = match parts.recv() {
            Ok(Part::Columns(Some(columns))) => columns,
            Ok(Part::Columns(None)) => return Ok(None),
            other => return Err(instead_of_rows(name, other.ok())),
        };
        Ok(Some(Table {
            name: name.to_owned(),
            columns,
            ask: Some(ask.clone()),
            parts,
            rows: Vec::new().into_iter(),
            row: 0,
            is_at_end: false,
        }))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            // What it had to say was said in parts.
            thread.join().ok();
        }
    }
}

impl Table {
    /// The names of its columns.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Reads the next row; `false` at the end. Its line is its number, after one for the columns.
    pub(super) fn next(&mut self, record: &mut Record) -> Result<bool, SourceError> {
        if let Some(ask) = self.ask.take() {
            self.parts = question(&ask, &self.name, Wants::Rows);
        }
        while !self.is_at_end {
            if let Some(row) = self.rows.next() {
                *record = row;
                self.row = self.row.saturating_add(1);
                record.set_line(self.row.saturating_add(1));
                return self.within_limit().map(|()| true);
            }
            match self.parts.recv() {
                Ok(Part::Rows(rows)) => self.rows = rows.into_iter(),
                Ok(Part::End) => self.is_at_end = true,
                other => return Err(instead_of_rows(&self.name, other.ok())),
            }
        }
        Ok(false)
    }

    fn within_limit(&self) -> Result<(), SourceError> {
        if self.row > SOURCE_ROWS {
            let (file, line) = (self.name.clone(), self.row.saturating_add(1));
            let problem = FileProblem::TooManyRows;
            return Err(SourceError::File { file, line, column: None, problem });
        }
        Ok(())
    }
}

/// What came where the columns or rows of a table should have come; nothing, if the thread has ended.
fn instead_of_rows(table: &str, part: Option<Part>) -> SourceError {
    match part {
        Some(Part::Failed(source)) => SourceError::Sqlite { file: PathBuf::from(table), source },
        Some(Part::Wrong { row, column, problem }) => {
            let line = row.saturating_add(1);
            SourceError::File { file: table.to_owned(), line, column, problem }
        }
        Some(Part::Columns(_) | Part::Rows(_) | Part::End) | None => ended_early(table),
    }
}

fn ended_early(table: &str) -> SourceError {
    SourceError::EndedEarly { table: table.to_owned() }
}

/// Asks; where the answer comes. If the thread has ended, so has the answer.
fn question(ask: &Sender<Ask>, table: &str, wants: Wants) -> Receiver<Part> {
    let (answer, parts) = sync_channel(2);
    ask.send(Ask { table: table.to_owned(), wants, answer }).ok();
    parts
}

fn serve(connection: &Connection, asked: &Receiver<Ask>) {
    for ask in asked {
        if let Err(failed) = answer(connection, &ask) {
            // Who asked may have gone.
            ask.answer.send(Part::Failed(failed)).ok();
        }
    }
}

fn answer(connection: &Connection, ask: &Ask) -> rusqlite::Result<()> {
    let known = "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) = lower(?1)";
    let found: i64 = connection.query_row(known, [&ask.table], |row| row.get(0))?;
    if found == 0 {
        ask.answer.send(Part::Columns(None)).ok();
        return Ok(());
    }
    let quoted = ask.table.replace('"', "\"\"");
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{quoted}\""))?;
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    if columns.len() > SOURCE_COLUMNS {
        let problem = FileProblem::TooManyColumns;
        ask.answer.send(Part::Wrong { row: 0, column: None, problem }).ok();
        return Ok(());
    }
    if ask.wants == Wants::Columns {
        ask.answer.send(Part::Columns(Some(columns))).ok();
        return Ok(());
    }
    let mut rows = statement.query([])?;
    let (mut part, mut bytes, mut number) = (Vec::with_capacity(ROWS_AT_ONCE), 0_usize, 0_u64);
    while let Some(row) = rows.next()? {
        number = number.saturating_add(1);
        let mut record = Record::default();
        for (at, column) in columns.iter().enumerate() {
            let cell = match row.get_ref(at)? {
                ValueRef::Null => Cow::Borrowed(&b""[..]),
                ValueRef::Integer(number) => Cow::Owned(number.to_string().into_bytes()),
                ValueRef::Real(number) => Cow::Owned(number.to_string().into_bytes()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cow::Borrowed(bytes),
            };
            if cell.len() > SOURCE_FIELD_BYTES {
                let (column, problem) = (Some(column.clone()), FileProblem::FieldTooLong);
                ask.answer.send(Part::Wrong { row: number, column, problem }).ok();
                return Ok(());
            }
            bytes = bytes.saturating_add(cell.len());
            record.add(&cell);
        }
        part.push(record);
        if part.len() == ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE {
            let full = std::mem::replace(&mut part, Vec::with_capacity(ROWS_AT_ONCE));
            bytes = 0;
            if ask.answer.send(Part::Rows(full)).is_err() {
                return Ok(());
            }
        }
    }
    // Who asked may have gone.
    ask.answer.send(Part::Rows(part)).and_then(|()| ask.answer.send(Part::End)).ok();
    Ok(())
}

#[cfg(test)]
mod tests;
