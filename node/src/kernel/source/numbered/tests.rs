//! Numbers lead where the identifiers lead, and nothing else leads anywhere.
//!
//! **Invariant:** each text is looked for as it stands and with one byte changed.

use super::Numbered;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn found(numbered: &Numbered, text: &[u8], behind: u8) -> Option<u32> {
    let from = [text, &[behind; 16]].concat();
    numbered.get(numbered.key(&from, text.len())?)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_number_leads_to_the_place_of_its_identifier_and_no_other_text_does(
        prefix in "[a-z0-9-]{0,12}",
        digits in 1..9_usize,
        start in 0..100_000_000_u64,
        steps in prop::collection::vec(1..5_u64, 1..40),
        (at, byte) in (0..16_usize, any::<u8>()),
        behind in prop::sample::select(vec![0, b'0', b',', 0xFF]),
    ) {
        prop_assume!(prefix.len() + digits <= 16);
        let limit = 10_u64.pow(u32::try_from(digits).expect("digits"));
        let numbers = steps.iter().scan(start % limit, |number, step| {
            *number += step;
            Some(*number)
        });
        let numbers: Vec<u64> = numbers.filter(|number| *number < limit).collect();
        prop_assume!(!numbers.is_empty());
        let ids: Vec<String> = numbers.iter().map(|n| format!("{prefix}{n:0digits$}")).collect();
        let numbered = Numbered::of(ids.iter().map(String::as_bytes));
        let numbered = numbered.expect("running numbers");
        let all: BTreeSet<&[u8]> = ids.iter().map(String::as_bytes).collect();
        for (place, id) in (0_u32..).zip(&ids) {
            prop_assert_eq!(found(&numbered, id.as_bytes(), behind), Some(place));
            let mut other = id.clone().into_bytes();
            let at = at % other.len();
            other[at] = byte;
            let expected = all.contains(other.as_slice());
            prop_assert_eq!(found(&numbered, &other, behind).is_some(), expected, "{:?}", other);
            let cut = &id.as_bytes()[1..];
            prop_assert_eq!(found(&numbered, cut, behind), None);
        }
    }
}

#[test]
fn what_are_no_running_numbers_are_none() {
    let is_none = |ids: &[&str]| Numbered::of(ids.iter().map(|id| id.as_bytes())).is_none();
    assert!(is_none(&[]));
    assert!(is_none(&["a", "b"]), "no digits");
    assert!(is_none(&["a1", "a10"]), "two lengths");
    assert!(is_none(&["a1", "b2"]), "two prefixes");
    assert!(is_none(&["ø1", "ø2"]), "not ASCII");
    assert!(is_none(&["00001", "90000"]), "too many gaps");
    assert!(is_none(&["12345678901234567"]), "too long");
    assert!(!is_none(&["1234567890123456"]));
    assert!(!is_none(&["a1", "a2"]));
}
