//! Where a participant lives, and whether they still do after some time.

use super::check;

#[test]
fn housing_situation() {
    check(
        "S2",
        &[
            ("home 2014-02-01..", "same_dwelling"),
            ("home 2016-12-31..", "same_dwelling"),
            ("home 2017-01-01..", "not_yet_housed"),
            ("", "not_yet_housed"),
            ("home 2014-02-01..2015-01-01 voluntary_move; home 2015-01-01..", "later_dwelling"),
            ("home 2015-01-01..; home 2014-02-01..2015-01-01 landlord_notice", "later_dwelling"),
            ("home 2014-02-01..2016-12-31 landlord_notice", "temporary_or_institution"),
            ("home 2014-02-01..; stay prison 2016-01-01..", "same_dwelling"),
            // Notice is given, and the move-out not known, near, or too far away to tell.
            ("home 2014-02-01.. landlord_notice", "unresolved_notice"),
            ("home 2014-02-01.. immediate_termination", "unresolved_notice"),
            ("home 2014-02-01.. own_notice", "same_dwelling"),
            ("home 2014-02-01..2017-03-31 landlord_notice", "unresolved_notice"),
            ("home 2014-02-01..2017-04-01 landlord_notice", "same_dwelling"),
            ("home 2014-02-01..2017-01-01 voluntary_move", "same_dwelling"),
            // Two at once: the later one decides.
            ("home 2014-02-01.. landlord_notice; home 2016-12-01..", "later_dwelling"),
            // Exit and death.
            ("home 2014-02-01..; exit 2016-12-31 moved_municipality", "left"),
            ("home 2014-02-01..; exit 2017-01-01 died", "same_dwelling"),
            ("home 2014-02-01..; exit 2016-05-01 died", "died"),
            ("home 2014-02-01..2016-05-01 died", "died"),
            ("home 2014-02-01..2016-05-01 died; exit 2016-05-01 other", "died"),
            ("home 2014-02-01..2017-05-01 died", "same_dwelling"),
            ("exit 2016-05-01", "left"),
            // What is not known.
            ("in ?; home 2014-02-01..", "unknown"),
            ("in 2017-01-01; home 2014-02-01..", ""),
            ("home 2014-02-01..; exit ? died", "unknown"),
            ("home 2014-02-01..; exit - other", "unknown"),
            ("home 2014-02-01..? died", "unknown"),
            ("home ?..", "unknown"),
            ("home 2014-02-01..?", "unknown"),
            ("home ?..2015-01-01 voluntary_move", "temporary_or_institution"),
            ("home ?..2015-01-01 voluntary_move; home 2015-01-01..", "later_dwelling"),
            ("home ?..2015-01-01 voluntary_move; home 2014-06-01..", "unknown"),
            ("home 2014-02-01..?; home 2015-01-01..", "later_dwelling"),
            ("home 2014-02-01..; home 2015-01-01..?", "unknown"),
            ("home 2014-02-01..; home ?..", "unknown"),
        ],
    );
}

#[test]
fn housing_situation_by_intake_year() {
    check(
        "S3",
        &[
            ("in 2014-01-05; home 2014-02-01..", "2014 same_dwelling"),
            ("in ?; home 2014-02-01..", "unknown unknown"),
        ],
    );
}

#[test]
fn retained_at_milestones() {
    const LATE: &str =
        "m6 not_followed_so_long, m12 not_followed_so_long, m24 not_followed_so_long";
    check(
        "S4",
        &[
            ("", LATE),
            ("home 2016-07-01..", LATE),
            (
                "home 2016-06-30..",
                "m6 in_ordinary_dwelling, m12 not_followed_so_long, m24 not_followed_so_long",
            ),
            (
                "home 2014-12-31..",
                "m6 in_ordinary_dwelling, m12 in_ordinary_dwelling, m24 in_ordinary_dwelling",
            ),
            // Lost on the very day of the first milestone, rehoused before the second.
            (
                "home 2014-03-01..2014-09-01 landlord_notice; home 2015-02-28..",
                "m6 not_in_ordinary_dwelling, m12 in_ordinary_dwelling, m24 in_ordinary_dwelling",
            ),
            ("home 2014-03-01..2014-12-01 died", "m6 in_ordinary_dwelling, m12 died, m24 died"),
            // The time has not come, though it never will.
            (
                "home 2016-01-15..2016-03-01 died",
                "m6 died, m12 not_followed_so_long, m24 not_followed_so_long",
            ),
            (
                "home 2014-03-01..; exit 2015-01-01 moved_municipality",
                "m6 in_ordinary_dwelling, m12 not_followed_so_long, m24 not_followed_so_long",
            ),
            // Left after losing the dwelling: no missing information.
            (
                "home 2014-03-01..2014-12-01 immediate_termination; exit 2014-12-01 other",
                "m6 in_ordinary_dwelling, m12 not_in_ordinary_dwelling, m24 not_in_ordinary_dwelling",
            ),
            (
                "home 2014-03-01..2014-12-01 own_notice; exit 2014-12-01 other",
                "m6 in_ordinary_dwelling, m12 not_followed_so_long, m24 not_followed_so_long",
            ),
            ("home ?..", "m6 unknown, m12 unknown, m24 unknown"),
            ("home 2014-03-01..?", "m6 unknown, m12 unknown, m24 unknown"),
            ("home 2014-03-01..; exit ? other", "m6 unknown, m12 unknown, m24 unknown"),
        ],
    );
}

#[test]
fn tenure() {
    let lost = "home 2014-02-01..2014-05-01 landlord_notice tenure=private";
    let kept = "home 2014-06-01.. tenure=municipal";
    check(
        "S9",
        &[
            (kept, "municipal"),
            (&format!("{kept}; {lost}"), "municipal"),
            (lost, "no_current_dwelling"),
            ("home 2014-06-01.. landlord_notice tenure=private", "private"),
            ("home 2014-06-01..", "unknown"),
            (&format!("{kept}; exit 2015-01-01 other"), "no_current_dwelling"),
            (&format!("{kept}; exit ? other"), "unknown"),
        ],
    );
    check(
        "S10",
        &[
            (kept, "municipal in_ordinary_dwelling"),
            (lost, "private not_in_ordinary_dwelling"),
            (
                "home 2014-06-01.. landlord_notice tenure=private",
                "private not_in_ordinary_dwelling",
            ),
            (&format!("{lost}; exit 2015-01-01 died"), "private died"),
            ("", "no_dwelling_yet not_yet_housed"),
            ("home ?.. tenure=private", "unknown unknown"),
            (&format!("{kept}; exit 2015-01-01 other"), "municipal left"),
        ],
    );
}

#[test]
fn weeks_to_the_first_move_in() {
    let person = |moved_in: &str| format!("in 2014-01-01; home {moved_in}..");
    let cases = [
        ("2013-12-01", "up_to_6"),
        ("2014-01-01", "up_to_6"),
        ("2014-02-12", "up_to_6"),
        ("2014-02-13", "7_to_13"),
        ("2014-04-02", "7_to_13"),
        ("2014-04-03", "14_to_26"),
        ("2014-07-02", "14_to_26"),
        ("2014-07-03", "over_26"),
        ("2017-01-01", "not_housed"),
        ("?", "unknown"),
    ];
    for (moved_in, expected) in cases {
        check("S13", &[(&person(moved_in), expected)]);
    }
    check("S13", &[("", "not_housed"), ("in ?; home 2014-02-01..", "unknown")]);
}
