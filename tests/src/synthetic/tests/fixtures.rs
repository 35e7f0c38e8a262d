//! The committed fixtures are what the generator writes, so that they never drift apart.

use super::super::{bergen, foreign_sandnes, sandnes};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).join(name)
}

#[track_caller]
fn check(write: impl Fn(&Path) -> io::Result<()>, name: &str) {
    let written = tempfile::tempdir().expect("a folder");
    write(written.path()).expect("written");
    let names = |folder: PathBuf| -> BTreeSet<_> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name()).collect()
    };
    let fixtures = folder(name);
    assert_eq!(names(fixtures.clone()), names(written.path().to_owned()));
    for file in names(fixtures.clone()) {
        let [fixture, now] = [fixtures.join(&file), written.path().join(&file)].map(fs::read);
        assert!(fixture.expect("a fixture") == now.expect("a file"), "{name}: {file:?} differs");
    }
}

#[test]
fn bergen_is_what_the_generator_writes() {
    check(|folder| bergen().write(folder), "bergen");
}

#[test]
fn sandnes_is_what_the_generator_writes() {
    check(|folder| sandnes().write(folder), "sandnes");
}

#[test]
fn the_foreign_export_is_what_the_generator_writes() {
    check(|folder| foreign_sandnes().write(folder), "foreign");
}

#[test]
fn the_foreign_export_is_latin_1_with_semicolons_and_no_code_of_ours() {
    let read = |name: &str| fs::read(folder("foreign").join(name)).expect("a fixture");
    let participants = read("deltakere_på_tiltak.txt");
    assert!(std::str::from_utf8(&participants).is_err());
    let tenancies = read("leieforhold.txt");
    let text: String = [participants, tenancies].concat().into_iter().map(char::from).collect();
    assert!(text.contains("Kjønn") && text.contains("Årsak til avslutning;"));
    for standard in ["man", "unknown", "landlord_notice", "2014-", "participant_id", ","] {
        assert!(
            text.split([';', '\r', '\n']).all(|cell| !cell.starts_with(standard)),
            "{standard}"
        );
    }
    assert!(!text.contains('?'), "a character that ISO-8859-1 lacks");
}

/// Writes the fixtures anew after a change of the generator:
/// `cargo test -p fellestall-tests fixtures -- --ignored`.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_fixtures() {
    bergen().write(&folder("bergen")).expect("written");
    sandnes().write(&folder("sandnes")).expect("written");
    foreign_sandnes().write(&folder("foreign")).expect("written");
}
