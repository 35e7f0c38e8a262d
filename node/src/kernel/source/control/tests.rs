//! Each contradictory printed figure of the first evaluations is caught by exactly its rule, and
//! the mended figures are clean.
//!
//! **Invariant:** no finding quotes a printed value.

use super::number::Printed;
use super::{ControlFinding, ControlRule, Listed, check};
use crate::kernel::source::error::SourceError;
use crate::kernel::source::mapping::Mapping;
use crate::kernel::source::shelf::Shelf;

fn run(rows: &str) -> Result<Vec<ControlFinding>, SourceError> {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("figure;role;state;value\n{rows}");
    std::fs::write(folder.path().join("control.csv"), text).expect("a file");
    let mapping = Mapping::parse("[control]\ndelimiter = \";\"").expect("a mapping");
    let mut findings = Listed::default();
    check(&Shelf::Folder(folder.path().to_owned()), mapping.control(), &mut findings).map(
        |present| {
            assert!(present, "the file is read");
            findings.shown
        },
    )
}

/// The printed rows give exactly this rule, about these lines; the mended ones nothing.
fn caught(printed: &str, lines: &[u64], rule: ControlRule, mended: &str) {
    let findings = run(printed).expect("figures");
    let found: Vec<_> = findings.iter().map(|f| (f.lines.as_slice(), f.rule)).collect();
    assert_eq!(found, [(lines, rule)], "{printed}");
    assert_eq!(run(mended).expect("figures"), [], "{mended}");
}

#[test]
fn fourteen_who_lost_a_dwelling_are_not_nine_and_one_and_three() {
    let rows = |total: u32| {
        format!(
            "lost a dwelling;total;;{total}\nlost a dwelling;part;2014;9\n\
             lost a dwelling;part;2015;1\nlost a dwelling;part;2016;3\n"
        )
    };
    caught(&rows(14), &[2, 3, 4, 5], ControlRule::PartsDoNotAdd, &rows(13));
}

#[test]
fn forms_of_eighteen_men_four_women_and_four_unknown_are_not_twenty_nine() {
    let rows = |unknown: u32| {
        format!(
            "forms;total;;29\nforms;part;man;18\nforms;part;woman;4\nforms;part;unknown;{unknown}\n"
        )
    };
    caught(&rows(4), &[2, 3, 4, 5], ControlRule::PartsDoNotAdd, &rows(7));
}

#[test]
fn sixty_two_percent_fits_only_without_a_dead_person() {
    let rows = |denominator: u32| {
        format!("kept;numerator;;13\nkept;denominator;;{denominator}\nkept;percent;;62 %\n")
    };
    let rule = ControlRule::PercentDoesNotFit { fits_with_fewer: Some(1) };
    caught(&rows(22), &[2, 3, 4], rule, &rows(21));
    let rule = ControlRule::PercentDoesNotFit { fits_with_fewer: None };
    caught(&rows(13), &[2, 3, 4], rule, &rows(21));
}

#[test]
fn rates_are_told_apart_by_their_state() {
    let rows = "retention;numerator;all;35\nretention;denominator;all;51\nretention;percent;all;68,6\n\
                retention;numerator;alive;35\nretention;denominator;alive;49\nretention;percent;alive;71.4 %\n";
    assert_eq!(run(rows).expect("figures"), []);
    let wrong = rows.replace("71.4", "71.5");
    let findings = run(&wrong).expect("figures");
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].state.as_deref(), Some("alive"));
}

#[test]
fn bands_that_share_a_year_overlap() {
    let rows = |to: u32| {
        format!(
            "age;band;<30;4\nage;band;30-{to};9\nage;band;40-49;8\nage;band;50+;3\nage;total;;24\n"
        )
    };
    caught(&rows(40), &[3, 4], ControlRule::BandsOverlap, &rows(39));
    let unclear = "age;band;young;4\nage;band;unknown;1\n";
    caught(unclear, &[2], ControlRule::BandUnclear, "age;band;< 30;4\nage;band;30;1\n");
}

#[test]
fn two_rows_for_one_state() {
    let rows = |second: &str| {
        format!(
            "situation;part;unresolved, notice;2\nsituation;part;{second};1\nsituation;total;;3\n"
        )
    };
    caught(&rows(" Unresolved, notice "), &[2, 3], ControlRule::SameState, &rows("left"));
}

#[test]
fn zero_is_not_nothing() {
    let rows = |unprinted: &str| {
        format!("rent;part;2014;0\nrent;part;2015;{unprinted}\nrent;part;2016;1\nrent;total;;1\n")
    };
    for unprinted in ["", "-", "–"] {
        caught(&rows(unprinted), &[2, 3], ControlRule::ZeroAndBlank, &rows("0"));
    }
    let all_dashes = "s;part;a;-\ns;part;b;-\ns;part;c;4\ns;total;;4\n";
    assert_eq!(run(all_dashes).expect("figures"), []);
}

#[test]
fn one_question_has_one_list_of_categories() {
    let rows = |last: &str| {
        format!(
            "contact 1;question;contact;\ncontact 1;category;nav;\ncontact 1;category;work;\n\
             contact 2;question;contact;\ncontact 2;category;nav;\ncontact 2;category;{last};\n\
             other;question;another;\nother;category;neither;\n"
        )
    };
    caught(&rows("next of kin"), &[2, 5], ControlRule::CategoriesDiffer, &rows("work"));
}

#[test]
fn a_part_that_is_not_printed_may_be_the_difference_but_not_the_excess() {
    let rows = |total: u32| format!("s;part;a;5\ns;part;b;-\ns;total;;{total}\n");
    caught(&rows(4), &[4, 2, 3], ControlRule::PartsDoNotAdd, &rows(7));
}

#[test]
fn rows_that_cannot_be_read_are_named_without_their_text() {
    let rows = "s;sum;;4\n;total;;4\ns;part;;4\ns;total;;KANARI\ns;total\ns;total;;4,\n";
    let findings = run(rows).expect("figures");
    let lines: Vec<_> = findings.iter().map(|finding| finding.lines[0]).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7]);
    assert!(findings.iter().all(|finding| finding.rule == ControlRule::Unreadable));
    assert!(!format!("{findings:?}").contains("KANARI"));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("control.csv"), "figure,role,value\n").expect("a file");
    let mapping = Mapping::standard().expect("a mapping");
    let error =
        check(&Shelf::Folder(folder.path().to_owned()), mapping.control(), &mut Listed::default());
    let error = error.expect_err("a column is missing").to_string();
    assert!(error.contains("no column \"state\""), "{error}");
}

#[test]
fn numbers_are_read_as_printed() {
    for text in ["18", " 1 234 ", "68,6", "68.6 %", "0", "0,0001", "-", ""] {
        assert!(Printed::parse(text).is_some(), "{text}");
    }
    for text in ["-1", "1e3", "1.2.3", "0,00001", ".5", "5.", "x", "99999999999999999999"] {
        assert!(Printed::parse(text).is_none(), "{text}");
    }
    assert_eq!(Printed::parse("1 234"), Printed::parse("1234"));
    assert!(Printed::parse("0,0").is_some_and(Printed::is_zero));
}
