//! What is found at once is what is found byte by byte.
//!
//! **Invariant:** every text is tried in every place.

use super::{Number, first_cell, number, number_in};
use proptest::prelude::*;

/// Texts in which delimiters, digits and bytes that differ from a delimiter in one bit are near each other.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => Just(b','),
        3 => b'0'..=b'9',
        1 => prop::sample::select(vec![0, 0x2D, 0x2B, 0xAC, 0x80, 0x7F, 0xFF, b'x']),
    ];
    prop::collection::vec(byte, 0..40)
}

/// The number before so many delimiters, found from the line's end byte by byte.
fn plainly(text: &[u8], behind: usize) -> Option<Number> {
    let cells: Vec<&[u8]> = text.split(|byte| *byte == b',').collect();
    let at = cells.len().checked_sub(behind + 1)?;
    let rest: usize = cells[at + 1..].iter().map(|cell| cell.len() + 1).sum();
    let end = text.len() - rest;
    let start = end - cells[at].len();
    let is_within_reach = at > 0 && text.len() >= 16 && start > text.len() - 16;
    let value = std::str::from_utf8(cells[at]).ok()?.parse().ok()?;
    let is_plain = cells[at].len() <= 9 && cells[at].iter().all(u8::is_ascii_digit);
    (is_within_reach && is_plain).then_some(Number { start, end, value })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn the_first_cell_ends_where_the_first_delimiter_is(text in texts()) {
        let place = text.iter().position(|byte| *byte == b',');
        let expected = place.filter(|place| *place < 16 && text.len() >= 16);
        prop_assert_eq!(first_cell(&text, b','), expected);
    }

    #[test]
    fn a_number_is_found_before_its_delimiters(text in texts(), behind in 0..6_usize) {
        prop_assert_eq!(number_in(&text, b',', behind), plainly(&text, behind));
    }

    #[test]
    fn a_number_is_what_its_digits_say(text in texts()) {
        let plain = std::str::from_utf8(&text).ok().filter(|text| text.len() <= 9);
        let plain = plain.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        prop_assert_eq!(number(&text), plain.and_then(|text| text.parse().ok()));
    }
}
