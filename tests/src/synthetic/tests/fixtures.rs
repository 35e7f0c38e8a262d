//! The committed fixtures are what the generator writes, so that they never drift apart.

use super::super::{Export, bergen, sandnes};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).join(name)
}

#[track_caller]
fn check(export: &Export, name: &str) {
    let written = tempfile::tempdir().expect("a folder");
    export.write(written.path()).expect("written");
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
    check(&bergen(), "bergen");
}

#[test]
fn sandnes_is_what_the_generator_writes() {
    check(&sandnes(), "sandnes");
}

/// Writes the fixtures anew after a change of the generator:
/// `cargo test -p fellestall-tests fixtures -- --ignored`.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_fixtures() {
    bergen().write(&folder("bergen")).expect("written");
    sandnes().write(&folder("sandnes")).expect("written");
}
