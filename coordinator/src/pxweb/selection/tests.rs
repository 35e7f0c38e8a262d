//! Every expression, and everything that is none.

use super::{BadItem, Values, items};
use proptest::prelude::*;

const CODES: [&str; 7] = ["total", "a1", "a2", "b1", "Bc", "x*y", "top(1)"];
const TIMES: [&str; 5] = ["2024H1", "2024H2", "2025H1", "2025H2", "2026H1"];

fn values(codes: &'static [&'static str], is_time: bool) -> Values<'static> {
    Values { codes: codes.iter().copied().enumerate().collect(), is_time }
}

fn select(
    codes: &'static [&'static str],
    is_time: bool,
    list: &str,
) -> Result<Vec<usize>, BadItem> {
    let wanted: Vec<String> = items(list).map(str::to_owned).collect();
    values(codes, is_time).select(&wanted)
}

fn check(list: &str, expected: &[usize]) {
    assert_eq!(select(&CODES, false, list).as_deref(), Ok(expected), "{list}");
}

fn check_time(list: &str, expected: &[usize]) {
    assert_eq!(select(&TIMES, true, list).as_deref(), Ok(expected), "{list}");
}

#[test]
fn codes_and_patterns() {
    check("a1", &[1]);
    check("B1,A1, a1", &[1, 3]);
    check("*", &[0, 1, 2, 3, 4, 5, 6]);
    check("a*", &[1, 2]);
    check("*1", &[1, 3]);
    check("*O*", &[0, 6]);
    check("?1", &[1, 3]);
    check("b?", &[3, 4]);
    check("?*", &[0, 1, 2, 3, 4, 5, 6]);
    check("x*y", &[5]);
    check("[a1]", &[1]);
}

#[test]
fn ends_and_spans() {
    check("top(2)", &[0, 1]);
    check("TOP(2,1)", &[1, 2]);
    check("[top(2,1)]", &[1, 2]);
    check("bottom(1)", &[6]);
    check("bottom(2,1)", &[4, 5]);
    check("from(bc)", &[4, 5, 6]);
    check("to(A1)", &[0, 1]);
    check("[range(a1,b1)]", &[1, 2, 3]);
    check("top(99999999999999999999999)", &[0, 1, 2, 3, 4, 5, 6]);
    check("top(1)", &[6]);
}

#[test]
fn the_top_of_time_is_the_latest_ascending() {
    check_time("top(2)", &[3, 4]);
    check_time("top(2,1)", &[2, 3]);
    check_time("bottom(2)", &[0, 1]);
    check_time("bottom(1,1)", &[1]);
    check_time("from(2025H2)", &[3, 4]);
    check_time("to(2024h2)", &[0, 1]);
    check_time("[range(2024H2,2025H2)]", &[1, 2, 3]);
    check_time("2025H1,top(1)", &[2, 4]);
    check_time("2025*", &[2, 3]);
}

#[test]
fn what_is_no_expression_is_refused() {
    for list in [
        "top",
        "top(",
        "top()",
        "top(0)",
        "top(-1)",
        "top(1,2,3)",
        "top(x)",
        "a*b",
        "**a",
        "over(1)",
        "range(a1)",
        "range(b1,a1)",
        "[range(b1,a1)]",
        "from()",
        "from(a1,b1)",
        "(a1)",
        "[]",
    ] {
        let refused = select(&CODES, false, list);
        let known = refused.as_ref().is_err();
        assert!(known, "{list}: {refused:?}");
    }
    assert_eq!(select(&CODES, false, "q"), Err(BadItem::Value("q".to_owned())));
    assert_eq!(select(&CODES, false, "q*"), Err(BadItem::Value("q*".to_owned())));
    assert_eq!(select(&CODES, false, "from(q)"), Err(BadItem::Value("q".to_owned())));
    assert_eq!(select(&CODES, false, "a*b"), Err(BadItem::Expression("a*b".to_owned())));
}

proptest! {
    /// S12: any text is a selection or refused, and a selection is ascending, without repetition and
    /// within the variable.
    #[test]
    fn any_text_is_a_selection_or_refused(list in "\\PC{0,80}", is_time: bool) {
        if let Ok(chosen) = select(&CODES, is_time, &list) {
            prop_assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(chosen.iter().all(|place| *place < CODES.len()));
        }
    }

    /// The same, of texts that are nearly expressions.
    #[test]
    fn any_near_expression_is_a_selection_or_refused(
        list in "(\\[?(top|bottom|from|to|range|\\*|\\?|a)?\\(?(0|1|3|99|a1|b1|é)?,?(0|2|Bc)?\\)?\\]?,?){0,4}",
        is_time: bool,
    ) {
        let _selected = select(&CODES, is_time, &list);
    }
}
