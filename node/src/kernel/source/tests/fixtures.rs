//! The committed synthetic exports: each is clean, and the foreign one is Sandnes in other words.
//!
//! **Invariant:** what the generator writes is read without a rejected row or a contradiction.

use super::export::{dump, read_all};
use crate::kernel::source::{Mapping, Origin, RejectedRows, SourceConfig, check};
use std::path::PathBuf;

fn fixture(name: &str) -> SourceConfig {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name);
    let mapping = std::fs::read_to_string(folder.join("mapping.toml")).unwrap_or_default();
    let mapping = Mapping::parse(&mapping).expect("a mapping");
    SourceConfig::new(Origin::Folder(folder), mapping, RejectedRows::Refuse)
}

fn records(name: &str) -> String {
    read_all(&fixture(name)).map(|(records, _)| dump(&records)).expect("records")
}

#[test]
fn the_foreign_fixture_holds_the_records_of_sandnes() {
    let expected = records("sandnes");
    assert!(expected.lines().count() > 15, "{expected}");
    assert_eq!(records("foreign"), expected);
}

#[test]
fn the_fixtures_are_clean() {
    for name in ["bergen", "sandnes", "foreign", "drawn-0301-2026H1", "drawn-4614-2024H2"] {
        let report = check(&fixture(name)).expect("a report");
        assert!(report.is_clean(), "{name}\n{report}");
        assert!(report.tables.iter().all(|table| table.present && table.read > 0), "{report}");
    }
}
