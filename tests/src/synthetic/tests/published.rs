//! The truth about Bergen and Sandnes against the printed figures, before any node has counted.

use super::super::{Export, bergen, sandnes};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Year of intake, then: same dwelling, later dwelling, temporary, unresolved, left, dead.
const BERGEN: [(&str, [i64; 6]); 3] =
    [("2014", [4, 9, 3, 2, 3, 1]), ("2015", [4, 0, 0, 0, 1, 0]), ("2016", [7, 1, 1, 0, 0, 0])];
const SANDNES: [(&str, [i64; 6]); 3] =
    [("2014", [3, 0, 0, 0, 4, 1]), ("2015", [4, 0, 0, 0, 0, 0]), ("2016", [3, 0, 0, 0, 0, 0])];
const SITUATIONS: [&str; 6] = [
    "same_dwelling",
    "later_dwelling",
    "temporary_or_institution",
    "unresolved_notice",
    "left",
    "died",
];

#[test]
fn housing_situation_by_intake_year_is_as_printed() {
    for (export, printed) in [(bergen(), BERGEN), (sandnes(), SANDNES)] {
        let mut cells = 0;
        for (year, row) in printed {
            assert_eq!(export.truth.count("S1", year), Some(row.iter().sum()));
            for (situation, count) in SITUATIONS.iter().zip(row) {
                let cell = format!("{year}/{situation}");
                assert_eq!(export.truth.count("S3", &cell), Some(count), "{cell}");
                cells += usize::from(count > 0);
            }
        }
        assert_eq!(export.truth.tables()["S3"].len(), cells);
    }
}

#[test]
fn losses_rehousing_and_stays_in_bergen_are_as_printed() {
    let truth = bergen().truth;
    let count = |statistic, cell| truth.count(statistic, cell).expect("a known table");
    assert_eq!(count("S5", "1") + count("S5", "2") + count("S5", "3_or_more"), 14);
    assert_eq!((count("S6", "1"), count("S6", "2_or_more")), (6, 1));
    assert_eq!(count("S22", "prison") + count("S22", "both"), 16);
    assert_eq!(count("S22", "treatment") + count("S22", "both"), 13);
}

#[test]
fn nobody_in_either_city_lost_a_home_over_rent() {
    for export in [bergen(), sandnes()] {
        assert_eq!(export.truth.count("S7", "rent"), Some(0));
        assert!(export.truth.tables()["S7"].values().sum::<i64>() > 0);
    }
}

#[test]
fn twenty_three_have_two_forms_or_more_and_twenty_nine_have_one() {
    let forms = |cell| {
        [bergen(), sandnes()].iter().filter_map(|city| city.truth.count("S27", cell)).sum::<i64>()
    };
    assert_eq!((forms("two_or_more"), forms("one"), forms("none")), (23, 6, 22));
}

#[test]
fn everybody_in_both_cities_is_counted() {
    for (export, people, counted) in [(bergen(), 36, 36), (sandnes(), 15, 15)] {
        assert_eq!(export.files()["participant.csv"].lines().count(), people + 1);
        assert_eq!(export.truth.tables()["S2"].values().sum::<i64>(), counted);
    }
}

/// The rows of a file, split into cells, without the header.
fn rows(export: &Export, file: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.split(',').map(str::to_owned).collect();
    export.files()[file].lines().skip(1).map(cells).collect()
}

/// Contacts a month in each category, in tenths, as printed for Bergen and Sandnes.
const CONTACTS: [(&str, u32, u32); 17] = [
    ("team_in_person", 18, 38),
    ("home_visit", 14, 24),
    ("team_office", 1, 1),
    ("participant_calls", 18, 52),
    ("team_calls", 28, 65),
    ("nav", 13, 9),
    ("lar", 3, 2),
    ("dps_or_act", 3, 2),
    ("substance_department", 1, 5),
    ("rehabilitation_unit", 0, 0),
    ("housing_follow_up_service", 2, 6),
    ("housing_training_centre", 0, 1),
    ("general_practitioner", 1, 3),
    ("work", 0, 0),
    ("care_team_meeting", 2, 2),
    ("next_of_kin", 2, 15),
    ("other", 11, 18),
];

/// Contacts of each participant with forms in one category, and how many months have a form.
fn contacts(export: &Export, category: &str) -> BTreeMap<String, (u32, u32)> {
    let mut people = BTreeMap::new();
    for row in rows(export, "contact.csv") {
        assert_eq!(row[4], "yes");
        if row[2] == category {
            let (contacts, months) = people.entry(row[0].clone()).or_insert((0, 0));
            *contacts += row[3].parse::<u32>().expect("a count");
            *months += 1;
        }
    }
    people
}

/// The mean over participants of contacts a month, in tenths, rounded.
fn mean_in_tenths<'c>(people: impl ExactSizeIterator<Item = &'c (u32, u32)>) -> u32 {
    let participants = u32::try_from(people.len()).expect("few");
    let total: u32 = people
        .map(|(contacts, months)| {
            assert_eq!(*months, 3, "each is followed through the quarter");
            contacts
        })
        .sum();
    (total * 10 * 2 + 3 * participants) / (2 * 3 * participants)
}

#[test]
fn mean_contacts_are_as_printed() {
    let (bergen, sandnes) = (bergen(), sandnes());
    for (category, in_bergen, in_sandnes) in CONTACTS {
        let (one, other) = (contacts(&bergen, category), contacts(&sandnes, category));
        assert_eq!((one.len(), other.len()), (16, 13));
        assert_eq!(mean_in_tenths(one.values()), in_bergen, "{category}");
        assert_eq!(mean_in_tenths(other.values()), in_sandnes, "{category}");
    }
}

#[test]
fn without_the_outlier_the_mean_of_calls_is_as_printed() {
    let mut calls: Vec<_> = contacts(&sandnes(), "participant_calls").into_values().collect();
    calls.sort_unstable();
    assert_eq!(calls.pop(), Some((99, 3)));
    assert_eq!(mean_in_tenths(calls.iter()), 29);
}

#[test]
fn meetings_with_the_team_hold_home_visits_and_visits_at_the_office() {
    for export in [bergen(), sandnes()] {
        let mut forms: BTreeMap<_, BTreeMap<String, u32>> = BTreeMap::new();
        for row in rows(&export, "contact.csv") {
            let form = forms.entry((row[0].clone(), row[1].clone())).or_default();
            form.insert(row[2].clone(), row[3].parse().expect("a count"));
        }
        for form in forms.values() {
            assert_eq!(form.len(), 17);
            assert!(form["team_in_person"] >= form["home_visit"] + form["team_office"]);
        }
    }
}

#[test]
fn drug_problems_took_the_printed_course() {
    let mut course = BTreeMap::new();
    for export in [bergen(), sandnes()] {
        let mut people: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows(&export, "baseline.csv") {
            people.entry(row[0].clone()).or_default().push(row[3].clone());
        }
        for answers in people.values().filter(|answers| answers.len() > 1) {
            let weight =
                |code: &String| ["none", "moderate", "severe"].iter().position(|c| c == code);
            let change = weight(&answers[1]).cmp(&weight(&answers[0]));
            *course.entry(change).or_insert(0) += 1;
        }
    }
    let printed = [(Ordering::Less, 4), (Ordering::Equal, 14), (Ordering::Greater, 5)];
    assert_eq!(course, BTreeMap::from(printed));
}

#[test]
fn gender_is_recorded_on_forms_as_printed() {
    let mut genders = BTreeMap::new();
    for export in [bergen(), sandnes()] {
        let with_forms: BTreeSet<_> =
            rows(&export, "baseline.csv").into_iter().map(|row| row[0].clone()).collect();
        for row in rows(&export, "participant.csv") {
            let form = with_forms.contains(&row[0]);
            *genders.entry((form, row[3].clone())).or_insert(0) += 1;
        }
    }
    let recorded = |gender: &str| (true, gender.to_owned());
    assert_eq!(genders.remove(&recorded("man")), Some(18));
    assert_eq!(genders.remove(&recorded("woman")), Some(4));
    assert_eq!(genders.remove(&recorded("unknown")), Some(7));
    assert_eq!(genders.into_keys().collect::<Vec<_>>(), [(false, "unknown".to_owned())]);
}

#[test]
fn the_leavers_of_sandnes_left_as_printed() {
    let export = sandnes();
    let left: BTreeSet<_> = rows(&export, "participant.csv")
        .into_iter()
        .filter_map(|row| (!row[7].is_empty()).then(|| row[0].clone()))
        .collect();
    let last: BTreeMap<_, _> = rows(&export, "tenancy.csv")
        .into_iter()
        .map(|row| (row[0].clone(), row[6].clone()))
        .collect();
    let mut ways: Vec<_> = left.iter().map(|id| last[id].as_str()).collect();
    ways.sort_unstable();
    let printed =
        ["died", "immediate_termination", "immediate_termination", "landlord_notice", "other"];
    assert_eq!(ways, printed);
}

#[test]
fn one_participant_has_forty_complaints_in_the_last_quarter() {
    let mut people: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows(&bergen(), "complaint.csv") {
        *people.entry(row[0].clone()).or_default() += 1;
    }
    let mut counts: Vec<_> = people.into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts.pop(), Some(40));
    assert!(counts.iter().all(|count| *count <= 5));
}
