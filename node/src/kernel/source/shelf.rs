//! What holds the tables: a folder of files, or a database in one file.
//!
//! **Invariant:** all tables of a database are read in one transaction, which can only read, so that they
//! are of one moment.

use super::csv::Record;
use super::error::SourceError;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Rows that are handed over at once.
const ROWS_AT_ONCE: usize = 500;

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
}

impl Shelf {
    /// The database in this file.
    pub(super) fn sqlite(path: &Path) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Sqlite { file: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(std::time::Duration::from_secs(20)).map_err(failed)?;
        // The first statement decides which moment all others see.
        let look = "PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM sqlite_schema;";
        connection.execute_batch(look).map_err(failed)?;
        let (ask, asked) = channel();
        let thread = std::thread::spawn(move || serve(&connection, &asked));
        Ok(Self::Sqlite(Database { ask: Some(ask), thread: Some(thread) }))
    }
}

impl Database {
    /// Begins to read a table or a view; `None` if there is none of this name.
    pub(super) fn table(&self, name: &str) -> Result<Option<Table>, SourceError> {
        let Some(ask) = &self.ask else { return Ok(None) };
        let parts = question(ask, name, Wants::Columns);
        match parts.recv() {
            Ok(Part::Columns(Some(columns))) => {
                let (name, rows) = (name.to_owned(), Vec::new().into_iter());
                Ok(Some(Table { name, columns, ask: Some(ask.clone()), parts, rows, row: 0 }))
            }
            Ok(Part::Failed(source)) => {
                Err(SourceError::Sqlite { file: PathBuf::from(name), source })
            }
            // No such table; nothing else is ever answered.
            Ok(Part::Columns(None) | Part::Rows(_)) | Err(_) => Ok(None),
        }
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
        loop {
            if let Some(row) = self.rows.next() {
                self.row = self.row.saturating_add(1);
                *record = row;
                record.set_line(self.row.saturating_add(1));
                return Ok(true);
            }
            match self.parts.recv() {
                Ok(Part::Rows(rows)) => self.rows = rows.into_iter(),
                Ok(Part::Failed(source)) => {
                    let file = PathBuf::from(&self.name);
                    return Err(SourceError::Sqlite { file, source });
                }
                Ok(Part::Columns(_)) | Err(_) => return Ok(false),
            }
        }
    }
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
    let width = columns.len();
    if ask.wants == Wants::Columns {
        ask.answer.send(Part::Columns(Some(columns))).ok();
        return Ok(());
    }
    let mut rows = statement.query([])?;
    let mut part = Vec::with_capacity(ROWS_AT_ONCE);
    while let Some(row) = rows.next()? {
        let mut record = Record::default();
        for column in 0..width {
            match row.get_ref(column)? {
                ValueRef::Null => record.add(b""),
                ValueRef::Integer(number) => record.add(number.to_string().as_bytes()),
                ValueRef::Real(number) => record.add(number.to_string().as_bytes()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => record.add(bytes),
            }
        }
        part.push(record);
        if part.len() == ROWS_AT_ONCE {
            let full = std::mem::replace(&mut part, Vec::with_capacity(ROWS_AT_ONCE));
            if ask.answer.send(Part::Rows(full)).is_err() {
                return Ok(());
            }
        }
    }
    ask.answer.send(Part::Rows(part)).ok();
    Ok(())
}
