//! Records out of delimited text (RFC 4180), with the exact line on which each starts.
//!
//! Written here, and not taken from the `csv` crate, for two things that an operator needs: line
//! numbers that are right after CRLF, blank lines and quoted line breaks, and a cell that is too
//! long being refused while it is read instead of after the whole file is in memory.
//!
//! **Invariant:** at most [`SOURCE_FIELD_BYTES`] of one cell are ever held, and no error has bytes
//! of the file in it.

use fellestall_shared::limits::{SOURCE_COLUMNS, SOURCE_FIELD_BYTES};
use std::io::{self, BufRead};

/// What ends the reading of a file.
#[derive(Debug)]
pub(super) enum CsvError {
    /// The system failed.
    Io(io::Error),
    /// The text is not delimited text.
    Malformed(Malformed),
}

impl From<Malformed> for CsvError {
    fn from(wrong: Malformed) -> Self {
        Self::Malformed(wrong)
    }
}

/// Where, and how, a text is not delimited text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The line on which the record starts, from 1.
    pub(super) line: u64,
    /// The field, from 0.
    pub(super) field: usize,
    /// How.
    pub(super) fault: Fault,
}

/// How a text is not delimited text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A cell is longer than the limit.
    FieldTooLong,
    /// A quoted cell goes on to the end of the file.
    QuoteNotClosed,
    /// Text between a closing quote and the next delimiter.
    TextAfterQuote,
    /// More fields than the limit.
    TooManyFields,
}

/// One record: its fields as bytes.
#[derive(Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// How many bytes lie between two fields.
    gap: usize,
    line: u64,
}

impl Record {
    /// The line on which it starts, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// How many fields it has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The field at this place, from 0.
    pub(super) fn field(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)?;
        let start = match at.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before)?.checked_add(self.gap)?,
        };
        self.bytes.get(start..end)
    }

    /// Adds a field.
    pub(super) fn add(&mut self, field: &[u8]) {
        self.bytes.extend_from_slice(field);
        self.ends.push(self.bytes.len());
    }

    /// Says on which line it starts.
    pub(super) fn set_line(&mut self, line: u64) {
        self.line = line;
    }

    /// Every field.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|at| self.field(at))
    }

    fn clear(&mut self, line: u64) {
        self.bytes.clear();
        self.ends.clear();
        self.gap = 0;
        self.line = line;
    }

    /// Takes the fields of a line without quotes; `false`, and nothing, if they are more than the limit.
    fn split(&mut self, line: &[u8], delimiter: u8) -> bool {
        self.bytes.extend_from_slice(line);
        self.ends.extend(memchr::memchr_iter(delimiter, line));
        self.ends.push(line.len());
        self.gap = 1;
        let fits = self.ends.len() <= SOURCE_COLUMNS;
        if !fits {
            self.clear(self.line);
        }
        fits
    }

    fn push(&mut self, byte: u8) -> Result<(), Malformed> {
        let start = self.ends.last().copied().unwrap_or(0);
        if self.bytes.len().saturating_sub(start) >= SOURCE_FIELD_BYTES {
            return Err(self.malformed(Fault::FieldTooLong));
        }
        self.bytes.push(byte);
        Ok(())
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let start = self.ends.last().copied().unwrap_or(0);
        let held = self.bytes.len().saturating_sub(start);
        if held.saturating_add(bytes.len()) > SOURCE_FIELD_BYTES {
            return Err(self.malformed(Fault::FieldTooLong));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn end_field(&mut self) -> Result<(), Malformed> {
        if self.ends.len() >= SOURCE_COLUMNS {
            return Err(self.malformed(Fault::TooManyFields));
        }
        self.ends.push(self.bytes.len());
        Ok(())
    }

    fn malformed(&self, fault: Fault) -> Malformed {
        Malformed { line: self.line, field: self.ends.len(), fault }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of the record yet.
    RecordStart,
    /// Just after a delimiter.
    FieldStart,
    /// In a cell without quotes.
    Bare,
    /// Between quotes.
    Quoted,
    /// Just after a quote that closes the cell, or is the first of a doubled one.
    QuoteSeen,
}

/// Reads records one by one.
pub(super) struct CsvReader<R> {
    input: R,
    scanner: Scanner,
}

struct Scanner {
    delimiter: u8,
    line: u64,
    after_return: bool,
    state: State,
}

impl<R: BufRead> CsvReader<R> {
    /// A reader from the first line of `input`.
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self::from_line(input, delimiter, 1)
    }

    /// A reader of an `input` whose first line is the `line`th of its file.
    pub(super) fn from_line(input: R, delimiter: u8, line: u64) -> Self {
        let scanner = Scanner { delimiter, line, after_return: false, state: State::RecordStart };
        Self { input, scanner }
    }

    /// What was not read yet, the line that it starts on, and whether the LF of a CRLF may come first.
    pub(super) fn into_rest(self) -> (R, u64, bool) {
        (self.input, self.scanner.line, self.scanner.after_return)
    }

    /// Reads the next record into `record`; `false` at the end. Blank lines are no records.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, CsvError> {
        self.scanner.state = State::RecordStart;
        record.clear(self.scanner.line);
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(CsvError::Io(error)),
            };
            if buffer.is_empty() {
                return self.scanner.finish(record).map_err(CsvError::Malformed);
            }
            if let Some(used) = self.scanner.plain_line(buffer, record) {
                self.input.consume(used);
                return Ok(true);
            }
            let mut used: usize = 0;
            let mut done = false;
            while let Some(rest) = buffer.get(used..).filter(|rest| !rest.is_empty()) {
                let plain = self.scanner.plain(rest, record).map_err(CsvError::Malformed)?;
                used = used.saturating_add(plain);
                let Some(byte) = buffer.get(used) else { break };
                used = used.saturating_add(1);
                done = self.scanner.take(*byte, record).map_err(CsvError::Malformed)?;
                if done {
                    break;
                }
            }
            self.input.consume(used);
            if done {
                return Ok(true);
            }
        }
    }
}

impl Scanner {
    /// Takes a line at once, if it is here to its end, has no quote and cannot be too long; how many bytes
    /// it is. What comes out is the same as byte by byte.
    fn plain_line(&mut self, bytes: &[u8], record: &mut Record) -> Option<usize> {
        if self.state != State::RecordStart || self.after_return {
            return None;
        }
        let end = memchr::memchr3(b'\n', b'\r', b'"', bytes)?;
        let line_break = match bytes.get(end..)? {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return None,
        };
        let line =
            bytes.get(..end).filter(|line| (1..=SOURCE_FIELD_BYTES).contains(&line.len()))?;
        if !record.split(line, self.delimiter) {
            return None;
        }
        self.line = self.line.saturating_add(1);
        end.checked_add(line_break)
    }

    /// Takes the bytes of a cell without quotes up to the next one that has a meaning; how many they are.
    fn plain(&mut self, bytes: &[u8], record: &mut Record) -> Result<usize, Malformed> {
        if self.state != State::Bare {
            return Ok(0);
        }
        let length = memchr::memchr3(self.delimiter, b'\n', b'\r', bytes).unwrap_or(bytes.len());
        record.extend(bytes.get(..length).unwrap_or_default())?;
        self.after_return = self.after_return && length == 0;
        Ok(length)
    }

    /// Takes one byte; `true` when it ends the record.
    fn take(&mut self, byte: u8, record: &mut Record) -> Result<bool, Malformed> {
        let line_break = self.count_line(byte);
        if line_break == LineBreak::SecondHalf && self.state != State::Quoted {
            if self.state == State::RecordStart {
                record.line = self.line;
            }
            return Ok(false);
        }
        match self.state {
            State::Quoted if byte == b'"' => self.state = State::QuoteSeen,
            State::Quoted => return record.push(byte).map(|()| false),
            State::QuoteSeen if byte == b'"' => {
                self.state = State::Quoted;
                return record.push(byte).map(|()| false);
            }
            State::RecordStart if line_break == LineBreak::Whole => record.line = self.line,
            _ if line_break == LineBreak::Whole => return record.end_field().map(|()| true),
            _ if byte == self.delimiter => {
                self.state = State::FieldStart;
                return record.end_field().map(|()| false);
            }
            State::RecordStart | State::FieldStart if byte == b'"' => self.state = State::Quoted,
            State::QuoteSeen => return Err(record.malformed(Fault::TextAfterQuote)),
            State::RecordStart | State::FieldStart | State::Bare => {
                self.state = State::Bare;
                return record.push(byte).map(|()| false);
            }
        }
        Ok(false)
    }

    fn finish(&mut self, record: &mut Record) -> Result<bool, Malformed> {
        match self.state {
            State::RecordStart => Ok(false),
            State::Quoted => Err(record.malformed(Fault::QuoteNotClosed)),
            State::FieldStart | State::Bare | State::QuoteSeen => record.end_field().map(|()| true),
        }
    }

    /// Counts lines: LF, CRLF and a lone CR each end one.
    fn count_line(&mut self, byte: u8) -> LineBreak {
        let second_half = self.after_return && byte == b'\n';
        self.after_return = byte == b'\r';
        if second_half {
            return LineBreak::SecondHalf;
        }
        if byte == b'\n' || byte == b'\r' {
            self.line = self.line.saturating_add(1);
            return LineBreak::Whole;
        }
        LineBreak::None
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineBreak {
    None,
    Whole,
    /// The LF of a CRLF whose CR was counted.
    SecondHalf,
}

#[cfg(test)]
mod tests;
