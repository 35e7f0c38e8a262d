//! Formats of dates, and texts with a meaning.
//!
//! **Invariant:** a format that cannot be read back is no format.

use super::{Pattern, normalised};

fn check(format: &str, text: &str, expected: Option<&str>) {
    let pattern = Pattern::days(format).expect("a format");
    let day = pattern.date(text).map(|day| day.to_string());
    assert_eq!(day.as_deref(), expected, "{format}: {text}");
}

#[test]
fn days_are_read_in_their_format_and_no_other() {
    check("%d.%m.%Y", "01.02.2016", Some("2016-02-01"));
    check("%d.%m.%Y", "29.02.2016", Some("2016-02-29"));
    check("%d.%m.%Y", "29.02.2015", None);
    check("%d.%m.%Y", "1.2.2016", None);
    check("%-d.%-m.%Y", "1.2.2016", Some("2016-02-01"));
    check("%d.%m.%Y", "01.02.2016 00:00", None);
    check("%d.%m.%Y %H:%M:%S", "01.02.2016 00:00:00", Some("2016-02-01"));
    check("%d.%m.%Y", "01.02.16", None);
    check("%Y%m%d", "20160201", Some("2016-02-01"));
    check("%Y-%m-%d", "1899-12-31", None);
    check("%Y-%m-%d", "2101-01-01", None);
}

#[test]
fn formats_that_do_not_tell_days_apart_are_none() {
    for format in ["", "%Y", "%m-%Y", "%d.%m.%y", "dd.mm.yyyy", "%d.%m.%Y%", "%Q"] {
        assert!(Pattern::days(format).is_none(), "{format}");
    }
    for format in ["", "%Y", "%m", "%H"] {
        assert!(Pattern::months(format).is_none(), "{format}");
    }
}

#[test]
fn months_are_read_alone_or_out_of_a_day() {
    for (format, text) in [("%Y-%m", "2016-02"), ("%m/%Y", "02/2016"), ("%d.%m.%Y", "01.02.2016")] {
        let month = Pattern::months(format).expect("a format").month(text).expect("a month");
        assert_eq!((month.year, month.month), (2016, 2), "{format}");
    }
    assert!(Pattern::months("%Y-%m").expect("a format").month("2016-13").is_none());
}

#[test]
fn texts_are_compared_without_case_and_outer_space() {
    assert_eq!(normalised("  ÆØÅ b\u{a0}"), "æøå b");
    assert_eq!(normalised(" a1 "), "a1");
}
