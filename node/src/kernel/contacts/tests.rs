//! The table of contacts against plain sums.
//!
//! **Invariant:** nobody here exists.

use super::{ContactTable, Months};
use crate::kernel::people::day;
use crate::kernel::person::{CalendarMonth, Contact, ContactCategory, YesNo};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn months(first: &str, last: &str) -> Option<Months> {
    Months::between(day(first), day(last))
}

fn contact(month: u8, category: ContactCategory, count: u64) -> Contact {
    let month = Some(CalendarMonth { year: 2016, month });
    Contact { month, category, count, recorded: YesNo::Yes }
}

#[test]
fn a_range_holds_its_months_and_no_other() {
    let range = months("2016-10-31", "2017-02-01").expect("a range");
    let cells = |year, month| {
        range.cell(&Contact {
            month: Some(CalendarMonth { year, month }),
            ..contact(1, ContactCategory::TeamInPerson, 1)
        })
    };
    let category = u32::try_from(ContactCategory::CODES.len()).expect("few");
    assert_eq!(cells(2016, 10), Some(0));
    assert_eq!(cells(2016, 12), Some(2 * category));
    assert_eq!(cells(2017, 2), Some(4 * category));
    assert_eq!([cells(2016, 9), cells(2017, 3), cells(2015, 12)], [None; 3]);
    assert_eq!(months("2016-02-01", "2016-01-31"), None);
    let early = months("2016-01-01", "2016-03-01").expect("a range");
    assert_eq!(early.and(range), months("2016-01-09", "2017-02-28").expect("a range"));
    assert_eq!(range.and(early), early.and(range));
}

#[test]
fn a_row_without_a_form_or_a_month_has_no_cell() {
    let range = months("2016-01-01", "2016-12-31").expect("a range");
    let row = contact(5, ContactCategory::Nav, 3);
    assert!(range.cell(&row).is_some());
    assert_eq!(range.cell(&Contact { recorded: YesNo::No, ..row }), None);
    assert_eq!(range.cell(&Contact { recorded: YesNo::Unknown, ..row }), None);
    assert_eq!(range.cell(&Contact { month: None, ..row }), None);
}

proptest! {
    #[test]
    fn sums_are_exact_from_nothing_to_the_largest(
        rows in prop::collection::vec(
            (0_u32..4, 1_u8..=12, 0_usize..18, prop_oneof![0_u32..4, 65_530_u32..65_540, Just(u32::MAX)]),
            0..200,
        ),
        only in prop::option::of(0_u32..4),
    ) {
        let range = months("2016-03-01", "2016-08-31").expect("a range");
        let mut table = ContactTable::new(range, 4, only);
        let mut plain: BTreeMap<(u32, u8, usize), u64> = BTreeMap::new();
        for (place, month, category, count) in rows {
            let code = ContactCategory::CODES[category];
            let row = contact(month, ContactCategory::from_code(code).expect("a code"), 0);
            if let Some(cell) = range.cell(&row) {
                table.add(place, cell, count);
                *plain.entry((place, month, category)).or_default() += u64::from(count);
            }
        }
        let mut found = BTreeMap::new();
        let mut rows = Vec::new();
        for place in 0..4_u32 {
            table.of(place as usize, &mut rows);
            for row in &rows {
                let at = ContactCategory::CODES.iter().position(|code| *code == row.category.code());
                let month = row.month.expect("a month");
                prop_assert_eq!(month.year, 2016);
                found.insert((place, month.month, at.expect("a code")), row.count);
            }
        }
        plain.retain(|(place, ..), _| only.is_none_or(|only| only == *place));
        prop_assert_eq!(found, plain);
    }
}
