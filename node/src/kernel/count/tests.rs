//! D07 to D11: the shape of a count never depends on records, and one participant never moves it
//! by more than the bound.

use super::count;
use crate::kernel::people::drawn::{a_person, a_row, one_of};
use crate::kernel::people::{cells, consenting, counted, key, period, records};
use crate::kernel::person::{ContactCategory, EndReason};
use crate::kernel::records::Records;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::privacy::Bound;
use fellestall_shared::statistic::Statistic;
use proptest::prelude::*;

/// Every statistic with its own bound.
fn all() -> Vec<(&'static Statistic, Bound)> {
    let catalogue = Catalogue::builtin().expect("a catalogue");
    catalogue.statistics().iter().map(|statistic| (statistic, statistic.bound())).collect()
}

/// The exact cells of every table of the catalogue.
fn count_all(records: &Records, at: &str) -> Vec<Vec<i64>> {
    let at = period(at);
    let raw = count(&all(), at, &consenting(records, at), &key()).expect("a count");
    raw.into_iter().map(|raw| raw.into_parts().0).collect()
}

/// Checks that two counts differ by what one participant may change, in every norm.
fn assert_within_bound(with: &[Vec<i64>], without: &[Vec<i64>]) {
    for ((statistic, bound), (with, without)) in all().iter().zip(with.iter().zip(without)) {
        assert_eq!((with.len(), without.len()), (statistic.cells(), statistic.cells()));
        let changes = with.iter().zip(without).map(|(with, without)| with.abs_diff(*without));
        let changes: Vec<u64> = changes.filter(|change| *change > 0).collect();
        let id = statistic.id();
        assert!(changes.len() <= bound.cells() as usize, "L0 of {id}");
        assert!(changes.iter().all(|change| *change <= bound.per_cell().into()), "Linf of {id}");
        assert!(changes.iter().sum::<u64>() <= bound.l1().into(), "L1 of {id}");
        let squares: u64 = changes.iter().map(|change| change * change).sum();
        assert!(squares <= bound.l2_squared(), "L2 of {id}");
    }
}

fn borrowed(people: &[String]) -> Vec<&str> {
    people.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// D07 and D09: adding or removing any one participant, among any others.
    #[test]
    fn one_participant_moves_a_count_by_at_most_the_bound(
        mut people in proptest::collection::vec(a_person(), 1..5),
        at in one_of(&["2016", "2016H2", "2016K4", "2015H1"]),
    ) {
        let with = count_all(&records(&borrowed(&people)), at);
        people.pop();
        let without = count_all(&records(&borrowed(&people)), at);
        assert_within_bound(&with, &without);
    }

    /// D10: rows in any order.
    #[test]
    fn the_order_of_rows_changes_nothing(
        (rows, shuffled) in proptest::collection::vec(a_row(), 0..25)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let count = |rows: &[String]| count_all(&records(&[&rows.join("; ")]), "2016");
        prop_assert_eq!(count(&rows), count(&shuffled));
    }

    /// Every participant of the population stands in exactly as many cells of a table about the
    /// participant, a milestone, a problem or an item as it has observations for each.
    #[test]
    fn no_participant_of_the_population_is_lost(person in a_person()) {
        let person = format!("{person}; in 2014-01-01");
        let tables = count_all(&records(&[&person]), "2016");
        for ((statistic, _), cells) in all().iter().zip(tables) {
            let expected = match statistic.id().as_str() {
                "S4" => 3,
                "S24" | "S25" => 2,
                // Events, and tables about those followed in a window.
                "S7" | "S8" | "S14" | "S15" | "S16" | "S17" | "S18" | "S19" => continue,
                _ => 1,
            };
            prop_assert_eq!(cells.iter().sum::<i64>(), expected, "{}", statistic.id());
        }
    }
}

/// D09: one participant with more and more rows, over every cell of every event table.
#[test]
fn ten_thousand_rows_of_one_participant_stay_within_the_bound() {
    let kinds = ["noise", "visitors", "waste_or_needles", "domestic", "threatening", "other"];
    let in_turn = |codes: &[&'static str], at: usize| codes[at % codes.len()];
    // One contact a row: small amounts over every category reach the cells before the total.
    let row = |row: usize| match (row % 3, row / 3) {
        (0, at) => {
            let reason = in_turn(EndReason::CODES, at);
            format!("home 2014-02-01..2014-03-01 landlord_notice reason={reason}")
        }
        (1, at) => format!("contact 2016-11 {} 1", in_turn(ContactCategory::CODES, at)),
        (_, at) => format!("complaint 2016-11-11 {} yes", in_turn(&kinds, at)),
    };
    let rows: Vec<String> = (0..10_000).map(row).collect();
    let without = count_all(&records(&[]), "2016");
    for rows in [1, 2, 3, 10, 100, 1_000, 10_000].map(|count| rows[..count].join("; ")) {
        assert_within_bound(&count_all(&records(&[&rows]), "2016"), &without);
    }
}

/// D08: nobody, one row, and nothing but `unknown`.
#[test]
fn the_shape_of_a_count_is_public() {
    let shape = |people: &[&str]| -> Vec<usize> {
        count_all(&records(people), "2016").iter().map(Vec::len).collect()
    };
    let nobody = shape(&[]);
    assert_eq!(nobody, all().iter().map(|(statistic, _)| statistic.cells()).collect::<Vec<_>>());
    assert_eq!(nobody, shape(&["consent refused 2014-01-01"]));
    assert_eq!(nobody, shape(&["complaint 2016-12-01"]));
    assert_eq!(
        nobody,
        shape(&["in ?; home ?..? unknown; exit ? unknown; contact ? unknown 0 unknown"])
    );
    assert!(count_all(&records(&[]), "2016").iter().flatten().all(|cell| *cell == 0));
}

/// D11: amounts at the extremes are clipped, and do not wrap.
#[test]
fn the_largest_amounts_neither_wrap_nor_pass_the_bound() {
    let most = format!("contact 2016-10 nav {};", u32::MAX).repeat(5_000);
    assert_eq!(counted(&[&most], "2016", "S19"), [("nav".to_owned(), 13)]);
    assert_eq!(counted(&[&most, &most], "2016", "S18"), [("nav".to_owned(), 2)]);
    assert_eq!(counted(&[&most], "2016", "S17"), [("none".to_owned(), 1)]);
}

#[test]
fn a_wider_bound_counts_what_the_catalogue_clips() {
    let person = "contact 2016-10 nav 3000; contact 2016-11 nav 17; contact 2016-10 lar 2";
    let wide = Bound::new(18, 10_000, 180_000).expect("a bound");
    assert_eq!(cells(&[person], "2016", "S19", Some(wide)).iter().sum::<i64>(), 3_019);
    assert_eq!(cells(&[person], "2016", "S19", None).iter().sum::<i64>(), 15);
}

#[test]
fn which_cells_of_a_participant_count_follows_from_the_key_and_the_participant() {
    let rows: Vec<String> =
        ContactCategory::CODES.iter().map(|code| format!("contact 2016-11 {code} 1")).collect();
    let rows = rows.join("; ");
    // Ten participants with contact in every category: each counts in six, and not all in the same.
    let cells = cells(&[rows.as_str(); 10], "2016", "S18", None);
    assert_eq!(cells.iter().sum::<i64>(), 60);
    assert!(cells.iter().filter(|cell| **cell > 0).count() > 6);
    // The same for one participant when there is nobody else, and with another key other cells.
    let alone = count_all(&records(&[&rows]), "2016");
    assert_eq!(alone, count_all(&records(&[&rows]), "2016"));
    let other = |byte| {
        let (records, at) = (records(&[&rows]), period("2016"));
        let key = super::CountKey::from_bytes([byte; 32]);
        let raw = count(&all(), at, &consenting(&records, at), &key).expect("a count");
        raw.into_iter().map(|raw| raw.into_parts().0).collect::<Vec<_>>()
    };
    assert!((0..4).any(|byte| other(byte) != alone));
}
