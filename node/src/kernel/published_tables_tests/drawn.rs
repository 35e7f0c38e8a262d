//! Synthetic municipalities with every course of life, against a second count of the same people.
//!
//! The files in `truth/` are made by a plain reference outside the node, which goes through the
//! people that the export was written from.

use super::{Figures, figures, fixtures, standard};
use std::fs;

#[track_caller]
fn check(folder: &str, period: &str) {
    let truth = fixtures().join("truth").join(folder).with_extension("json");
    let truth = fs::read_to_string(truth).expect("the second count");
    let truth: Figures = serde_json::from_str(&truth).expect("tables of counts");
    assert_eq!(truth.len(), 12, "the second count is of these statistics");
    let figures = figures(folder, &standard(), period);
    for (statistic, cells) in &truth {
        let counted = figures[statistic].iter().filter(|(_, count)| **count != 0);
        let counted = counted.map(|(cell, count)| (cell.clone(), *count)).collect();
        assert_eq!(cells, &counted, "{statistic}");
    }
}

#[test]
fn bergen_is_counted_the_same_twice() {
    check("bergen", "2016H2");
}

#[test]
fn sandnes_is_counted_the_same_twice() {
    check("sandnes", "2016H2");
}

#[test]
fn a_small_municipality_is_counted_the_same_twice() {
    check("drawn-4614-2024H2", "2024H2");
}

#[test]
fn a_large_municipality_is_counted_the_same_twice() {
    check("drawn-0301-2026H1", "2026H1");
}
