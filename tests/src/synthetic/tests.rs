//! What the synthetic exports hold: the printed figures, the catalogue's cells, and order.

use super::{Export, Truth, bergen, municipality, nineteen, sandnes};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::period::Period;
use std::collections::BTreeSet;

mod fixtures;
mod published;

fn period(text: &str) -> Period {
    text.parse().expect("a period")
}

fn drawn(seed: u64) -> Vec<Export> {
    nineteen().iter().map(|number| municipality(number, period("2026H1"), seed)).collect()
}

/// The cells of a statistic, named as the truth names them.
fn cells_of(statistic: &str) -> BTreeSet<String> {
    let catalogue = Catalogue::builtin().expect("a sound catalogue");
    let statistic = catalogue.statistic(&statistic.parse().expect("an id")).expect("a statistic");
    let name = |cell| {
        let categories = statistic.categories_of(cell).expect("a cell of the table");
        categories.iter().map(|category| category.code()).collect::<Vec<_>>().join("/")
    };
    (0..statistic.cells()).map(name).collect()
}

#[test]
fn the_same_seed_gives_the_same_records_and_another_gives_others() {
    let oslo = "0301".parse().expect("a number");
    let one = municipality(&oslo, period("2026H1"), 7);
    assert_eq!(one.files(), municipality(&oslo, period("2026H1"), 7).files());
    assert_ne!(one.files(), municipality(&oslo, period("2026H1"), 8).files());
    assert_ne!(one.files(), municipality(&oslo, period("2025H2"), 7).files());
}

#[test]
fn the_truth_speaks_in_the_cells_of_the_catalogue() {
    let truths: Vec<_> = drawn(1).into_iter().map(|export| export.truth).collect();
    let all = Truth::sum(truths.iter().chain([&bergen().truth, &sandnes().truth]));
    for (statistic, counts) in all.tables() {
        let cells = cells_of(statistic);
        for cell in counts.keys() {
            assert!(cells.contains(cell), "{statistic} has no {cell}");
        }
        assert!(!counts.is_empty(), "{statistic} is empty everywhere");
    }
}

#[test]
fn tables_about_everybody_have_one_total() {
    for export in drawn(2) {
        let total = |statistic: &str| export.truth.tables()[statistic].values().sum::<i64>();
        for statistic in ["S2", "S3", "S5", "S6", "S22", "S27", "S28"] {
            assert_eq!(total(statistic), total("S1"), "{statistic}");
        }
        assert_eq!(total("S4"), 3 * total("S1"));
        assert!(total("S14") <= total("S17") && total("S17") <= total("S1"));
    }
}

#[test]
fn a_generated_country_has_something_in_every_cell_that_it_can_have() {
    let truths: Vec<_> = (0..10).flat_map(drawn).map(|export| export.truth).collect();
    let all = Truth::sum(&truths);
    for statistic in ["S2", "S4", "S5", "S6", "S14", "S17", "S22", "S27"] {
        for cell in cells_of(statistic) {
            let is_unknown = cell.ends_with("unknown") && statistic != "S17";
            let count = all.count(statistic, &cell).expect("a known table");
            assert_eq!(count == 0, is_unknown, "{statistic} {cell} is {count}");
        }
    }
}

#[test]
fn not_everybody_has_given_consent_and_the_truth_leaves_them_out() {
    for export in drawn(3) {
        let rows = export.files()["participant.csv"].lines().count() - 1;
        let counted: i64 = export.truth.tables()["S1"].values().sum();
        assert!((5..=60).contains(&rows), "{rows}");
        assert!(counted <= i64::try_from(rows).expect("few"));
    }
    let (rows, counted) = drawn(3).iter().fold((0, 0), |(rows, counted), export| {
        let people = export.files()["participant.csv"].lines().count() - 1;
        (rows + people, counted + export.truth.tables()["S1"].values().sum::<i64>())
    });
    assert!(counted * 10 < i64::try_from(rows).expect("few") * 9, "{counted} of {rows}");
}

#[test]
fn the_nineteen_are_municipalities() {
    let numbers: BTreeSet<_> = nineteen().into_iter().collect();
    assert_eq!(numbers.len(), 19);
    for number in numbers {
        assert!(fellestall_shared::municipality::find(&number).is_some(), "{number}");
    }
}

#[test]
fn every_folder_says_that_its_records_are_synthetic() {
    let folder = tempfile::tempdir().expect("a folder");
    let export = sandnes();
    export.write(folder.path()).expect("written");
    let readme = std::fs::read_to_string(folder.path().join("README.txt")).expect("a file");
    assert!(readme.contains("synthetic"));
    for (name, text) in export.files() {
        assert_eq!(&std::fs::read_to_string(folder.path().join(name)).expect("a file"), text);
    }
}
