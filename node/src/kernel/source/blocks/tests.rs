//! Blocks put together again are the file.
//!
//! **Invariant:** whatever the file is.

use super::{Block, Blocks, Next};

const BLOCK: usize = 64 * 1024;

/// Every line of a text by way of blocks, and the bytes that had to be read otherwise.
fn read(text: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut blocks = Blocks::new(text, BLOCK);
    let (mut block, mut found) = (Block::default(), Vec::new());
    loop {
        match blocks.next(&mut block).expect("read") {
            Next::End => return (found, Vec::new()),
            Next::Lines => found.extend(block.lines().map(|line| line.text.to_vec())),
            Next::Irregular => {
                return (found, [block.text(), blocks.into_inner()].concat());
            }
        }
    }
}

#[test]
fn a_long_text_comes_out_line_by_line() {
    let line = |number: usize| format!("{number},{}", "x".repeat(number % 90));
    for end in ["\n", "\r\n"] {
        let text: String = (0..30_000).map(|number| line(number) + end).collect();
        assert!(text.len() > 2 * BLOCK);
        let (found, rest) = read(text.as_bytes());
        assert!(rest.is_empty());
        let full: Vec<_> = found.into_iter().filter(|line| !line.is_empty()).collect();
        let expected: Vec<_> = (0..30_000).map(|number| line(number).into_bytes()).collect();
        assert!(full == expected);
    }
}

#[test]
fn from_a_quote_or_a_lone_return_on_all_is_left_as_it_is() {
    let plain = "1,2,3\n".repeat(BLOCK / 6 + 1000);
    for odd in ["\"", "\r", "a\rb\n"] {
        let text = format!("{plain}{odd}\n{plain}").replace("\r\n", "\rx");
        let (found, rest) = read(text.as_bytes());
        let before: Vec<u8> =
            found.iter().filter(|line| !line.is_empty()).fold(Vec::new(), |mut all, line| {
                all.extend_from_slice(line);
                all.push(b'\n');
                all
            });
        assert!(!before.is_empty() && before.len() <= plain.len());
        assert!([before, rest].concat() == text.as_bytes());
    }
    let endless = "x".repeat(BLOCK + 1);
    assert!(read(endless.as_bytes()) == (Vec::new(), endless.clone().into_bytes()));
}
