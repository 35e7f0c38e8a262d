//! Separated values, as the reference server writes them: a column for each dimension in the stub,
//! and one for each combination of values in the heading.
//!
//! **Invariant:** every text stands in quotation marks, and none is taken for a formula by a
//! spreadsheet; numbers have a decimal point and no quotation marks.

use super::layout::{Layout, dimension_text, value_text};
use super::{Params, title};
use crate::databank::{Cell, Extract};
use crate::present::PresentedCategory;

/// Bytes that a cell takes, about.
const CELL_BYTES: usize = 8;

/// Writes an extract.
pub(super) fn write(extract: &Extract, params: Params) -> Vec<u8> {
    let layout = Layout::new(extract);
    let (language, shown) = (extract.language, params.shown);
    let mut out = Out {
        bytes: Vec::with_capacity(extract.len().saturating_mul(CELL_BYTES)),
        separator: params.separator.byte(),
        starts: true,
    };
    if params.title {
        out.text(&title(extract));
        out.end();
        out.end();
    }
    for axis in &layout.stub {
        out.text(&dimension_text(axis.dimension, shown, language));
    }
    let name = |values: Vec<&PresentedCategory>| {
        let texts: Vec<String> =
            values.into_iter().map(|value| value_text(value, shown, language)).collect();
        texts.join(" ")
    };
    if layout.heading.is_empty() {
        out.text(layout.figure(language));
    } else {
        for column in 0..layout.columns() {
            out.text(&name(layout.column(column)));
        }
    }
    out.end();
    for row in 0..layout.rows() {
        for value in layout.row(row) {
            out.text(&value_text(value, shown, language));
        }
        for column in 0..layout.columns() {
            out.cell(layout.cell(row, column));
        }
        out.end();
    }
    out.bytes
}

struct Out {
    bytes: Vec<u8>,
    separator: u8,
    starts: bool,
}

impl Out {
    fn next(&mut self) {
        if !self.starts {
            self.bytes.push(self.separator);
        }
        self.starts = false;
    }

    fn end(&mut self) {
        self.bytes.push(b'\n');
        self.starts = true;
    }

    fn text(&mut self, text: &str) {
        self.next();
        self.bytes.push(b'"');
        if is_formula(text) {
            self.bytes.push(b'\'');
        }
        for byte in text.bytes() {
            if byte == b'"' {
                self.bytes.push(b'"');
            }
            self.bytes.push(byte);
        }
        self.bytes.push(b'"');
    }

    fn cell(&mut self, cell: Cell) {
        match (cell.value, cell.symbol) {
            (Some(number), _) => {
                self.next();
                self.bytes.extend_from_slice(number.to_string().as_bytes());
            }
            (None, symbol) => self.text(symbol.map_or("", |symbol| symbol.text())),
        }
    }
}

/// Whether a spreadsheet would take the text for a formula.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}
