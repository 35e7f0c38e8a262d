//! Every printed cell about Bergen and Sandnes in 2016.

use super::{Figures, bergen, sandnes};

/// Year of intake, then: same dwelling, later dwelling, temporary, unresolved, left, dead, not yet
/// housed, unknown.
const BERGEN: [(&str, [i64; 8]); 3] = [
    ("2014", [4, 9, 3, 2, 3, 1, 0, 0]),
    ("2015", [4, 0, 0, 0, 1, 0, 0, 0]),
    ("2016", [7, 1, 1, 0, 0, 0, 0, 0]),
];
const SANDNES: [(&str, [i64; 8]); 3] = [
    ("2014", [3, 0, 0, 0, 4, 1, 0, 0]),
    ("2015", [4, 0, 0, 0, 0, 0, 0, 0]),
    ("2016", [3, 0, 0, 0, 0, 0, 0, 0]),
];
const SITUATIONS: [&str; 8] = [
    "same_dwelling",
    "later_dwelling",
    "temporary_or_institution",
    "unresolved_notice",
    "left",
    "died",
    "not_yet_housed",
    "unknown",
];

/// Category, and contacts a month in tenths: Bergen, Sandnes.
const CONTACTS: [(&str, i64, i64); 17] = [
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

fn sum(figures: &Figures, statistic: &str, cells: &[&str]) -> i64 {
    cells.iter().map(|cell| figures[statistic][*cell]).sum()
}

#[test]
fn housing_situation_by_intake_year() {
    for (figures, printed) in [(bergen(), BERGEN), (sandnes(), SANDNES)] {
        for (year, row) in printed {
            for (situation, count) in SITUATIONS.into_iter().zip(row) {
                assert_eq!(figures["S3"][&format!("{year}/{situation}")], count, "{year}");
            }
            assert_eq!(figures["S1"][year], row.iter().sum::<i64>(), "{year}");
        }
        let everybody: i64 = printed.iter().flat_map(|(_, row)| row).sum();
        assert_eq!(figures["S3"].values().sum::<i64>(), everybody, "no other year has anybody");
        for (place, situation) in SITUATIONS.into_iter().enumerate() {
            let column: i64 = printed.iter().map(|(_, row)| row[place]).sum();
            assert_eq!(figures["S2"][situation], column, "{situation}");
        }
    }
}

#[test]
fn dwellings_lost_rehousing_and_stays_in_bergen() {
    let figures = bergen();
    assert_eq!(sum(&figures, "S5", &["1", "2", "3_or_more"]), 14);
    assert_eq!((figures["S6"]["1"], figures["S6"]["2_or_more"]), (6, 1));
    assert_eq!(sum(&figures, "S22", &["prison", "both"]), 16);
    assert_eq!(sum(&figures, "S22", &["treatment", "both"]), 13);
    for statistic in ["S5", "S6", "S22"] {
        assert_eq!(figures[statistic]["unknown"], 0);
    }
}

#[test]
fn nobody_lost_a_home_over_unpaid_rent() {
    for figures in [bergen(), sandnes()] {
        assert_eq!(figures["S7"]["rent"], 0);
        assert_eq!(figures["S7"].values().sum::<i64>(), figures["S8"].values().sum::<i64>());
    }
}

#[test]
fn the_five_leavers_of_sandnes() {
    let figures = sandnes();
    assert_eq!(figures["S8"]["immediate_termination"], 2);
    assert_eq!(figures["S8"]["landlord_notice"], 1);
    assert_eq!(figures["S2"]["died"], 1);
    // Of the four who left alive three had lost the dwelling; the fifth leaver left otherwise.
    assert_eq!(figures["S2"]["left"] - sum(&figures, "S5", &["1", "2", "3_or_more"]), 1);
}

/// Retention as printed: who counts, of whom.
fn retention(figures: &Figures) -> [(i64, i64); 3] {
    let situation = |cells: &[&str]| sum(figures, "S2", cells);
    let all = situation(&SITUATIONS);
    let housed = situation(&["same_dwelling", "later_dwelling"]);
    [(housed, all), (housed, all - situation(&["died"])), (situation(&["same_dwelling"]), all)]
}

#[test]
fn retention_by_each_of_the_three_rules() {
    let (bergen, sandnes) = (retention(&bergen()), retention(&sandnes()));
    assert_eq!(bergen, [(25, 36), (25, 35), (15, 36)]);
    assert_eq!(sandnes, [(10, 15), (10, 14), (10, 15)]);
    let per_mille = |place: usize| {
        let (some, all) = (bergen[place].0 + sandnes[place].0, bergen[place].1 + sandnes[place].1);
        (some * 2_000 + all) / (2 * all)
    };
    assert_eq!([per_mille(0), per_mille(1), per_mille(2)], [686, 714, 490]);
}

#[test]
fn mean_contacts_a_month() {
    for (figures, participants, is_bergen) in [(bergen(), 16, true), (sandnes(), 13, false)] {
        let with_forms = ["none", "under_1", "1_to_under_2", "2_to_under_4", "4_or_more"];
        assert_eq!(sum(&figures, "S17", &with_forms), participants);
        for (category, in_bergen, in_sandnes) in CONTACTS {
            let months = 3 * participants;
            let tenths = (figures["S19"][category] * 20 + months) / (2 * months);
            assert_eq!(tenths, if is_bergen { in_bergen } else { in_sandnes }, "{category}");
        }
    }
}

#[test]
fn the_course_of_drug_problems() {
    let (bergen, sandnes) = (bergen(), sandnes());
    let both = |cell: &str| bergen["S24"][cell] + sandnes["S24"][cell];
    assert_eq!(both("drugs/unchanged"), 14);
    assert_eq!(both("drugs/worse"), 5);
    assert_eq!(both("drugs/better"), 4);
    assert_eq!(both("drugs/unknown"), 28);
}

#[test]
fn forms_and_gender() {
    let (bergen, sandnes) = (bergen(), sandnes());
    let (mut men, mut women) = (0, 0);
    for figures in [&bergen, &sandnes] {
        for (cell, count) in &figures["S26"] {
            men += if cell.ends_with("/man") { *count } else { 0 };
            women += if cell.ends_with("/woman") { *count } else { 0 };
        }
    }
    assert_eq!((men, women), (18, 4));
    let forms = |cell: &str| (bergen["S27"][cell], sandnes["S27"][cell]);
    assert_eq!(bergen["S27"]["two_or_more"] + sandnes["S27"]["two_or_more"], 23);
    assert_eq!(bergen["S27"]["two_or_more"] + bergen["S27"]["one"], 16);
    assert_eq!(sandnes["S27"]["two_or_more"] + sandnes["S27"]["one"], 13);
    assert_eq!(forms("none"), (20, 2));
}
