//! Every variable against its definition: the plain cases, and those at the edge.

use super::calendar::{months_after, whole_months};
use crate::kernel::people::{counted, day};

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

#[test]
fn neighbour_complaints() {
    let times = |count| "complaint 2016-10-01 noise no;".repeat(count);
    for (count, band) in
        [(0, "0"), (1, "1_2"), (2, "1_2"), (3, "3_9"), (9, "3_9"), (40, "10_or_more")]
    {
        check("S14", &[(&times(count), band)]);
    }
    check(
        "S14",
        &[
            (
                "complaint 2016-09-30; complaint 2016-12-31; complaint 2017-01-01; complaint ?",
                "1_2",
            ),
            ("exit 2016-09-30 other", ""),
            ("exit 2016-10-01 other", "0"),
            ("exit ? other", "0"),
        ],
    );
    // Forty complaints of one person are five.
    check("S15", &[(&times(40), "5 noise"), ("complaint 2016-10-01", "unknown")]);
    check(
        "S16",
        &[
            ("", "no_complaint"),
            ("complaint 2016-09-30 noise yes", "no_complaint"),
            ("complaint 2016-10-01 noise no", "without_meeting"),
            ("complaint 2016-10-01 noise no; complaint 2016-10-02 noise", "unknown"),
            ("complaint 2016-10-01 noise; complaint 2016-10-02 noise yes", "with_meeting"),
            ("complaint 2016-10-01 noise yes; exit 2016-01-01 other", ""),
        ],
    );
}

#[test]
fn home_visits_per_month_with_a_form() {
    let visits = |counts: &[u32]| {
        let rows = counts.iter().enumerate();
        let rows = rows.map(|(at, count)| format!("contact 2016-{} home_visit {count};", at + 1));
        rows.collect::<Vec<_>>().join(" ")
    };
    let cases: [(&[u32], &str); 8] = [
        (&[0, 0], "none"),
        (&[1, 0], "under_1"),
        (&[1], "1_to_under_2"),
        (&[3, 0], "1_to_under_2"),
        (&[2], "2_to_under_4"),
        (&[4, 3], "2_to_under_4"),
        (&[4], "4_or_more"),
        (&[u32::MAX, u32::MAX], "4_or_more"),
    ];
    for (counts, band) in cases {
        check("S17", &[(&visits(counts), band)]);
    }
    check(
        "S17",
        &[
            // No form is not no visit.
            ("", "unknown"),
            ("contact 2016-05 home_visit 0 no", "unknown"),
            ("contact 2016-05 home_visit 7 unknown", "unknown"),
            (
                "contact 2015-12 home_visit 7; contact 2017-01 home_visit 7; contact ? home_visit 7",
                "unknown",
            ),
            // A form with other contacts says that there were no home visits.
            ("contact 2016-05 nav 3", "none"),
            ("contact 2016-05 nav 3; contact 2016-06 home_visit 1", "under_1"),
            ("contact 2016-05 home_visit 1; contact 2016-05 home_visit 1", "2_to_under_4"),
            ("contact 2016-05 nav 3; exit 2015-12-31 other", ""),
        ],
    );
}

#[test]
fn contacts_by_category() {
    let rows = "contact 2016-10 nav 3; contact 2016-12 nav 4; contact 2016-11 lar 30; \
                contact 2016-09 work 9; contact 2016-10 work 0; contact 2016-10 other 5 no";
    check("S18", &[(rows, "nav, lar"), ("contact 2016-10 unknown 1", "unknown")]);
    check("S19", &[(rows, "7 nav, 13 lar")]);
}

#[test]
fn stays() {
    check(
        "S22",
        &[
            ("", "none"),
            ("stay prison 2014-05-01..2014-06-01", "prison"),
            ("stay treatment 2014-05-01..; stay prison 2016-12-31..", "both"),
            ("stay treatment 2017-01-01..", "none"),
            ("stay prison 2013-01-01..2013-12-31", "none"),
            ("stay prison 2013-01-01..2014-01-01", "prison"),
            ("stay prison 2013-01-01..", "prison"),
            ("stay prison 2013-01-01..?", "unknown"),
            ("stay prison 2014-02-01..?", "prison"),
            ("stay prison ?..", "unknown"),
            ("stay unknown 2014-02-01..", "unknown"),
            (
                "stay unknown 2014-02-01..; stay prison 2014-02-01..; stay treatment 2014-02-01..",
                "both",
            ),
            ("in ?; stay prison 2013-01-01..2013-02-01", "unknown"),
            ("in ?; stay prison 2013-01-01..", "prison"),
        ],
    );
}

#[test]
fn problems_and_their_change() {
    check(
        "S23",
        &[
            ("", "unknown unknown"),
            ("form 2014-02-01 severe none; form 2016-12-31 moderate unknown", "moderate none"),
            ("form 2014-02-01 severe none; form 2017-01-01 none severe", "severe none"),
            ("form 2014-02-01 none none; form 2014-02-01 severe none", "severe none"),
            ("form ? severe severe", "unknown unknown"),
        ],
    );
    check(
        "S24",
        &[
            ("", "drugs unknown, mental_health unknown"),
            ("form 2014-02-01 severe none", "drugs unknown, mental_health unknown"),
            (
                "form 2015-02-01 none moderate; form 2014-02-01 severe none",
                "drugs better, mental_health worse",
            ),
            (
                "form 2014-02-01 severe none; form 2014-02-01 none none; form 2015-02-01 severe unknown",
                "drugs unchanged, mental_health unknown",
            ),
        ],
    );
    check(
        "S27",
        &[
            ("form ?; form 2017-01-01", "none"),
            ("form 2014-02-01 severe; form 2014-02-01", "one"),
            ("form 2014-02-01; form 2016-12-31; form 2015-01-01", "two_or_more"),
        ],
    );
}

#[test]
fn satisfaction() {
    check(
        "S25",
        &[
            ("", "dwelling unknown, neighbourhood unknown"),
            (
                "score 2014-02-01 dwelling 7; score 2015-02-01 dwelling 2; score 2015-02-01 life 1",
                "dwelling 2, neighbourhood unknown",
            ),
            (
                "score 2014-02-01 dwelling 7; score 2014-02-01 dwelling 3; score 2014-05-01 dwelling; \
             score ? neighbourhood 4; score 2014-02-01 neighbourhood 8",
                "dwelling 3, neighbourhood unknown",
            ),
        ],
    );
}

#[test]
fn age_and_gender() {
    check(
        "S26",
        &[
            ("", "unknown unknown"),
            ("born 1987; gender woman", "under_30 woman"),
            ("born 1986; gender man", "30_39 man"),
            ("born 1976", "40_49 unknown"),
            ("born 1966; exit 2014-06-01 died", "50_or_over unknown"),
            ("born 2017", "unknown unknown"),
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
