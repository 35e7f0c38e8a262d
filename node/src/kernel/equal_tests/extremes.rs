//! One participant with anything from one row to ten thousand, in any order, with the largest counts.
//!
//! **Invariant:** read from files, as a release reads them.

use super::draw::{self, Wish};
use super::reference::{self, Question, STATISTICS};
use super::{KEY, check, kernel_cells, kernel_of};
use crate::kernel::source::Origin;
use fellestall_shared::catalogue::Catalogue;
use std::collections::BTreeMap;
use std::fmt::Write;

/// D10: the same rows in another order are the same counts, to the last cell.
#[test]
fn d10_the_order_of_rows_in_any_file_changes_nothing() {
    for seed in 30_000..30_150 {
        let wish = if seed % 2 == 0 { Wish::Sound } else { Wish::Heavy };
        let drawn = draw::draw(seed, wish);
        let shuffled = draw::shuffled(&drawn, seed);
        assert!(kernel_of(&drawn) == kernel_of(&shuffled), "seed {seed}");
    }
}

/// An export of one person, and nobody else, with these rows.
struct One {
    complaints: String,
    contacts: String,
}

impl One {
    /// So many rows over all cells; each category has the largest count now and then.
    fn with(rows: usize) -> Self {
        let kinds = ["noise", "visitors", "waste_or_needles", "domestic", "threatening", "other"];
        let categories = reference::codes("category").expect("codes");
        let ids = ["P1", " p1", "p1 ", "p1", "\u{a0}P1"];
        let (mut complaints, mut contacts) = (String::new(), String::new());
        for row in 0..rows {
            let id = ids[row % ids.len()];
            if row % 4 == 0 {
                let (kind, day) = (kinds[row / 4 % kinds.len()], 1 + row % 28);
                writeln!(complaints, "{id},2016-11-{day:02},neighbour,{kind},yes")
                    .expect("written");
            } else {
                let category = categories[row % categories.len()];
                let count =
                    if row % 5 == 1 { u32::MAX } else { u32::try_from(row % 9).expect("few") };
                let month = 7 + row % 6;
                writeln!(contacts, "{id},2016-{month:02},{category},{count},yes").expect("written");
            }
        }
        Self { complaints, contacts }
    }

    /// What is counted, with this person and without.
    fn count(&self, threads: usize) -> [Vec<Vec<i64>>; 2] {
        let people = "p0,2014-03-01,1975,man,outdoors,none,yes,,\n";
        let consents = "p0,statistics,given,oral,2014-05-12,v1,,\n";
        let one = |text: &str| text.replace("p0", "p1");
        [true, false].map(|with| {
            let only = |text: &str| if with { text.to_owned() } else { String::new() };
            let folder = tempfile::tempdir().expect("a folder");
            let own = [("participant", people), ("consent", consents)]
                .map(|(table, row)| (table, format!("{row}{}", only(&one(row)))));
            let others = [("complaint", &self.complaints), ("contact", &self.contacts)]
                .map(|(table, rows)| (table, only(rows)));
            for (table, rows) in own.into_iter().chain(others) {
                let header = super::format::columns(table, false).join(",");
                let path = folder.path().join(format!("{table}.csv"));
                std::fs::write(path, format!("{header}\n{rows}")).expect("written");
            }
            {
                let origin = Origin::Folder(folder.path().to_owned());
                kernel_cells(origin, "", false, &question(), threads).expect("a count")
            }
        })
    }
}

fn question() -> Question {
    Question {
        period: "2016H2",
        first: "2016-07-01",
        quarter: "2016-10-01",
        last: "2016-12-31",
        purpose: "statistics",
        by_consent: true,
        forms: vec!["v1".to_owned()],
        at_once: false,
        where_they_live: false,
    }
}

/// D09 and D11: whatever the rows, one participant changes each table by at most its bound, and the largest
/// counts neither wrap nor pass it.
#[test]
fn d09_one_participant_with_any_number_of_rows_changes_at_most_the_bound() {
    let catalogue = Catalogue::builtin().expect("a catalogue");
    for rows in [1, 2, 3, 10, 100, 1_000, 10_000] {
        let [with, without] = One::with(rows).count(2);
        for ((id, with), without) in STATISTICS.iter().zip(with).zip(without) {
            let statistic = catalogue.statistic(&id.parse().expect("an id")).expect("a statistic");
            let bound = statistic.bound();
            let changes: Vec<u64> = with
                .iter()
                .zip(&without)
                .map(|(with, without)| u64::try_from(with - without).expect("nobody takes away"))
                .filter(|change| *change > 0)
                .collect();
            assert!(changes.len() <= bound.cells() as usize, "{id}, {rows} rows");
            assert!(changes.iter().all(|change| *change <= bound.per_cell().into()), "{id}");
            assert!(changes.iter().sum::<u64>() <= bound.l1().into(), "{id}, {rows} rows");
            let squares: u64 = changes.iter().map(|change| change * change).sum();
            assert!(squares <= bound.l2_squared(), "{id}, {rows} rows");
        }
    }
}

/// D11: the largest count there is, so often that 32 bits and then 53 are passed, in one cell.
#[test]
fn d11_the_largest_counts_are_clipped_and_never_wrap() {
    for many in [1, 2, 3, 100, 5_000] {
        for (category, month) in [("nav", "2016-10"), ("home_visit", "2016-12")] {
            let row = format!("p1,{month},{category},{},yes\n", u32::MAX);
            let one = One { complaints: String::new(), contacts: row.repeat(many) };
            let [with, without] = one.count(1);
            let changed: BTreeMap<&str, Vec<i64>> = STATISTICS
                .iter()
                .zip(with.iter().zip(&without))
                .map(|(id, (with, without))| {
                    let change = with.iter().zip(without).map(|(with, without)| with - without);
                    (*id, change.filter(|change| *change != 0).collect())
                })
                .collect();
            assert_eq!(changed["S18"], [1], "{many} of {category}");
            assert_eq!(changed["S19"], [13], "{many} of {category}");
            let [none, most] = ["nav", "home_visit"].map(|one| usize::from(one == category));
            // Who has home visits in no month of the form is in the first band, else in the fifth.
            assert_eq!(with[5][0] - without[5][0], i64::try_from(none).expect("few"));
            assert_eq!(with[5][4] - without[5][4], i64::try_from(most).expect("few"));
        }
    }
}

/// A seed that failed once is looked at again, by its number: add it here.
#[test]
fn exports_that_were_counted_otherwise_once_are_not_any_more() {
    for (seed, wish) in [(0, Wish::Sound), (10_000, Wish::Broken), (20_000, Wish::Heavy)] {
        check(seed, wish);
    }
    assert_eq!(KEY.len(), 32);
}
