//! Tables whose reading stops.
//!
//! **Invariant:** rows that did not come are never taken for rows that are not there.

use super::{
    Database, FileProblem, Part, Receiver, Record, SOURCE_ROWS, SourceError, Table, channel,
    sync_channel,
};

fn row(text: &str) -> Record {
    let mut record = Record::default();
    record.add(text.as_bytes());
    record
}

fn table(parts: Receiver<Part>) -> Table {
    Table {
        name: "stay".to_owned(),
        columns: vec!["participant_id".to_owned()],
        ask: None,
        parts,
        rows: Vec::new().into_iter(),
        row: 0,
        is_at_end: false,
    }
}

/// A table of which these parts come, before nothing comes any more.
fn table_of(answers: Vec<Part>) -> Table {
    let (answer, parts) = sync_channel(answers.len());
    for part in answers {
        answer.send(part).expect("received");
    }
    table(parts)
}

fn read(mut table: Table) -> Result<usize, SourceError> {
    let (mut record, mut rows) = (Record::default(), 0);
    while table.next(&mut record)? {
        rows += 1;
    }
    assert!(!table.next(&mut record)?, "a row after the last");
    Ok(rows)
}

fn is_early(error: &SourceError) -> bool {
    let said = error.to_string();
    said.contains("the reading of stay ended before its last row; nothing was counted")
}

#[test]
fn a_table_ends_where_it_says_so() {
    let rows = || Part::Rows(vec![row("A"), row("B")]);
    assert_eq!(read(table_of(vec![rows(), rows(), Part::End])).ok(), Some(4));
    assert_eq!(read(table_of(vec![Part::End])).ok(), Some(0));
}

#[test]
fn rows_that_stop_coming_are_an_error() {
    let unexpected = || Part::Columns(None);
    let rows = || Part::Rows(vec![row("A")]);
    for sent in [vec![], vec![rows()], vec![rows(), unexpected()], vec![unexpected(), Part::End]] {
        let error = read(table_of(sent)).expect_err("rows are missing");
        assert!(is_early(&error), "{error}");
    }
}

#[test]
fn a_table_is_not_missing_because_nobody_answers() {
    let (ask, asked) = channel();
    drop(asked);
    let gone = Database { ask: Some(ask), thread: None };
    let closed = Database { ask: None, thread: None };
    for database in [gone, closed] {
        let Err(error) = database.table("stay") else { panic!("a table, or none") };
        assert!(is_early(&error), "{error}");
    }
}

#[test]
fn a_table_may_not_have_more_rows_than_a_file() {
    let mut full = table_of(vec![Part::Rows(vec![row("A"), row("B")]), Part::End]);
    full.row = SOURCE_ROWS - 1;
    let mut record = Record::default();
    assert!(full.next(&mut record).expect("the last that may be"));
    let Err(SourceError::File { file, problem: FileProblem::TooManyRows, .. }) =
        full.next(&mut record)
    else {
        panic!("one row too many")
    };
    assert_eq!(file, "stay");
}
