//! What reading may take, and databases that are none.
//!
//! **Invariant:** what is refused here is refused before anything is counted.

use super::export::{Export, read_all};
use crate::kernel::source::{
    Limits, Mapping, Origin, RejectedRows, SourceConfig, SourceError, Table, check,
};
use fellestall_shared::limits::SOURCE_FIELD_BYTES;
use std::path::{Path, PathBuf};

fn with_memory(memory: u64) -> (bool, bool) {
    let is_refused = |error: &SourceError| {
        assert!(error.to_string().contains("memory_mib under [records]"), "{error}");
        matches!(error, SourceError::Memory { .. })
    };
    Export::standard().on_disk(|config| {
        let limits = Limits { memory, ..Limits::default() };
        let config = SourceConfig { limits, ..config.clone() };
        let read = read_all(&config).err().is_some_and(|error| is_refused(&error));
        (read, check(&config).err().is_some_and(|error| is_refused(&error)))
    })
}

#[test]
fn more_memory_than_is_allowed_is_refused() {
    assert_eq!(with_memory(1_000), (true, true));
    // Enough for the people, and not for the sums of thirty years.
    assert_eq!(with_memory(10_000), (true, false));
    assert_eq!(with_memory(1_000_000), (false, false));
}

fn refused(path: PathBuf) -> SourceError {
    Export::standard().on_disk(|config| {
        let config = SourceConfig { origin: Origin::Sqlite(path), ..config.clone() };
        check(&config).expect_err("no records")
    })
}

#[test]
fn what_is_no_database_or_lacks_a_table_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = refused(folder.path().join("none.db"));
    assert!(matches!(&missing, SourceError::Sqlite { .. }), "{missing}");
    assert!(missing.to_string().contains("none.db cannot be read as an SQLite database"));
    assert!(!folder.path().join("none.db").exists(), "a database was made");

    let text = folder.path().join("text.db");
    std::fs::write(&text, "participant_id,intake_date\n".repeat(100)).expect("written");
    assert!(matches!(refused(text), SourceError::Sqlite { .. }));

    let empty = folder.path().join("empty.db");
    rusqlite::Connection::open(&empty)
        .expect("made")
        .execute_batch("VACUUM")
        .expect("an empty one");
    let error = refused(empty);
    assert!(matches!(&error, SourceError::Missing { .. }), "{error}");
    assert!(error.to_string().contains("nothing can be counted without the participant table"));
}

/// The same tables in a database.
fn in_database(export: &Export, path: &Path) {
    let database = rusqlite::Connection::open(path).expect("made");
    for name in export.names() {
        let (table, text) = (name.trim_end_matches(".csv"), export.text(&name));
        let mut lines = text.lines();
        let columns = lines.next().expect("headers").replace(',', "\", \"");
        database.execute(&format!("CREATE TABLE {table} (\"{columns}\")"), ()).expect("a table");
        for line in lines {
            let cells = line.replace(',', "', '");
            database
                .execute(&format!("INSERT INTO {table} VALUES ('{cells}')"), ())
                .expect("a row");
        }
    }
}

#[test]
fn a_row_of_a_database_is_of_its_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("client.db");
    let export = Export::standard().replace("participant.csv", "1975", "then");
    in_database(&export.replace("contact.csv", ",4,", ",many,"), &path);
    let mapping = Mapping::standard().expect("a mapping");
    let config = SourceConfig::new(Origin::Sqlite(path), mapping, RejectedRows::Refuse);
    let report = check(&config).expect("it can be read");
    let rejected: Vec<_> = report.rejected.shown.iter().map(|row| row.file.as_str()).collect();
    assert_eq!(rejected, ["participant", "contact"]);
    let tables: Vec<_> = report.tables.iter().map(|table| table.file.as_str()).collect();
    assert_eq!(tables, Table::ALL.map(Table::name));
}

#[test]
fn a_cell_of_a_database_is_no_longer_than_one_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for (length, fits) in [(SOURCE_FIELD_BYTES, true), (SOURCE_FIELD_BYTES + 1, false)] {
        let path = folder.path().join(format!("{length}.db"));
        in_database(&Export::standard(), &path);
        let database = rusqlite::Connection::open(&path).expect("opened");
        database.execute("ALTER TABLE contact ADD COLUMN note", ()).expect("a column");
        let set = "UPDATE contact SET note = zeroblob(?1) WHERE rowid = 2";
        let bytes = i64::try_from(length).expect("a length");
        database.execute(set, [bytes]).expect("a cell");
        let mapping = Mapping::standard().expect("a mapping");
        let config = SourceConfig::new(Origin::Sqlite(path), mapping, RejectedRows::Refuse);
        let error = check(&config).err().map(|error| error.to_string());
        assert_eq!(error.is_none(), fits, "{error:?}");
        assert!(error.is_none_or(|text| text.starts_with("contact line 3, column note")));
    }
}

/// What a large file says that is no delimited text from this line on, by so many threads.
fn stopped(first_wrong: usize, threads: usize) -> String {
    let wide = format!("a1{}\n", ",".repeat(1_001));
    let rows: String = (2..2_000)
        .map(|line| if line < first_wrong { "a1,2016-10,nav,1,yes\n" } else { wide.as_str() })
        .collect();
    let contacts = format!("participant_id,month,category,count,recorded\n{rows}");
    Export::standard().with("contact.csv", contacts.as_str()).on_disk(|config| {
        let threads = threads.try_into().expect("a thread");
        let limits = Limits { threads, block: 4_096, ..Limits::default() };
        let config = SourceConfig { limits, ..config.clone() };
        read_all(&config).err().expect("no delimited text").to_string()
    })
}

#[test]
fn text_that_is_none_ends_every_thread_and_its_first_line_is_named() {
    for first_wrong in [2, 190, 400, 1_999] {
        let one = stopped(first_wrong, 1);
        assert!(one.starts_with(&format!("contact.csv line {first_wrong}")), "{one}");
        for _ in 0..20 {
            assert_eq!(stopped(first_wrong, 2), one);
            assert_eq!(stopped(first_wrong, 7), one);
        }
    }
}
