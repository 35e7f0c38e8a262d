//! A file in blocks of whole lines, so that several threads can read it.
//!
//! **Invariant:** a block that is given out ends where a line ends, and every line break in it is the
//! end of a record: as soon as a text has a quote, or a line break of another kind than the usual two,
//! that is not known any more, and the rest has to be read from front to back.

use std::io::{self, Read};

/// A file that is given out in blocks.
pub(super) struct Blocks<R> {
    input: R,
    /// Bytes of a block, about.
    size: usize,
    /// The start of a line, of which the rest was not read yet.
    begun: Vec<u8>,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A block of whole lines.
    Lines,
    /// Bytes that have to be read from front to back, as all that come after them.
    Irregular,
    /// Nothing.
    End,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R, size: usize) -> Self {
        Self { input, size, begun: Vec::new() }
    }

    /// Fills `block` with what comes next, in the place of what was in it.
    pub(super) fn next(&mut self, block: &mut Vec<u8>) -> io::Result<Next> {
        block.clear();
        block.append(&mut self.begun);
        let room = u64::try_from(self.size.saturating_sub(block.len())).unwrap_or(u64::MAX);
        let asked = usize::try_from(room).unwrap_or(usize::MAX);
        let read = self.input.by_ref().take(room).read_to_end(block)?;
        if block.is_empty() {
            return Ok(Next::End);
        }
        if read == asked {
            let Some(last) = memchr::memrchr(b'\n', block) else { return Ok(Next::Irregular) };
            let end = last.saturating_add(1);
            self.begun.extend(block.get(end..).unwrap_or_default());
            block.truncate(end);
        }
        if is_regular(block) {
            return Ok(Next::Lines);
        }
        block.append(&mut self.begun);
        Ok(Next::Irregular)
    }

    /// What was not given out.
    pub(super) fn into_inner(self) -> R {
        self.input
    }
}

/// Whether every line break is the end of a record.
fn is_regular(block: &[u8]) -> bool {
    let ends_line = |at: usize| block.get(at.saturating_add(1)) == Some(&b'\n');
    memchr::memchr(b'"', block).is_none() && memchr::memchr_iter(b'\r', block).all(ends_line)
}

/// The lines of a block, without what ends them.
pub(super) fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0_usize;
    let ends = memchr::memchr_iter(b'\n', block).chain(std::iter::once(block.len()));
    ends.filter_map(move |end| {
        let line = block.get(start..end)?;
        start = end.saturating_add(1);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

#[cfg(test)]
mod tests;
