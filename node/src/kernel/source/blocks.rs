//! A file in blocks of whole lines, so that several threads can read it.
//!
//! **Invariant:** a block that is given out ends where a line ends, and every line break in it is the
//! end of a record: as soon as a text has a quote, or a line break of another kind than the usual two,
//! that is not known any more, and the rest has to be read from front to back.

use super::byte_map::REACH;
use std::io::{self, Read};

/// A file that is given out in blocks.
pub(super) struct Blocks<R> {
    input: R,
    /// Bytes of a block, about.
    size: usize,
    /// The start of a line, of which the rest was not read yet.
    begun: Vec<u8>,
}

/// What was read at once. It is used again and again.
#[derive(Default)]
pub(super) struct Block {
    /// More than the text: from every place in it, so many bytes can be read as a key takes.
    bytes: Vec<u8>,
    length: usize,
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

impl Block {
    /// What it holds.
    pub(super) fn text(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The lines, each by where it starts and what it is, without what ends it; the last is what comes
    /// after the last line break.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let text = self.text();
        let mut ends = memchr::memchr_iter(b'\n', text);
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let start: usize = next?;
            let end = ends.next();
            next = end.map(|end| end.saturating_add(1));
            let line = text.get(start..end.unwrap_or(text.len()))?;
            let text = line.strip_suffix(b"\r").unwrap_or(line);
            Some(Line { from: self.bytes.get(start..)?, text })
        })
    }
}

/// A line of a block.
#[derive(Clone, Copy)]
pub(super) struct Line<'b> {
    /// The block from its start on.
    pub(super) from: &'b [u8],
    pub(super) text: &'b [u8],
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R, size: usize) -> Self {
        Self { input, size, begun: Vec::new() }
    }

    /// Fills `block` with what comes next, in the place of what was in it.
    pub(super) fn next(&mut self, block: &mut Block) -> io::Result<Next> {
        block.bytes.resize(self.size.saturating_add(REACH), 0);
        for (to, from) in block.bytes.iter_mut().zip(&self.begun) {
            *to = *from;
        }
        let room = block.bytes.get_mut(..self.size).unwrap_or_default();
        block.length = fill(&mut self.input, room, self.begun.len())?;
        let is_full = block.length == self.size;
        self.begun.clear();
        let text = block.text();
        if text.is_empty() {
            return Ok(Next::End);
        }
        if !is_full {
            return Ok(if is_regular(text) { Next::Lines } else { Next::Irregular });
        }
        let Some(last) = memchr::memrchr(b'\n', text) else { return Ok(Next::Irregular) };
        let (lines, begun) = text.split_at_checked(last.saturating_add(1)).unwrap_or((text, &[]));
        if !is_regular(lines) {
            return Ok(Next::Irregular);
        }
        self.begun.extend_from_slice(begun);
        block.length = lines.len();
        Ok(Next::Lines)
    }

    /// What was not given out.
    pub(super) fn into_inner(self) -> R {
        self.input
    }
}

/// Reads until there is no room or nothing more; how many bytes there are with those that were there.
fn fill(input: &mut impl Read, room: &mut [u8], held: usize) -> io::Result<usize> {
    let mut filled = held;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Whether every line break is the end of a record.
fn is_regular(block: &[u8]) -> bool {
    let ends_line = |at: usize| block.get(at.saturating_add(1)) == Some(&b'\n');
    memchr::memchr2_iter(b'"', b'\r', block)
        .all(|at| block.get(at) == Some(&b'\r') && ends_line(at))
}

#[cfg(test)]
mod tests;
