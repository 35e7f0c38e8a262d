//! Derived tables against numbers computed by hand.

use super::*;
use crate::present::derived::ratio;
use crate::present::estimate::Mean;

/// The housing situation in December 2016 that is printed for Bergen and Sandnes.
const BERGEN: [(&str, i64); 6] = [
    ("same_dwelling", 15),
    ("later_dwelling", 10),
    ("temporary_or_institution", 4),
    ("unresolved_notice", 2),
    ("left", 4),
    ("died", 1),
];
const SANDNES: [(&str, i64); 3] = [("same_dwelling", 10), ("left", 4), ("died", 1)];

fn code(federation: &Federation, table: usize, cell: usize) -> Vec<String> {
    let statistic = federation.round.study().tables()[table].statistic;
    let categories = statistic.categories_of(cell).unwrap();
    categories.iter().map(|category| category.code().to_owned()).collect()
}

fn cells_of(table: &PresentedTable) -> Vec<(String, Option<f64>)> {
    let codes = table.dimensions[0].categories.iter().map(|own| own.code.clone());
    codes.zip(table.cells.shown.iter().map(|value| value.map(Fixed::value))).collect()
}

#[test]
fn retention_is_that_of_the_printed_tables() {
    let numbers = ["4601", "1108"].map(|number| number.parse().unwrap());
    let federation = Federation::of(&document(&[("S2", noiseless())]), &numbers);
    let value = |node: usize, table: usize, cell: usize| {
        let code = code(&federation, table, cell);
        let city = if node == 0 { &BERGEN[..] } else { &SANDNES[..] };
        city.iter().find(|(own, _)| *own == code[0]).map_or(0, |(_, count)| *count)
    };
    let presentation = shown(&published(&federation, federation.everyone(value)), &everything());
    let retention = table(&presentation, "core-S2-retention");
    assert_eq!((retention.kind, retention.figure.decimals), (TableKind::Rates, 1));
    let expected = [
        ("retained_all_taken_in", 68.6),
        ("retained_without_the_dead", 71.4),
        ("retained_in_same_dwelling", 49.0),
    ];
    for ((code, shown), (rule, percent)) in cells_of(retention).into_iter().zip(expected) {
        assert_eq!((code.as_str(), shown), (rule, Some(percent)));
    }
    assert!((number(&retention.cells.raw, 0) - 3_500.0 / 51.0).abs() < 1e-4);
    for place in 0..3 {
        let shown = number(&retention.cells.shown, place);
        assert!(number(&retention.cells.lower95, place) <= shown);
        assert!(shown <= number(&retention.cells.upper95, place));
    }
    assert_eq!(retention.regions.len(), 1);
    let total = table(&presentation, "core-S2");
    assert_eq!(number(&total.cells.shown, 0), 51.0);
}

#[test]
fn the_survival_curve_is_the_product_of_those_who_stayed() {
    let federation = federation(&document(&[("S28", noiseless())]), 2);
    let value = |node: usize, table: usize, cell: usize| {
        let code = code(&federation, table, cell).join(" ");
        let both = match code.as_str() {
            "m3 ended" | "m12 ended" => 10,
            "m6 censored" => 20,
            "m24 censored" => 60,
            _ => 0,
        };
        if node == 0 { both } else { 0 }
    };
    let presentation = shown(&published(&federation, federation.everyone(value)), &everything());
    let curve = table(&presentation, "core-S28-survival");
    assert_eq!(curve.dimensions[0].categories.len(), 37, "every month, and none that is no time");
    let found: std::collections::BTreeMap<_, _> = cells_of(curve).into_iter().collect();
    // 90 of 100 stay in month 3; of 70 still followed, 60 in month 12.
    let expected = [("m0", 100.0), ("m2", 100.0), ("m3", 90.0), ("m11", 90.0), ("m12", 77.1)];
    for (month, percent) in expected {
        assert_eq!(found[month], Some(percent), "{month}");
    }
    assert_eq!((found["m24"], found["m25"]), (Some(77.1), None));
    let last = at(curve, COUNTRY, &["m25"]);
    assert_eq!(curve.cells.symbols[last], Some(Symbol::Missing));
}

#[test]
fn mean_contacts_are_counted_contacts_over_three_months_of_those_in_the_programme() {
    let tables = ["S19", "S5", "S14"].map(|id| (id, noiseless()));
    let federation = federation(&document(&tables), 2);
    // 90 visits; 30 ever taken in, of whom 15 are still in the programme in the quarter.
    let value = |node: usize, table: usize, cell: usize| match (node, table, cell) {
        (0, 0, 1) => 90,
        (0, 0, 0) => 45,
        (0, 1, 0) => 30,
        (0, 2, 0) => 15,
        _ => 0,
    };
    let presentation = shown(&published(&federation, federation.everyone(value)), &everything());
    let means = table(&presentation, "core-S19-mean");
    assert_eq!(means.kind, TableKind::Means);
    assert_eq!(number(&means.cells.shown, at(means, COUNTRY, &["home_visit"])), 2.0);
    assert_eq!(number(&means.cells.shown, at(means, COUNTRY, &["team_in_person"])), 1.0);
    assert_eq!(number(&means.cells.shown, at(means, COUNTRY, &[TOTAL])), 3.0);
    assert_eq!(number(&means.cells.shown, at(means, COUNTRY, &["work"])), 0.0);
    for title in [&means.title.nb, &means.title.nn, &means.title.en] {
        assert!(title.contains("13"), "the bound is in the title: {title}");
    }
    assert!(means.description.en.contains("in the quarter"));
}

#[test]
fn contacts_without_a_number_of_participants_have_no_mean() {
    let federation = federation(&document(&[("S19", noiseless()), ("S7", noiseless())]), 2);
    let presentation =
        shown(&published(&federation, federation.everyone(|_, _, _| 5)), &everything());
    assert!(presentation.tables.iter().all(|table| table.kind == TableKind::Counts));
}

#[test]
fn fiellers_interval_is_that_of_its_formula() {
    let above = Mean { value: 10.0, variance: 4.0 };
    let below = Mean { value: 20.0, variance: 9.0 };
    let found = ratio(above, below, 2.0).unwrap();
    // 400 - 4*9 = 364; 200^2 - 364 * (100 - 16) = 9424.
    let root = 9_424.0_f64.sqrt();
    assert!((found.value - 0.5).abs() < 1e-12);
    assert!((found.lower - (200.0 - root) / 364.0).abs() < 1e-12);
    assert!((found.upper - (200.0 + root) / 364.0).abs() < 1e-12);
    assert_eq!(ratio(above, Mean { value: 5.0, variance: 9.0 }, 2.0), None);
    assert_eq!(ratio(above, Mean { value: -20.0, variance: 0.1 }, 2.0), None);
}

/// Participants and contacts with noise of their own: the interval of the mean holds the exact one in
/// 95 of 100 rounds. Over 4,000 rounds, fewer than 93 % has a probability below 1e-6.
#[test]
fn the_interval_of_a_mean_covers_the_exact_one() {
    let mut chance = Chance::new(99);
    let (participants, contacts) = (120.0, 600.0);
    let (mut covered, mut given) = (0_u32, 0_u32);
    for _ in 0..4_000 {
        let above = Mean { value: contacts + chance.gaussian(40.0) as f64, variance: 1_600.0 };
        let below = Mean { value: participants + chance.gaussian(20.0) as f64, variance: 400.0 };
        let Some(found) = ratio(above, below, 1.959_964) else { continue };
        given += 1;
        let exact = contacts / participants;
        covered += u32::from((found.lower..=found.upper).contains(&exact));
    }
    let share = f64::from(covered) / f64::from(given);
    assert!(given > 3_900 && share > 0.93, "{share} of {given}");
}

#[test]
fn a_rate_that_noise_drowns_is_missing_and_one_from_too_few_is_suppressed() {
    let drowned = federation(&document(&[("S2", gaussian(50))]), 3);
    let presentation = shown(&published(&drowned, drowned.everyone(|_, _, _| 3)), &everything());
    let retention = table(&presentation, "core-S2-retention");
    assert_eq!(retention.cells.shown, [None; 3]);
    assert_eq!(retention.cells.symbols, [Some(Symbol::Missing); 3]);

    let federation = federation(&document(&[("S2", noiseless())]), 3);
    let policy = Policy { minimum_municipalities: 4, ..everything() };
    let presentation = shown(&published(&federation, federation.everyone(|_, _, _| 3)), &policy);
    let retention = table(&presentation, "core-S2-retention");
    assert_eq!(retention.cells.symbols, [Some(Symbol::Suppressed); 3]);
    assert_eq!(retention.cells.shown, [None; 3]);
    assert!(retention.cells.raw.iter().all(Option::is_some));
    let decided = presentation.decisions.iter().find(|own| own.table == "core-S2-retention");
    assert_eq!(decided.unwrap().on, Fixed::whole(3).unwrap());
}
