//! The report as an operator and as a program reads it.
//!
//! **Invariant:** its last line says what to do.

use super::export::Export;
use crate::kernel::source::{RejectedRows, SourceError, check, check_on};
use fellestall_shared::limits::{REFUSED_ROWS, REPORTED_ROWS};
use time::macros::date;

fn report(export: &Export) -> String {
    export.on_disk(|config| check(config).expect("a report")).to_string()
}

#[test]
fn a_clean_export_is_ready() {
    let text = report(&Export::standard());
    assert!(text.ends_with("Ready: nothing is wrong with this export."), "{text}");
    assert!(
        text.contains("participant   participant.csv           3          3          0          0"),
        "{text}"
    );
}

#[test]
fn a_rejected_row_says_what_where_and_how_to_mend() {
    let broken = Export::standard().replace("participant.csv", "woman", "w");
    let text = report(&broken);
    let line = "  participant.csv line 3, column gender: the code is not known; correct it, or add it to the column's codes, or to unknown, in the mapping";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("Not ready: mend the rejected rows."), "{text}");
    let text = report(&broken.skipping());
    assert!(text.contains("Ready, without the rejected rows"), "{text}");
}

#[test]
fn only_so_many_rows_are_listed_and_all_are_counted() {
    let rows = "a1,,,,\n".repeat(REPORTED_ROWS + 20);
    let export = Export::standard().append("stay.csv", &rows);
    let report = export.on_disk(|config| check(config).expect("a report"));
    assert_eq!(report.rejected.shown.len(), REPORTED_ROWS);
    assert_eq!(usize::try_from(report.rejected.total), Ok(REPORTED_ROWS + 20));
    assert!(report.to_string().contains("  and 20 more"), "{report}");
    let error = export.error();
    let SourceError::Rejected { first, more: true } = &error else { panic!("{error}") };
    assert_eq!(first.len(), REFUSED_ROWS);
}

#[test]
fn the_report_is_json_with_the_same_facts() {
    let export = Export::standard().replace("participant.csv", "woman", "w").skipping();
    let report = export.on_disk(|config| check(config).expect("a report"));
    assert_eq!(report.rejected_rows, RejectedRows::Skip);
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["rejected"]["total"], 1);
    let row = serde_json::json!({
        "file": "participant.csv", "line": 3, "column": "gender", "rule": "unknown_code",
    });
    assert_eq!(json["rejected"]["shown"][0], row);
    assert_eq!(json["tables"][0]["table"], "participant");
}

#[test]
fn a_day_that_has_not_come_is_reported_when_the_day_is_given() {
    let export = Export::standard();
    assert!(
        export
            .on_disk(|config| check_on(config, date!(2017 - 01 - 01)).expect("a report"))
            .is_clean()
    );
    let report =
        export.on_disk(|config| check_on(config, date!(2016 - 10 - 09)).expect("a report"));
    let text = report.to_string();
    assert!(text.contains("satisfaction.csv line 2: dated in the future"), "{text}");
    assert!(text.contains("contact.csv line 4: dated in the future"), "{text}");
    assert_eq!(report.contradictions.total, 2, "{text}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let text = Export::standard().on_disk(|config| {
        let config = crate::kernel::source::SourceConfig {
            origin: crate::kernel::source::Origin::Folder(
                config.folder().expect("a folder").join("none"),
            ),
            ..config.clone()
        };
        check(&config).expect_err("no folder").to_string()
    });
    assert!(text.starts_with("there is no folder ") && text.contains("none"), "{text}");
}
