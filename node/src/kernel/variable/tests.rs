//! Every variable against its definition: the plain cases, and those at the edge.

use super::calendar::{months_after, whole_months};
use crate::kernel::people::{counted, day};

mod events;
mod forms;
mod housing;
mod loss;

/// Checks in which cells one person stands at the end of a period.
fn check_at(period: &str, id: &str, cases: &[(&str, &str)]) {
    for (person, expected) in cases {
        let found: Vec<_> = counted(&[person], period, id)
            .into_iter()
            .map(|(codes, count)| if count == 1 { codes } else { format!("{count} {codes}") })
            .collect();
        assert_eq!(found.join(", "), *expected, "{id}: {person}");
    }
}

/// The same at the end of 2016, when the last quarter is October to December.
fn check(id: &str, cases: &[(&str, &str)]) {
    check_at("2016", id, cases);
}

#[test]
fn months_are_counted_as_people_do() {
    let after = |text, months| months_after(day(text), months).map(|date| date.to_string());
    assert_eq!(after("2015-01-31", 1).as_deref(), Some("2015-02-28"));
    assert_eq!(after("2016-08-31", 6).as_deref(), Some("2017-02-28"));
    assert_eq!(after("2015-08-31", 6).as_deref(), Some("2016-02-29"));
    assert_eq!(after("2016-12-15", 24).as_deref(), Some("2018-12-15"));
    assert_eq!(months_after(time::Date::MAX, 1), None);
    let whole = |from, to| whole_months(day(from), day(to), 36);
    assert_eq!(whole("2015-01-31", "2015-02-27"), 0);
    assert_eq!(whole("2015-01-31", "2015-02-28"), 1);
    assert_eq!(whole("2015-01-15", "2016-01-14"), 11);
    assert_eq!(whole("2015-01-15", "2016-01-15"), 12);
    assert_eq!(whole("2015-01-15", "2099-01-15"), 36);
    assert_eq!(whole("2015-01-15", "2014-01-15"), 0);
}

#[test]
fn intake_year() {
    check(
        "S1",
        &[
            ("in 2014-05-01", "2014"),
            ("in 2016-12-31", "2016"),
            ("in 2017-01-01", ""),
            ("in 2011-12-31", "earlier"),
            ("in 2012-01-01", "2012"),
            ("in ?", "unknown"),
            ("in 2014-05-01; exit 2015-01-01 died", "2014"),
        ],
    );
    check_at("2031", "S1", &[("in 2030-12-31", "2030"), ("in 2031-01-01", "unknown")]);
}
