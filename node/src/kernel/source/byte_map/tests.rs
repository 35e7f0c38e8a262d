//! The map holds what a plain map holds.
//!
//! **Invariant:** texts of every length are tried, and those that differ only in what follows them.

use super::{ByteMap, MIDDLE, REACH, SHORT, padded, words};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

#[test]
fn it_holds_what_a_map_holds() {
    let (mut map, mut plain) = (ByteMap::new(), HashMap::new());
    for number in 0..5_000_u32 {
        // Texts of every length up to 60, many of which begin and end alike.
        let text = format!("{}{}", "0".repeat((number % 57) as usize), number / 3).into_bytes();
        if let Entry::Vacant(entry) = plain.entry(text) {
            assert_eq!(map.get(entry.key()), None);
            map.insert(entry.key(), number);
            entry.insert(number);
        }
    }
    for odd in [&b""[..], b"\0", b"\0\0", b"a\0", b"\xff", b"x\xff\xff"] {
        assert_eq!(map.get(odd), None);
        map.insert(odd, 7);
        plain.insert(odd.to_vec(), 7);
    }
    for (text, number) in &plain {
        assert_eq!(map.get(text), Some(*number), "{text:?}");
        for other in [[&text[..], b" "].concat(), [b"1", &text[..]].concat()] {
            assert_eq!(map.get(&other), plain.get(&other).copied(), "{other:?}");
        }
        let zero = [&text[..], b"\0"].concat();
        assert_eq!(map.get(&zero), plain.get(&zero).copied(), "{zero:?}");
    }
}

#[test]
fn what_follows_a_text_does_not_matter() {
    let text = *b"abcdefghijklmnopqrstuvwxyz0123456789ABCD";
    for length in 0..=REACH {
        let alone = padded(&text[..length]).expect("within reach");
        for behind in [0, b'x', 0xff] {
            let mut from = [behind; 2 * REACH];
            from[..length].copy_from_slice(&text[..length]);
            let short: Option<[u32; SHORT]> = words(&from, length);
            assert_eq!(short.is_some(), length <= 4 * SHORT, "{length}");
            assert_eq!(short, words(&alone, length), "{length}");
            let middle: Option<[u32; MIDDLE]> = words(&from, length);
            assert!(middle.is_some(), "{length}");
            assert_eq!(middle, words(&alone, length), "{length}");
        }
    }
    assert_eq!(words::<SHORT>(&text[..11], 2), None, "too little follows");
    assert_eq!(words::<SHORT>(b"a\0xxxxxxxxxx", 2), None, "as `a` alone");
}
