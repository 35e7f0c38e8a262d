//! L07 and L04: bits that flip, disks that fail.

use super::support::{Node, ask, ask_without_records, round};
use crate::kernel::{JournalError, Kernel, KernelError, LedgerEntry};
use fellestall_shared::round::Round;
use fellestall_shared::wire::v1::Receipt;
use rusqlite::Connection;
use rusqlite::types::Value;

fn questions() -> Vec<Round> {
    ["2026H1", "2026H2", "2027H1"].map(|about| round("core", 1, about, &[1000, 500])).into()
}

/// A journal of three releases, the first of them sent.
pub(super) fn filled() -> Node {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    for question in questions() {
        ask(&mut kernel, &question).expect("a release");
    }
    let release = ask(&mut kernel, &questions()[0]).expect("a release");
    let receipt = Receipt { release: release.id(), digest: release.payload_digest() };
    kernel.mark_sent(release, &receipt).expect("noted");
    node
}

/// All that a journal says: its charges and the bytes of each release.
fn told(kernel: &mut Kernel) -> Result<(Vec<LedgerEntry>, Vec<Vec<u8>>), KernelError> {
    let mut bytes = Vec::new();
    for question in questions() {
        bytes.push(ask_without_records(kernel, &question)?.bytes().to_vec());
    }
    Ok((kernel.history()?, bytes))
}

fn is_damage(error: &KernelError) -> bool {
    matches!(
        error,
        KernelError::Journal(JournalError::Damaged { .. } | JournalError::Behind { .. })
    )
}

/// L07: a flipped bit in any column of any release is found, and nothing is answered.
#[test]
fn l07_a_flipped_bit_in_any_column_is_found() {
    let node = filled();
    let database = Connection::open(node.journal()).expect("a database");
    let columns: Vec<String> = database
        .prepare("SELECT name FROM pragma_table_info('release')")
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect())
        .expect("columns");
    assert_eq!(columns.len(), 14);
    let mut flips = 0;
    for row in 1..=3_i64 {
        for column in &columns {
            let cell = |sql: &str| database.query_row(sql, [row], |row| row.get::<_, Value>(0));
            let whole =
                cell(&format!("SELECT {column} FROM release WHERE sequence = ?1")).expect("a cell");
            for damaged in flipped(&whole) {
                let set = |value: &Value, row: i64| {
                    let cast =
                        if matches!(whole, Value::Text(_)) { "CAST(?1 AS TEXT)" } else { "?1" };
                    let sql = format!("UPDATE release SET {column} = {cast} WHERE sequence = ?2");
                    database.execute(&sql, rusqlite::params![value, row])
                };
                // A sequence or a question that is there already cannot be set: also found.
                if set(&damaged, row).is_err() {
                    continue;
                }
                let error = node.try_open().err();
                assert!(error.as_ref().is_some_and(is_damage), "{row} {column}: {error:?}");
                let key = if let (true, Value::Integer(key)) = (column == "sequence", &damaged) {
                    *key
                } else {
                    row
                };
                set(&bytes_of(&whole), key).expect("mended");
                flips += 1;
            }
        }
    }
    assert!(flips > 1_000, "{flips}");
    told(&mut node.open()).expect("whole again");
}

/// Text goes in as bytes, so that it may be no text any more.
fn bytes_of(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Blob(text.clone().into_bytes()),
        other => other.clone(),
    }
}

/// A value with one bit flipped: every bit of a number, one bit of each of up to 64 bytes.
fn flipped(value: &Value) -> Vec<Value> {
    match value {
        Value::Integer(number) => (0..63).map(|bit| Value::Integer(number ^ (1 << bit))).collect(),
        Value::Text(_) | Value::Blob(_) => {
            let Value::Blob(bytes) = bytes_of(value) else { unreachable!() };
            let step = bytes.len().div_ceil(64);
            (0..bytes.len())
                .step_by(step)
                .map(|at| {
                    let mut bytes = bytes.clone();
                    bytes[at] ^= 1 << (at % 8);
                    Value::Blob(bytes)
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// L07: a flipped bit anywhere in the file is found, or changes no byte and no sum.
#[test]
fn l07_a_flipped_bit_in_the_file_is_found_or_harmless() {
    let node = filled();
    let whole = told(&mut node.open()).expect("whole");
    let file = std::fs::read(node.journal()).expect("a file");
    assert!(file.len() > 8192 && !node.beside("-wal").exists(), "the log was not folded in");
    let everywhere = (0..file.len()).step_by(file.len().div_ceil(500));
    let mut found = 0;
    for at in (0..100).chain(everywhere) {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at * 5 % 8);
        std::fs::write(node.journal(), &damaged).expect("written");
        match node.try_open().and_then(|mut kernel| told(&mut kernel)) {
            Ok((mut entries, bytes)) => {
                // Whether a receipt was noted costs nothing: the release is sent again.
                for (entry, whole) in entries.iter_mut().zip(&whole.0) {
                    entry.sent = whole.sent;
                }
                assert_eq!((entries, bytes), whole, "byte {at}");
            }
            Err(KernelError::Journal(_)) => found += 1,
            Err(other) => panic!("byte {at}: {other}"),
        }
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(node.beside(end));
        }
    }
    assert!(found > 100, "{found}");
}

/// L07: a shortened, emptied, deleted or older journal is found by the head beside it.
#[test]
fn l07_a_journal_that_lost_releases_is_found() {
    let behind = |node: &Node| {
        let error = node.try_open().err();
        assert!(
            matches!(error, Some(KernelError::Journal(JournalError::Behind { .. }))),
            "{error:?}"
        );
    };
    for lost in ["sequence = 3", "sequence > 1", "sequence > 0"] {
        let node = filled();
        let database = Connection::open(node.journal()).expect("a database");
        database.execute(&format!("DELETE FROM release WHERE {lost}"), []).expect("deleted");
        drop(database);
        behind(&node);
    }
    let node = filled();
    std::fs::remove_file(node.journal()).expect("removed");
    behind(&node);
    let node = filled();
    std::fs::remove_file(node.beside(".head")).expect("removed");
    behind(&node);
    let node = filled();
    let database = Connection::open(node.journal()).expect("a database");
    database.execute("DELETE FROM release WHERE sequence = 2", []).expect("deleted");
    assert!(node.try_open().err().as_ref().is_some_and(is_damage));
}

/// A crash between the commit and the note leaves the note one behind: that is mended.
#[test]
fn a_head_one_release_behind_is_brought_up() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    for question in questions() {
        let before = std::fs::read(node.beside(".head")).expect("a head");
        ask(&mut kernel, &question).expect("a release");
        let after = std::fs::read(node.beside(".head")).expect("a head");
        std::fs::write(node.beside(".head"), before).expect("written");
        ask_without_records(&mut node.open(), &question).expect("a release");
        assert_eq!(std::fs::read(node.beside(".head")).expect("a head"), after);
    }
}

/// Something else's database is not a ledger.
#[test]
fn a_file_of_another_program_is_refused() {
    let node = Node::new(1_000_000);
    let database = Connection::open(node.journal()).expect("a database");
    database.execute_batch("CREATE TABLE other (a)").expect("made");
    drop(database);
    assert!(node.try_open().err().as_ref().is_some_and(is_damage));
    let node = Node::new(1_000_000);
    std::fs::write(node.journal(), "not a database, and long enough to be read as one".repeat(20))
        .expect("written");
    assert!(node.try_open().err().as_ref().is_some_and(is_damage));
}

/// Asks until this failure, which must charge nothing; mends, and expects the release.
fn fails_then_recovers(
    node: &Node,
    fail: &str,
    expected: &dyn Fn(&JournalError) -> bool,
    mend: &str,
) {
    let mut kernel = node.open();
    let first = round("core", 1, "2026H1", &[1000]);
    let bytes = ask(&mut kernel, &first).expect("a release").bytes().to_vec();
    kernel.journal.execute(fail);
    // A full file still has room within its last page.
    let failed = (1..=12).find_map(|month| {
        let question = round("core", 1, &format!("2027M{month:02}"), &[1000]);
        ask(&mut kernel, &question).err().map(|error| (question, error))
    });
    let (question, error) = failed.expect("released all the same");
    let KernelError::Journal(error) = error else { panic!("{error}") };
    assert!(expected(&error), "{error}");
    let before = kernel.history().expect("a history");
    assert!(before.iter().all(|entry| entry.period != question.period()));
    kernel.journal.execute(mend);
    let release = ask(&mut kernel, &question).expect("a release");
    assert_eq!(release.sequence(), before.last().expect("one").sequence + 1);
    assert_eq!(ask_without_records(&mut kernel, &first).expect("a release").bytes(), bytes);
}

/// L04: a full disk refuses the release and takes it when there is room.
#[test]
fn l04_a_full_disk_releases_nothing_and_recovers() {
    fails_then_recovers(
        &Node::new(1_000_000),
        "PRAGMA max_page_count = 1",
        &|error| matches!(error, JournalError::Full { .. }),
        "PRAGMA max_page_count = 100000",
    );
}

/// L04: a read-only ledger refuses the release and takes it when it is writable.
#[test]
fn l04_a_read_only_ledger_releases_nothing_and_recovers() {
    fails_then_recovers(
        &Node::new(1_000_000),
        "PRAGMA query_only = ON",
        &|error| matches!(error, JournalError::ReadOnly { .. }),
        "PRAGMA query_only = OFF",
    );
}

/// L04: a missing folder, or a folder in the file's place, says where to look.
#[test]
fn l04_a_ledger_that_cannot_be_opened_says_so() {
    let node = Node::new(1);
    let missing = Node::at(&node.folder.join("missing"), node.pkcs8.clone(), 1);
    for wrong in [missing, Node::at(&node.folder, node.pkcs8.clone(), 1)] {
        if wrong.folder == node.folder {
            std::fs::create_dir(wrong.journal()).expect("made");
        }
        let error = wrong.try_open().err().expect("refused");
        assert!(matches!(error, KernelError::Journal(JournalError::Open { .. })), "{error:?}");
        assert!(error.to_string().contains("check that its folder exists"), "{error}");
    }
}

/// L04: a release whose head could not be noted is on disk, and is given when the note can be made.
#[test]
fn l04_a_head_that_cannot_be_noted_gives_no_bytes_until_it_can() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    let question = &questions()[0];
    std::fs::create_dir(node.beside(".head.new")).expect("in the way");
    assert!(matches!(ask(&mut kernel, question), Err(KernelError::Journal(_))));
    std::fs::remove_dir(node.beside(".head.new")).expect("out of the way");
    let release = ask_without_records(&mut kernel, question).expect("the recorded release");
    assert_eq!(release.sequence(), 1);
    assert_eq!(kernel.history().expect("a history").len(), 1);
}
