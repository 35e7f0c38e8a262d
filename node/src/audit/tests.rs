//! A log that somebody has been at.

use super::{Actor, AuditError, AuditLog, Event, FILE, Unanswered, head_after, verify};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use rusqlite::{Connection, params};
use std::path::Path;
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_unix(1_767_225_600);

fn some_events() -> Vec<Event> {
    let round = |n: u8| format!("core.{n}.2026H1").parse().expect("a round");
    let study = Digest::of("test", b"study");
    vec![
        Event::NodeMade { release_key: Digest::of("test", b"key") },
        Event::Enrolled { node: "4601-1".parse().expect("an id") },
        Event::StudyReceived { study, name: "core.1".to_owned() },
        Event::Approved { study, name: "core.1".to_owned() },
        Event::RoundReceived { round: round(1) },
        Event::NotReleased { round: round(1), reason: Unanswered::Records },
        Event::SignedIn,
    ]
}

fn written() -> TempDir {
    let place = tempfile::tempdir().expect("a folder");
    let mut log = AuditLog::open(place.path()).expect("a log");
    for event in some_events() {
        log.append(NOW, &Actor::named("kari"), event).expect("written");
    }
    place
}

/// Opens the file as somebody with a database tool would, with the triggers out of the way.
fn tampered(place: &Path, change: impl FnOnce(&Connection)) {
    let connection = Connection::open(place.join(FILE)).expect("the file");
    connection
        .execute_batch("DROP TRIGGER entry_keeps; DROP TRIGGER entry_stays;")
        .expect("dropped");
    change(&connection);
}

fn broken_at(place: &Path) -> Option<u64> {
    match verify(place) {
        Ok(_) => None,
        Err(AuditError::Broken { sequence, .. } | AuditError::Behind { sequence, .. }) => {
            Some(sequence)
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_is_written_is_read_back_and_an_unchanged_log_holds() {
    let place = written();
    let entries = AuditLog::open(place.path()).expect("a log").entries().expect("it holds");
    let events: Vec<_> = entries.iter().map(|entry| entry.body.what.clone()).collect();
    assert_eq!(events, some_events());
    assert!(entries.iter().all(|entry| entry.body.by == Actor::named("kari")));
    let report = verify(place.path()).expect("it holds");
    assert_eq!((report.entries, report.head), (7, entries[6].head));
    let other = tempfile::tempdir().expect("a folder");
    assert_eq!(verify(other.path()).expect("an empty log holds").entries, 0);
}

#[test]
fn every_altered_byte_of_every_entry_is_found() {
    let count = i64::try_from(some_events().len()).expect("few");
    for sequence in 1..=count {
        for column in ["body", "head"] {
            let place = written();
            tampered(place.path(), |log| {
                let read = format!("SELECT {column} FROM entry WHERE sequence = ?1");
                let mut bytes: Vec<u8> =
                    log.query_row(&read, [sequence], |row| row.get(0)).expect("a row");
                for at in 0..bytes.len() {
                    bytes[at] ^= 1;
                    let write = format!("UPDATE entry SET {column} = ?1 WHERE sequence = ?2");
                    log.execute(&write, params![bytes, sequence]).expect("altered");
                    let found = verify(place.path()).is_err();
                    assert!(found, "byte {at} of the {column} of entry {sequence}");
                    bytes[at] ^= 1;
                    log.execute(&write, params![bytes, sequence]).expect("mended");
                }
                assert_eq!(broken_at(place.path()), None, "and mended, it holds again");
            });
        }
    }
}

#[test]
fn every_removed_moved_or_doubled_entry_is_found() {
    let count = i64::try_from(some_events().len()).expect("few");
    for sequence in 1..=count {
        let next = sequence % count + 1;
        let changes = [
            format!("DELETE FROM entry WHERE sequence = {sequence}"),
            // Removed, and the rest moved up.
            format!(
                "DELETE FROM entry WHERE sequence = {sequence};
                 UPDATE entry SET sequence = -sequence WHERE sequence > {sequence};
                 UPDATE entry SET sequence = -sequence - 1 WHERE sequence < 0"
            ),
            // Two change places.
            format!(
                "UPDATE entry SET sequence = -1 WHERE sequence = {sequence};
                 UPDATE entry SET sequence = {sequence} WHERE sequence = {next};
                 UPDATE entry SET sequence = {next} WHERE sequence = -1"
            ),
            // Only the contents change places.
            format!(
                "CREATE TABLE aside AS SELECT * FROM entry;
                 UPDATE entry SET (body, head) =
                   (SELECT body, head FROM aside WHERE sequence = {next}) WHERE sequence = {sequence};
                 UPDATE entry SET (body, head) =
                   (SELECT body, head FROM aside WHERE sequence = {sequence}) WHERE sequence = {next}"
            ),
            format!(
                "INSERT INTO entry SELECT {count} + 1, body, head FROM entry WHERE sequence = {sequence}"
            ),
            // All from here on are gone, as in an older copy.
            format!("DELETE FROM entry WHERE sequence >= {sequence}"),
        ];
        for change in changes {
            let place = written();
            tampered(place.path(), |log| log.execute_batch(&change).expect("changed"));
            assert!(broken_at(place.path()).is_some(), "{change}");
        }
    }
}

#[test]
fn an_entry_that_somebody_else_appended_is_found_unless_its_head_is_right() {
    let place = written();
    let body = {
        let mut body = AuditLog::open(place.path()).expect("a log").entries().expect("it holds")[6]
            .body
            .clone();
        body.sequence = 8;
        serde_json::to_vec(&body).expect("JSON")
    };
    tampered(place.path(), |log| {
        let head = head_after(Digest::ZERO, &body);
        let insert = "INSERT INTO entry VALUES (8, ?1, ?2)";
        log.execute(insert, params![body, head.as_bytes()]).expect("appended");
    });
    assert_eq!(broken_at(place.path()), Some(8));
}

#[test]
fn an_older_copy_beside_a_newer_head_is_found_and_nothing_is_appended_to_it() {
    let place = written();
    let copy = std::fs::read(place.path().join(FILE)).expect("read");
    let mut log = AuditLog::open(place.path()).expect("a log");
    log.append(NOW, &Actor::node(), Event::SignInFailed).expect("written");
    drop(log);
    std::fs::write(place.path().join(FILE), copy).expect("restored");
    assert_eq!(broken_at(place.path()), Some(7));
    assert!(matches!(AuditLog::open(place.path()), Err(AuditError::Behind { .. })));
    std::fs::remove_file(place.path().join("audit.sqlite.head")).expect("removed");
    assert!(broken_at(place.path()).is_some(), "without the note it is no better");
}

#[test]
fn an_exported_log_is_checked_like_the_log_itself() {
    let place = written();
    let path = place.path().join(FILE);
    let entries = AuditLog::open(place.path()).expect("a log").entries().expect("it holds");
    let text = super::export(&path, &entries, None).expect("exported");
    assert_eq!(super::import(&path, &text).expect("it holds").entries, entries);
    let lines: Vec<_> = text.lines().collect();
    for at in 0..lines.len() {
        let mut changed = lines.clone();
        changed.remove(at);
        let removed_last = at + 1 == lines.len();
        assert_eq!(super::import(&path, &changed.join("\n")).is_err(), !removed_last, "{at}");
        let altered = lines[at].replace("kari", "kåre");
        changed.insert(at, &altered);
        assert!(super::import(&path, &changed.join("\n")).is_err(), "altered {at}");
    }
}

#[test]
fn the_same_is_written_down_once() {
    let place = tempfile::tempdir().expect("a folder");
    let mut log = AuditLog::open(place.path()).expect("a log");
    let by = Actor::named("kari");
    for text in ["a = 1", "a = 1", "a = 2", "a = 2", "a = 1"] {
        std::fs::write(place.path().join(crate::config::FILE), text).expect("written");
        log.note_settings(NOW, &by).expect("noted");
    }
    let round = "core.1.2026H1".parse().expect("a round");
    for reason in
        [Unanswered::Records, Unanswered::Records, Unanswered::Budget, Unanswered::Records]
    {
        log.note_not_released(NOW, &round, reason).expect("noted");
    }
    let entries = log.entries().expect("it holds");
    let changed =
        |entry: &&super::Entry| matches!(entry.body.what, Event::ConfigurationChanged { .. });
    assert_eq!((entries.iter().filter(changed).count(), entries.len()), (3, 6));
}
