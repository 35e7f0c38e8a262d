//! The tokenizer against texts by hand, and against the `csv` crate on well-formed ones.
//!
//! **Invariant:** what the two agree on is the records; the lines are checked here by hand.

use super::{CsvError, CsvReader, Fault, Record};
use proptest::prelude::*;
use std::io::BufReader;

mod soups;

type Rows = Vec<(u64, Vec<String>)>;

fn rows(text: &str, buffer: usize) -> Result<Rows, (u64, usize, Fault)> {
    let mut reader = CsvReader::new(BufReader::with_capacity(buffer, text.as_bytes()), b',');
    let mut record = Record::default();
    let mut rows = Vec::new();
    loop {
        match reader.read(&mut record) {
            Ok(true) => {
                let fields = record.fields().map(|field| String::from_utf8_lossy(field).into());
                rows.push((record.line(), fields.collect()));
            }
            Ok(false) => return Ok(rows),
            Err(CsvError::Malformed(wrong)) => return Err((wrong.line, wrong.field, wrong.fault)),
            Err(CsvError::Io(error)) => panic!("{error}"),
        }
    }
}

fn check(text: &str, expected: &[(u64, &[&str])]) {
    for buffer in [1, 2, 3, 64] {
        let found = rows(text, buffer).expect("records");
        let found: Vec<_> = found.iter().map(|(line, fields)| (*line, fields.clone())).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, fields)| (*line, fields.iter().map(|f| (*f).to_owned()).collect()))
            .collect();
        assert_eq!(found, expected, "{text:?} by {buffer}");
    }
}

#[test]
fn records_have_their_fields_and_lines() {
    check("", &[]);
    check("\n\r\n\r", &[]);
    check("a,b\nc,d", &[(1, &["a", "b"]), (2, &["c", "d"])]);
    check("a,b\r\nc,d\r\n", &[(1, &["a", "b"]), (2, &["c", "d"])]);
    check("a\rb\r", &[(1, &["a"]), (2, &["b"])]);
    check("a\r\n\r\n\r\nb", &[(1, &["a"]), (4, &["b"])]);
    check(",\n\n,,", &[(1, &["", ""]), (3, &["", "", ""])]);
    check("\"\"\n\"a\"\"b\",c\n", &[(1, &[""]), (2, &["a\"b", "c"])]);
    check("\"a\nb\r\nc\",d\ne", &[(1, &["a\nb\r\nc", "d"]), (4, &["e"])]);
    check("5\" pipe,b\n", &[(1, &["5\" pipe", "b"])]);
    check("a,\"\r\n\"\r\nb", &[(1, &["a", "\r\n"]), (3, &["b"])]);
}

#[test]
fn what_is_not_delimited_text_is_named_where_its_row_starts() {
    assert_eq!(rows("a\nb,\"c\nd", 3), Err((2, 1, Fault::QuoteNotClosed)));
    assert_eq!(rows("a\n\"b\" ,c", 3), Err((2, 0, Fault::TextAfterQuote)));
    let long = "x".repeat(super::SOURCE_FIELD_BYTES);
    assert!(rows(&long, 100).is_ok());
    assert_eq!(rows(&format!("a,{long}x"), 100), Err((1, 1, Fault::FieldTooLong)));
    let wide = ",".repeat(super::SOURCE_COLUMNS);
    assert_eq!(rows(&wide, 100), Err((1, super::SOURCE_COLUMNS, Fault::TooManyFields)));
}

proptest! {
    #[test]
    fn well_formed_text_is_read_as_the_csv_crate_reads_it(
        records in prop::collection::vec(prop::collection::vec("[a,\"\n\r æ]{0,6}", 1..4), 0..6),
        buffer in 1_usize..40,
    ) {
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(Vec::new());
        for record in &records {
            writer.write_record(record).expect("written");
        }
        let text = String::from_utf8(writer.into_inner().expect("text")).expect("UTF-8");
        let found = rows(&text, buffer).expect("records");
        let fields: Vec<_> = found.into_iter().map(|(_, fields)| fields).collect();
        prop_assert_eq!(fields, records);
    }
}
