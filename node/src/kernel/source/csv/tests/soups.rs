//! The tokenizer against the `csv` crate over any text at all: every short one, and long ones by chance.
//!
//! **Invariant:** what is well-formed, and where records start, is decided here by a rule of its own.

use super::{Fault, Rows, rows};
use proptest::prelude::*;

/// What delimited text is made of.
const ALPHABET: [char; 5] = ['"', ',', '\n', '\r', 'a'];

/// The records as the `csv` crate reads them.
fn by_the_crate(text: &str) -> Vec<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.expect("a record"));
    records.map(|record| record.iter().map(str::to_owned).collect()).collect()
}

/// The lines of a text, whichever way each ends.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        lines.push(&rest[..end]);
        rest = rest[end..].strip_prefix("\r\n").unwrap_or(&rest[end + 1..]);
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// How a text is not delimited text, if it is not, and whether a cell without quotes has one inside. A quote
/// opens a cell at its start alone; a closing one is followed by a delimiter or the end of a line.
fn shape(text: &str) -> (Option<Fault>, bool) {
    let (mut rest, mut inner) = (text, false);
    loop {
        let quoted = rest.strip_prefix('"');
        if let Some(mut after) = quoted {
            loop {
                let Some((_, behind)) = after.split_once('"') else {
                    return (Some(Fault::QuoteNotClosed), inner);
                };
                let Some(doubled) = behind.strip_prefix('"') else {
                    rest = behind;
                    break;
                };
                after = doubled;
            }
            if !rest.is_empty() && !rest.starts_with([',', '\n', '\r']) {
                return (Some(Fault::TextAfterQuote), inner);
            }
        }
        let end = rest.find([',', '\n', '\r']);
        inner |= rest[..end.unwrap_or(rest.len())].contains('"');
        let Some(end) = end else { return (None, inner) };
        rest = &rest[end + 1..];
    }
}

/// The line on which each record starts, where no quote is inside a cell without quotes: a record goes on
/// while its quotes are odd in number.
fn starts(text: &str) -> Vec<u64> {
    let (mut starts, mut open) = (Vec::new(), false);
    for (number, line) in (1..).zip(lines(text)) {
        if !open && !line.is_empty() {
            starts.push(number);
        }
        open ^= line.matches('"').count() % 2 == 1;
    }
    starts
}

fn check(text: &str, buffers: &[usize]) {
    let (wrong, inner_quote) = shape(text);
    for buffer in buffers {
        let found: Result<Rows, _> = rows(text, *buffer);
        match (found, wrong) {
            (Ok(found), None) => {
                let fields: Vec<_> = found.iter().map(|(_, fields)| fields.clone()).collect();
                assert_eq!(fields, by_the_crate(text), "{text:?} by {buffer}");
                if !inner_quote {
                    let at: Vec<u64> = found.iter().map(|(line, _)| *line).collect();
                    assert_eq!(at, starts(text), "lines of {text:?} by {buffer}");
                }
            }
            (Err((_, _, found)), Some(wrong)) => assert_eq!(found, wrong, "{text:?} by {buffer}"),
            (found, wrong) => panic!("{text:?} by {buffer}: {found:?} and {wrong:?}"),
        }
    }
}

/// Every text of up to seven of the characters that matter.
#[test]
fn every_short_text_is_read_as_the_csv_crate_reads_it_or_refused() {
    let mut texts = vec![String::new()];
    for _ in 0..7 {
        for text in &texts {
            check(text, &[1, 2, 64]);
        }
        let longer = |text: &String| ALPHABET.map(|one| format!("{text}{one}"));
        texts = texts.iter().flat_map(longer).collect();
    }
    for text in &texts {
        check(text, &[64]);
    }
}

fn soup(most: usize) -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("\""),
        Just("\""),
        Just("\"\""),
        Just(","),
        Just(","),
        Just("\n"),
        Just("\r\n"),
        Just("\r"),
        Just("a"),
        Just("abcdefghijklmnopqrstuvwxyz"),
        Just("æ"),
        Just(" "),
        Just("\n\n"),
    ];
    prop::collection::vec(pieces, 0..most).prop_map(|pieces| pieces.concat())
}

/// Cells that are quoted as they have to be, and now and then without need.
fn cell() -> impl Strategy<Value = String> {
    let bare = prop_oneof![Just(""), Just("a"), Just("bb b"), Just("æ"), Just("0123456789abcdef")];
    let quoted = soup(6).prop_map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
    prop_oneof![bare.prop_map(str::to_owned), quoted]
}

fn well_formed() -> impl Strategy<Value = String> {
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("\n\r\n"), Just("\n\n\n")];
    let record = (prop::collection::vec(cell(), 1..6), end)
        .prop_map(|(cells, end)| format!("{}{end}", cells.join(",")));
    prop::collection::vec(record, 0..12).prop_map(|records| records.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Mostly not well-formed.
    #[test]
    fn any_text_is_read_as_the_csv_crate_reads_it_or_refused(text in soup(40)) {
        check(&text, &[1, 3, 7, 32, 4096]);
    }

    /// Always well-formed, with blank lines and every end of line in one text; long records, so that every
    /// way of looking at many bytes at once has ends to cross.
    #[test]
    fn any_well_formed_text_is_read_with_its_lines(text in well_formed()) {
        prop_assert_eq!(shape(&text), (None, false));
        check(&text, &[1, 5, 16, 63, 64, 65, 4096]);
    }
}
