//! The committed fixtures are what the generator writes, so that they never drift apart.

use super::super::{Export, bergen, foreign_sandnes, municipality, sandnes};
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

/// Each export of the fixtures with the name of its folder.
fn exports() -> [(&'static str, Export); 4] {
    let drawn = |number: &str, period: &str, seed| {
        municipality(&number.parse().expect("a number"), super::period(period), seed)
    };
    [
        ("bergen", bergen()),
        ("sandnes", sandnes()),
        ("drawn-4614-2024H2", drawn("4614", "2024H2", 1)),
        ("drawn-0301-2026H1", drawn("0301", "2026H1", 1)),
    ]
}

fn truth(export: &Export) -> String {
    serde_json::to_string_pretty(&export.truth).expect("plain tables") + "\n"
}

#[test]
fn exports_and_their_truth_are_what_the_generator_writes() {
    for (name, export) in exports() {
        check(|folder| export.write(folder), name);
        let fixture = folder("truth").join(name).with_extension("json");
        assert_eq!(fs::read_to_string(fixture).expect("a fixture"), truth(&export), "{name}");
    }
}

/// Writes the fixtures anew after a change of the generator:
/// `cargo test -p fellestall-tests fixtures -- --ignored`.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_fixtures() {
    fs::create_dir_all(folder("truth")).expect("a folder");
    for (name, export) in exports() {
        export.write(&folder(name)).expect("written");
        fs::write(folder("truth").join(name).with_extension("json"), truth(&export))
            .expect("written");
    }
    foreign_sandnes().write(&folder("foreign")).expect("written");
}
