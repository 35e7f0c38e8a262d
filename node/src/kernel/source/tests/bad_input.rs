//! D13: broken files and rows give file, line, column and rule, and nothing else.
//!
//! **Invariant:** no message, debug form or report ever quotes the export (D20).

use super::export::Export;
use crate::kernel::source::{FileProblem, Rule, SourceError, check};

/// The export is refused with exactly one rejected row: this one.
fn rejects(export: &Export, file: &str, line: u64, column: Option<&str>, rule: Rule) {
    let error = export.error();
    let SourceError::Rejected { first, more } = &error else { panic!("{error}") };
    assert_eq!((first.len(), more), (1, &false), "{error}");
    let row = &first[0];
    let found = (row.file.as_str(), row.line, row.column.as_deref(), row.rule);
    assert_eq!(found, (file, line, column, rule), "{error}");
    let report = export.on_disk(|config| check(config).expect("a report"));
    assert_eq!(&report.rejected.shown, first);
}

/// The export is refused for a file as a whole.
fn refuses(export: &Export, file: &str, line: u64, column: Option<&str>, problem: FileProblem) {
    let error = export.error();
    let SourceError::File { file: f, line: l, column: c, problem: p } = &error else {
        panic!("{error}")
    };
    assert_eq!((f.as_str(), *l, c.as_deref(), *p), (file, line, column, problem), "{error}");
}

fn replaced(file: &str, from: &str, to: &str) -> Export {
    Export::standard().replace(file, from, to)
}

#[test]
fn d13_cells_that_are_not_what_their_column_holds() {
    let cases = [
        ("participant.csv", "2014-03-01", "2014-02-30", 2, "intake_date", Rule::NotADate),
        ("participant.csv", "2014-03-01", "0214-03-01", 2, "intake_date", Rule::NotADate),
        ("participant.csv", "2014-05-12", "12.05.2014", 3, "intake_date", Rule::NotADate),
        ("participant.csv", "1975", "1875", 2, "birth_year", Rule::BirthYear),
        ("participant.csv", "1975", "+1975", 2, "birth_year", Rule::BirthYear),
        ("participant.csv", "woman", "w", 3, "gender", Rule::UnknownCode),
        ("participant.csv", "died", "dead", 3, "exit_reason", Rule::UnknownCode),
        ("participant.csv", "a3,", "  ,", 4, "participant_id", Rule::ParticipantBlank),
        ("consent.csv", "a1,statistics", "a1,", 2, "purpose", Rule::PurposeMissing),
        ("tenancy.csv", "a1,2,", "a1,0,", 3, "dwelling_no", Rule::DwellingNumber),
        ("tenancy.csv", "a1,2,", "a9,2,", 3, "participant_id", Rule::ParticipantMissing),
        ("contact.csv", "2016-10,nav", "2016-13,nav", 3, "month", Rule::NotAMonth),
        ("contact.csv", ",4,", ",4.5,", 2, "count", Rule::NotANumber),
        ("contact.csv", ",4,", ",-4,", 2, "count", Rule::NotANumber),
        ("contact.csv", ",4,", ",4294967296,", 2, "count", Rule::NotANumber),
        ("contact.csv", ",4,", ",,", 2, "count", Rule::CountMissing),
        ("satisfaction.csv", ",6\n", ",8\n", 2, "score", Rule::Score),
    ];
    for (file, from, to, line, column, rule) in cases {
        let mut export = replaced(file, from, to);
        if rule == Rule::ParticipantBlank {
            // Nobody's rows are left behind.
            export = export
                .replace(
                    "consent.csv",
                    "a3,statistics,withdrawn,written,2015-01-20,v2,,2015-06-01\n",
                    "",
                )
                .replace("stay.csv", "a3,treatment,2015-02-01,\n", "");
        }
        rejects(&export, file, line, Some(column), rule);
    }
}

#[test]
fn d13_rows_with_too_few_or_too_many_cells() {
    for row in ["a1,prison,2015-02-01\n", "a1,prison,2015-02-01,,\n", "a1\n"] {
        let export = Export::standard().append("stay.csv", row);
        rejects(&export, "stay.csv", 4, None, Rule::FieldCount);
    }
}

#[test]
fn d13_bad_utf8_is_named_with_its_cell() {
    let mut bytes = Export::standard().text("stay.csv").into_bytes();
    bytes.extend_from_slice(b"a1,pris\xf8n,2015-02-01,\n");
    let export = Export::standard().with("stay.csv", bytes);
    rejects(&export, "stay.csv", 4, Some("kind"), Rule::NotUtf8);
    let export = Export::standard().with("stay.csv", b"participant_id,kind,fr\xe5,to\n".to_vec());
    refuses(&export, "stay.csv", 1, None, FileProblem::HeaderNotUtf8);
    let export = Export::standard().with("stay.csv", b"\xff\xfep\0a\0".to_vec());
    refuses(&export, "stay.csv", 1, None, FileProblem::Utf16);
}

#[test]
fn d13_a_cell_of_a_million_characters_is_refused() {
    let long = "x".repeat(1_000_000);
    let bare = Export::standard().append("stay.csv", &format!("a1,{long},,\n"));
    refuses(&bare, "stay.csv", 4, Some("kind"), FileProblem::FieldTooLong);
    let quoted = Export::standard().append("stay.csv", &format!("a1,\"{long}\",,\n"));
    refuses(&quoted, "stay.csv", 4, Some("kind"), FileProblem::FieldTooLong);
    let many = Export::standard().append("stay.csv", &",".repeat(2_000));
    refuses(&many, "stay.csv", 4, None, FileProblem::TooManyColumns);
}

#[test]
fn d13_quotes_that_do_not_close() {
    let open = Export::standard().append("stay.csv", "a1,\"prison,,\na1,prison,,\n");
    refuses(&open, "stay.csv", 4, Some("kind"), FileProblem::QuoteNotClosed);
    let after = Export::standard().append("stay.csv", "a1,\"prison\"x,,\n");
    refuses(&after, "stay.csv", 4, Some("kind"), FileProblem::TextAfterQuote);
}

#[test]
fn d13_duplicate_headers_and_empty_files() {
    let twice = replaced("stay.csv", "from,to", "from, FROM ");
    refuses(&twice, "stay.csv", 1, None, FileProblem::HeaderTwice { first: 3, second: 4 });
    for nothing in ["", "\u{feff}", "\n\n"] {
        let export = Export::standard().with("stay.csv", nothing);
        refuses(&export, "stay.csv", 1, None, FileProblem::Empty);
    }
}

#[test]
fn a_missing_column_says_how_to_do_without() {
    let error = replaced("participant.csv", "gender", "sex").error().to_string();
    assert!(error.starts_with("participant.csv line 1: no column \"gender\""), "{error}");
    assert!(error.contains("gender = { constant = \"unknown\" }"), "{error}");
    let error = replaced("stay.csv", "participant_id", "id").error().to_string();
    assert!(!error.contains("constant"), "{error}");
}

#[test]
fn files_that_have_to_be_there() {
    for file in ["participant.csv", "consent.csv"] {
        let error = Export::standard().without(file).error();
        assert!(matches!(&error, SourceError::Missing { file: f, .. } if f == file), "{error}");
    }
    let export = Export::standard().without("stay.csv");
    let report = export.on_disk(|config| check(config).expect("a report"));
    assert!(report.to_string().contains("stay.csv          no such file or table"), "{report}");
    let named = export.mapped("[tables.stay]\nfile = \"stay.csv\"").error();
    assert!(named.to_string().contains("the mapping names it"), "{named}");
}

#[test]
fn lines_are_right_after_crlf_blank_lines_and_quoted_line_breaks() {
    let export = Export::standard();
    let crlf = |export: &Export, name: &str| export.text(name).replace('\n', "\r\n");
    let mut other = Export::standard();
    for name in export.names() {
        let text = format!("\u{feff}{}", crlf(&export, &name));
        other = other.with(&name, text);
    }
    assert_eq!(other.records(), export.records());
    let header = "participant_id,kind,note,from,to\r\n";
    let rows = "a1,prison,\"one\r\ntwo\r\n\"\"three\"\"\",,\r\n\r\n\r\na1,prison,,2015-99-01,\r\n";
    let export = Export::standard().with("stay.csv", format!("{header}{rows}"));
    rejects(&export, "stay.csv", 7, Some("from"), Rule::NotADate);
}

#[test]
fn d20_nothing_of_a_broken_export_is_quoted() {
    const CANARY: &str = "KANARIFUGL";
    let clean = Export::standard();
    let mut broken = Export::standard();
    for name in clean.names() {
        let text = clean.text(&name);
        let header = text.lines().next().expect("headers");
        let width = header.split(',').count();
        let mut rows = text.clone();
        // One row for each column, with the canary in that column, and one of canaries only.
        for at in 0..width {
            let row = text.lines().nth(1).expect("a row");
            let cells = row.split(',').enumerate();
            let cells = cells.map(|(i, cell)| if i == at { CANARY } else { cell });
            rows += &(cells.collect::<Vec<_>>().join(",") + "\n");
        }
        rows += &(vec![CANARY; width].join(",") + "\n");
        rows += &(vec![CANARY; width + 1].join(",") + "\n");
        broken = broken.with(&name, rows);
    }
    let report = broken.on_disk(|config| check(config).expect("a report"));
    assert!(report.rejected.total >= 54, "{report}");
    let error = broken.error();
    let skipped = broken.skipping().error();
    let header = clean.with("stay.csv", format!("{CANARY}1,{CANARY}2,{CANARY}1\n")).error();
    let json = serde_json::to_string(&report).expect("JSON");
    for text in [
        report.to_string(),
        format!("{report:?}"),
        json,
        format!("{error} {error:?}"),
        format!("{skipped} {skipped:?}"),
        format!("{header} {header:?}"),
    ] {
        assert!(!text.to_lowercase().contains(&CANARY.to_lowercase()), "{text}");
    }
}
