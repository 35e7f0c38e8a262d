//! What the snapshot must hold: the country of 2024, whole and in order.

use super::{all, find};
use std::collections::{BTreeMap, BTreeSet};

/// Municipalities in each county on 2024-01-01.
const COUNTIES: [(&str, &str, usize); 15] = [
    ("03", "Oslo", 1),
    ("11", "Rogaland", 23),
    ("15", "Møre og Romsdal", 27),
    ("18", "Nordland", 41),
    ("31", "Østfold", 12),
    ("32", "Akershus", 21),
    ("33", "Buskerud", 18),
    ("34", "Innlandet", 46),
    ("39", "Vestfold", 6),
    ("40", "Telemark", 17),
    ("42", "Agder", 25),
    ("46", "Vestland", 43),
    ("50", "Trøndelag", 38),
    ("55", "Troms", 21),
    ("56", "Finnmark", 18),
];

fn name_of(number: &str) -> Option<&'static str> {
    find(&number.parse().expect("four digits")).map(|municipality| municipality.name)
}

#[test]
fn every_line_of_the_snapshot_is_a_municipality() {
    assert_eq!(super::SNAPSHOT.lines().next(), Some("number;name;county;county_name"));
    assert_eq!(super::SNAPSHOT.lines().count(), 1 + all().len());
    assert_eq!(all().len(), 357);
    for line in super::SNAPSHOT.lines() {
        assert_eq!(line.split(';').count(), 4, "{line}");
        assert!(line.split(';').all(|part| !part.is_empty() && part.trim() == part), "{line}");
    }
}

#[test]
fn the_snapshot_is_sorted_and_has_no_number_twice() {
    assert!(all().is_sorted_by(|one, next| one.number < next.number));
}

#[test]
fn a_number_begins_with_its_county() {
    for municipality in all() {
        assert_eq!(&municipality.number.as_str()[..2], municipality.county, "{municipality:?}");
    }
}

#[test]
fn each_county_has_the_municipalities_of_2024() {
    let mut counted = BTreeMap::new();
    for municipality in all() {
        *counted.entry((municipality.county, municipality.county_name)).or_insert(0) += 1;
    }
    let expected = COUNTIES.iter().map(|(number, name, count)| ((*number, *name), *count));
    assert_eq!(counted, expected.collect());
}

#[test]
fn no_two_municipalities_share_a_name() {
    let names: BTreeSet<_> = all().iter().map(|municipality| municipality.name).collect();
    assert_eq!(names.len(), all().len());
}

#[test]
fn known_municipalities_are_found_and_former_ones_are_not() {
    for (number, name) in [
        ("0301", "Oslo"),
        ("1108", "Sandnes"),
        ("1508", "Ålesund"),
        ("1580", "Haram"),
        ("3103", "Moss"),
        ("4601", "Bergen"),
        ("5001", "Trondheim"),
        ("5612", "Kautokeino"),
    ] {
        assert_eq!(name_of(number), Some(name));
    }
    for former in ["1507", "1201", "3001", "5401", "0000", "9999"] {
        assert_eq!(name_of(former), None, "{former}");
    }
}
