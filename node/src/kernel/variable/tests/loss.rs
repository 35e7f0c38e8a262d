//! Losing a dwelling, being rehoused, and the time until a loss.

use super::check;

#[test]
fn dwellings_lost_and_times_rehoused() {
    let lost = "home 2014-02-01..2014-05-01 landlord_notice";
    let again = "home 2014-06-01..2014-09-01 immediate_termination";
    let third = "home 2014-10-01..2015-01-01 landlord_notice";
    let cases = [
        (String::new(), "0", "0"),
        ("home 2014-02-01..2014-05-01 voluntary_move; home 2014-05-01..".into(), "0", "0"),
        ("home 2014-02-01..2014-05-01 own_notice".into(), "0", "0"),
        ("home 2014-02-01..2014-05-01 died".into(), "0", "0"),
        ("home 2014-02-01.. landlord_notice".into(), "0", "0"),
        ("home 2014-02-01..2017-01-01 landlord_notice; home 2017-01-01..".into(), "0", "0"),
        (lost.into(), "1", "0"),
        (format!("{lost}; home 2014-05-01.."), "1", "1"),
        (format!("{lost}; home 2014-04-01.."), "1", "0"),
        (format!("{lost}; home 2017-01-01.."), "1", "0"),
        // A voluntary move after rehousing is no second time.
        (
            format!("{lost}; home 2014-06-01..2015-01-01 voluntary_move; home 2015-01-01.."),
            "1",
            "1",
        ),
        (format!("{again}; {lost}"), "2", "1"),
        (format!("{lost}; {again}; {third}"), "3_or_more", "2_or_more"),
        (format!("{lost}; {again}; {third}; home 2015-02-01..?"), "3_or_more", "2_or_more"),
        // One tenancy that was over at once does not answer its own loss.
        ("home 2014-05-01..2014-05-01 landlord_notice".into(), "1", "0"),
        // What is not known, where it matters.
        ("home 2014-02-01..2014-05-01".into(), "unknown", "0"),
        ("home 2014-02-01..2014-05-01 unknown; home 2014-06-01..".into(), "unknown", "unknown"),
        ("home 2014-02-01..? landlord_notice".into(), "unknown", "0"),
        (format!("{lost}; home ?.."), "1", "unknown"),
        ("home ?..2014-05-01 landlord_notice".into(), "1", "0"),
        (format!("{lost}; home 2014-06-01..?"), "unknown", "1"),
    ];
    for (person, lost, rehoused) in &cases {
        check("S5", &[(person, lost)]);
        check("S6", &[(person, rehoused)]);
    }
}

#[test]
fn reasons_and_ways_of_losing() {
    let two = "home 2014-02-01..2014-05-01 landlord_notice reason=rent; \
               home 2014-06-01..2014-09-01 immediate_termination";
    check(
        "S7",
        &[
            (two, "rent, unknown"),
            ("home 2014-02-01..2014-05-01 voluntary_move reason=own_wish", ""),
            ("home 2014-02-01.. landlord_notice reason=rent", ""),
        ],
    );
    check(
        "S8",
        &[
            (two, "immediate_termination, landlord_notice"),
            ("home 2014-02-01..2014-05-01 unknown", ""),
        ],
    );
}

#[test]
fn time_to_the_first_loss() {
    check(
        "S28",
        &[
            ("", "not_yet_housed censored"),
            ("home ?..", "unknown censored"),
            ("home 2016-12-31..", "m0 censored"),
            ("home 2014-01-01..", "m35 censored"),
            ("home 2013-12-31..", "m36_or_more censored"),
            ("home 2014-02-10..2014-05-09 landlord_notice; home 2014-06-01..", "m2 ended"),
            (
                "home 2014-02-10..2014-05-10 immediate_termination; exit 2014-05-10 other",
                "m3 ended",
            ),
            ("home 2014-02-10.. landlord_notice", "m34 censored"),
            // A voluntary move goes on; without another dwelling it ends there, uncounted.
            ("home 2014-01-31..2014-05-01 voluntary_move; home 2014-09-01..", "m35 censored"),
            ("home 2014-02-01..2014-05-01 own_notice", "m3 censored"),
            ("home 2014-02-01..2014-05-01 died", "m3 censored"),
            ("home 2014-02-01..; exit 2014-05-01 moved_municipality", "m3 censored"),
            ("home 2014-02-01..2014-09-01 landlord_notice; exit 2014-05-01 other", "m3 censored"),
            ("home 2014-02-01..; exit ? other", "unknown censored"),
            // An ending that may be an earlier loss.
            ("home 2014-02-01..2014-05-01", "unknown censored"),
            (
                "home 2014-02-01..2014-05-01 landlord_notice; home 2014-06-01..2014-09-01",
                "m3 ended",
            ),
            (
                "home 2014-02-01..2014-05-01; home 2014-06-01..2014-09-01 landlord_notice",
                "unknown censored",
            ),
            ("home 2014-02-01..? landlord_notice", "unknown censored"),
        ],
    );
}
