//! Complaints, contacts and stays.

use super::check;

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
