//! A drawn export, as an `SQLite` database.
//!
//! **Invariant:** every cell is the text that the export has.

use super::draw::Drawn;
use rusqlite::{Connection, params_from_iter};
use std::path::{Path, PathBuf};

/// A database in this folder with the tables of an export; `None` for one with rows of another length than
/// its headers, which no table can hold.
pub fn of(drawn: &Drawn, folder: &Path) -> Option<PathBuf> {
    let path = folder.join("records.db");
    let connection = Connection::open(&path).expect("a database");
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN").expect("begun");
    for (name, bytes) in &drawn.files {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(drawn.format.delimiter as u8)
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let text = |cell: &[u8]| {
            if drawn.format.latin1 {
                cell.iter().copied().map(char::from).collect::<String>()
            } else {
                String::from_utf8_lossy(cell).into_owned()
            }
        };
        // What is not UTF-8 is not text to a database.
        if !drawn.format.latin1 && std::str::from_utf8(bytes).is_err() {
            return None;
        }
        let mut records = reader
            .byte_records()
            .map(|record| record.expect("a record").iter().map(text).collect::<Vec<String>>());
        let headers = records.next().expect("headers");
        let quoted = |name: &String| format!("\"{}\" TEXT", name.replace('"', "\"\""));
        let columns: Vec<String> = headers.iter().map(quoted).collect();
        let table = name.strip_suffix(".csv").unwrap_or(name);
        connection
            .execute(&format!("CREATE TABLE \"{table}\" ({})", columns.join(", ")), [])
            .expect("a table");
        let places = vec!["?"; headers.len()].join(", ");
        let insert = format!("INSERT INTO \"{table}\" VALUES ({places})");
        let mut insert = connection.prepare(&insert).expect("a statement");
        for record in records {
            if record.len() != headers.len() {
                return None;
            }
            insert.execute(params_from_iter(record)).expect("a row");
        }
    }
    connection.execute_batch("COMMIT").expect("committed");
    Some(path)
}
