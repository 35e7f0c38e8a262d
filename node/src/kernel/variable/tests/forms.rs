//! Mapping forms, and what a participant came with.

use super::check;

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
