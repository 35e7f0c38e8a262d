//! The catalogue that ships is sound, complete, and bounded as the definitions say.

use super::Catalogue;
use crate::statistic::{Statistic, Window};
use std::collections::BTreeSet;

/// The columns of the local records.
const COLUMNS: &[(&str, &[&str])] = &[
    (
        "participant",
        &[
            "intake_date",
            "birth_year",
            "gender",
            "housing_at_intake",
            "specialist_follow_up",
            "substitution_treatment",
            "exit_date",
            "exit_reason",
        ],
    ),
    (
        "tenancy",
        &["dwelling_no", "tenure", "setting", "moved_in", "moved_out", "end_mode", "end_reason"],
    ),
    ("stay", &["kind", "from", "to"]),
    ("complaint", &["date", "source", "kind", "three_way_meeting"]),
    ("contact", &["month", "category", "count", "recorded"]),
    ("baseline", &["date", "alcohol", "drugs", "mental_health"]),
    ("satisfaction", &["date", "item", "score"]),
];

fn catalogue() -> &'static Catalogue {
    Catalogue::builtin().expect("a sound catalogue")
}

fn statistic(number: u32) -> &'static Statistic {
    let id = format!("S{number}").parse().expect("an id");
    catalogue().statistic(&id).expect("in the catalogue")
}

#[test]
fn every_statistic_is_there_in_the_order_of_the_numbers() {
    let ids: Vec<_> = catalogue().statistics().iter().map(|s| s.id().to_string()).collect();
    let expected: Vec<_> = (1..=28).filter(|n| *n != 12).map(|n| format!("S{n}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn the_core_set_is_what_every_half_year_asks() {
    let core = catalogue().statistics().iter().filter(|s| s.is_core());
    let core: Vec<_> = core.map(|s| s.id().to_string()).collect();
    assert_eq!(core, ["S2", "S4", "S5", "S7", "S14", "S17"]);
}

#[test]
fn cells_and_bounds_are_as_defined() {
    // Statistic, cells, and what one participant can change: cells, per cell, in all.
    let expected = [
        (1, 21, (1, 1, 1)),
        (2, 8, (1, 1, 1)),
        (3, 168, (1, 1, 1)),
        (4, 15, (3, 1, 3)),
        (5, 5, (1, 1, 1)),
        (6, 4, (1, 1, 1)),
        (7, 9, (3, 3, 3)),
        (8, 2, (2, 3, 3)),
        (9, 4, (1, 1, 1)),
        (10, 24, (1, 1, 1)),
        (11, 9, (1, 1, 1)),
        (13, 6, (1, 1, 1)),
        (14, 4, (1, 1, 1)),
        (15, 7, (5, 5, 5)),
        (16, 4, (1, 1, 1)),
        (17, 6, (1, 1, 1)),
        (18, 18, (6, 1, 6)),
        (19, 18, (6, 13, 78)),
        (20, 4, (1, 1, 1)),
        (21, 3, (1, 1, 1)),
        (22, 5, (1, 1, 1)),
        (23, 16, (1, 1, 1)),
        (24, 8, (2, 1, 2)),
        (25, 16, (2, 1, 2)),
        (26, 15, (1, 1, 1)),
        (27, 3, (1, 1, 1)),
        (28, 78, (1, 1, 1)),
    ];
    assert_eq!(expected.len(), catalogue().statistics().len());
    for (number, cells, bound) in expected {
        let found = statistic(number);
        let has = (found.bound().cells(), found.bound().per_cell(), found.bound().l1());
        assert_eq!((found.cells(), has), (cells, bound), "S{number}");
    }
}

#[test]
fn event_tables_look_at_a_window_and_the_rest_at_the_census_date() {
    for found in catalogue().statistics() {
        let expected = match found.id().as_str() {
            "S14" | "S15" | "S16" | "S18" | "S19" => Window::LastQuarter,
            "S17" => Window::Period,
            _ => Window::CensusDate,
        };
        assert_eq!(found.window(), expected, "{}", found.id());
    }
}

#[test]
fn every_field_is_a_column_and_none_is_free_text_or_a_name() {
    let columns: BTreeSet<String> = COLUMNS
        .iter()
        .flat_map(|(table, names)| names.iter().map(move |name| format!("{table}.{name}")))
        .collect();
    for found in catalogue().statistics() {
        let strange: Vec<_> = found.fields().difference(&columns).collect();
        assert!(strange.is_empty(), "{}: {strange:?}", found.id());
        assert!(found.fields().contains("participant.intake_date"), "{}", found.id());
    }
}

#[test]
fn cells_and_categories_are_each_others_inverse() {
    for found in catalogue().statistics() {
        for cell in 0..found.cells() {
            let categories = found.categories_of(cell).expect("a cell of the table");
            let positions: Option<Vec<_>> = found
                .dimensions()
                .iter()
                .zip(categories)
                .map(|(domain, category)| domain.position(category.code()))
                .collect();
            assert_eq!(found.cell(&positions.expect("codes")), Some(cell), "{}", found.id());
        }
        assert!(found.categories_of(found.cells()).is_none(), "{}", found.id());
    }
}

#[test]
fn labels_name_neither_a_bare_complaint_nor_a_bare_abbreviation() {
    let is_bare = |word: &str| matches!(word, "klage" | "klager" | "klagen" | "klagene" | "klaga");
    for found in catalogue().statistics() {
        let mut texts = vec![found.title().clone()];
        for domain in found.dimensions() {
            texts.push(domain.label().clone());
            texts.extend(domain.categories().iter().map(|category| category.label().clone()));
        }
        for labels in texts {
            for text in [&labels.nb, &labels.nn, &labels.en] {
                for word in text.split(|c: char| !c.is_alphabetic()) {
                    assert!(!is_bare(&word.to_lowercase()), "{}: {text}", found.id());
                    assert_ne!(word, "HF", "{}: {text}", found.id());
                }
            }
        }
    }
}
