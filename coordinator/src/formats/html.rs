//! A web page with one table that screen readers and programs can read.
//!
//! **Invariant:** every text is escaped; every number stands as it is stored in the `value` of its
//! `data` element, and is displayed with the decimals of its measure; every cell has headers.

use super::facts::{facts, note};
use super::layout::{Layout, dimension_text, value_text};
use super::words::{self, Words};
use super::{Context, Params, title};
use crate::databank::{Cell, Extract};
use crate::present::Symbol;
use crate::publish::Fixed;
use fellestall_shared::labels::Language;
use std::fmt::Write as _;

/// Bytes that a cell takes, about.
const CELL_BYTES: usize = 40;

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 90rem; padding: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .5rem 0; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .25rem .6rem; }
th { text-align: left; font-weight: 600; }
tbody th { font-weight: 400; }
td { text-align: right; white-space: nowrap; }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0; overflow-wrap: anywhere; max-width: 45rem; }
";

/// Writes an extract.
pub(super) fn write(extract: &Extract, params: Params, context: &Context<'_>) -> Vec<u8> {
    let layout = Layout::new(extract);
    let language = extract.language;
    // Writing to a String cannot fail.
    let mut page = String::with_capacity(extract.len().saturating_mul(CELL_BYTES));
    let name = escaped(&title(extract));
    page.push_str("<!doctype html>\n<html lang=\"");
    page.push_str(words::code(language));
    page.push_str("\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    let _ = writeln!(page, "<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>");
    page.push_str("<main>\n");
    if params.title {
        let _ = writeln!(page, "<h1>{name}</h1>");
    }
    let _ = writeln!(page, "<p>{}</p>", escaped(&note(extract, language)));
    let _ = write!(
        page,
        "<div class=\"scroll\" role=\"region\" aria-label=\"{name}\" tabindex=\"0\">\n<table>\n"
    );
    let _ = writeln!(page, "<caption>{name}</caption>");
    head(&mut page, &layout, params, language);
    body(&mut page, &layout, params, language);
    page.push_str("</table>\n</div>\n<dl>\n");
    let mut last = String::new();
    for (name, text) in facts(extract, context) {
        if !name.is_empty() && name != last {
            let _ = write!(page, "<dt>{}</dt>", escaped(&name));
            last = name;
        }
        let _ = writeln!(page, "<dd>{}</dd>", escaped(&text));
    }
    page.push_str("</dl>\n</main>\n</body>\n</html>\n");
    page.into_bytes()
}

/// One row for each dimension in the heading; the names of the stub stand in the last one.
fn head(page: &mut String, layout: &Layout<'_>, params: Params, language: Language) {
    let text = |axis| dimension_text(axis, params.shown, language);
    page.push_str("<thead>\n");
    let rows = layout.heading.len().max(1);
    for line in 0..rows {
        page.push_str("<tr>");
        let is_last = line + 1 == rows;
        for axis in &layout.stub {
            let name = if is_last { escaped(&text(axis.dimension)) } else { String::new() };
            let cell = if is_last { "th scope=\"col\"" } else { "td" };
            let end = if is_last { "th" } else { "td" };
            let _ = write!(page, "<{cell}>{name}</{end}>");
        }
        for column in 0..layout.columns() {
            let value = layout.column(column).get(line).copied();
            let name = value.map_or_else(
                || layout.figure(language).to_owned(),
                |value| value_text(value, params.shown, language),
            );
            let _ = write!(page, "<th scope=\"col\">{}</th>", escaped(&name));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</thead>\n");
}

fn body(page: &mut String, layout: &Layout<'_>, params: Params, language: Language) {
    let words = Words::of(language);
    page.push_str("<tbody>\n");
    for row in 0..layout.rows() {
        page.push_str("<tr>");
        for value in layout.row(row) {
            let name = escaped(&value_text(value, params.shown, language));
            let _ = write!(page, "<th scope=\"row\">{name}</th>");
        }
        for column in 0..layout.columns() {
            let decimals = layout.decimals(row, column);
            cell(page, layout.cell(row, column), decimals, words);
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n");
}

fn cell(page: &mut String, cell: Cell, decimals: u8, words: &Words) {
    page.push_str("<td>");
    if let Some(number) = cell.value {
        let shown = displayed(number, decimals, words);
        let _ = write!(page, "<data value=\"{number}\">{shown}</data>");
    }
    if let Some(symbol) = cell.symbol {
        mark(page, symbol, words);
    }
    page.push_str("</td>");
}

fn mark(page: &mut String, symbol: Symbol, words: &Words) {
    let meaning = escaped(words.symbol(symbol));
    let _ = write!(page, "<abbr title=\"{meaning}\">{}</abbr>", symbol.text());
}

/// A number for people: the language's marks, a real minus sign, the measure's decimals.
fn displayed(number: Fixed, decimals: u8, words: &Words) -> String {
    let text = format!("{:.*}", usize::from(decimals), number.value().abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let mut shown = String::new();
    if number.micro() < 0 && !is_zero {
        shown.push('\u{2212}');
    }
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            shown.push_str(&words.thousands_mark);
        }
        shown.push(digit);
    }
    if !part.is_empty() {
        shown.push_str(&words.decimal_mark);
        shown.push_str(part);
    }
    shown
}

/// A text within HTML or XML, also within quotation marks.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other if other.is_control() && !matches!(other, '\n' | '\t') => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}
