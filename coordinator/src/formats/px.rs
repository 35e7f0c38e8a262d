//! A PC-Axis file, version 2013, in all three languages.
//!
//! The file format is described in "PC-Axis file format" (Statistics Sweden, 2013). A mark stands in
//! the data as a number of dots; the keywords `DATASYMBOL1` to `3` say how each is displayed.
//!
//! **Invariant:** what is stored is written with all its decimals; `SHOWDECIMALS` and `PRECISION`
//! say how many are displayed. Programs are told never to add values, and what stands for a sum.

use super::facts::{facts, note};
use super::layout::{Axis, Layout};
use super::words::{self, Words};
use super::{Context, title};
use crate::databank::{Cell, Dimension, Extract, Measure, Role};
use crate::present::{PresentedCategory, Symbol};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::labels::Language;
use fellestall_shared::period::Period;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Characters of a text within one pair of quotation marks.
const PIECE: usize = 200;
/// Characters of a table's short name.
const MATRIX: usize = 20;
/// Decimals of a stored number.
const DECIMALS: u8 = 6;

/// Writes an extract.
pub(super) fn write(extract: &Extract, context: &Context<'_>) -> Vec<u8> {
    let layout = Layout::new(extract);
    let main = extract.language;
    let others: Vec<Language> = [Language::Nb, Language::Nn, Language::En]
        .into_iter()
        .filter(|language| *language != main)
        .collect();
    let mut file = File { text: String::new() };
    file.words("CHARSET", "", &["ANSI"]);
    file.words("AXIS-VERSION", "", &["2013"]);
    file.words("CODEPAGE", "", &["utf-8"]);
    file.words("LANGUAGE", "", &[words::code(main)]);
    let all: Vec<&str> =
        std::iter::once(main).chain(others.iter().copied()).map(words::code).collect();
    file.words("LANGUAGES", "", &all);
    file.words("CREATION-DATE", "", &[&moment(extract.cube.updated)]);
    file.words("TABLEID", "", &[&extract.cube.id]);
    let matrix: String =
        extract.cube.id.chars().filter(|c| c.is_alphanumeric()).take(MATRIX).collect();
    file.words("MATRIX", "", &[&matrix]);
    file.plain("DECIMALS", &DECIMALS.to_string());
    file.plain("SHOWDECIMALS", &extract.cube.figure.decimals.to_string());
    file.plain("AGGREGALLOWED", "NO");
    for language in std::iter::once(main).chain(others) {
        let part = if language == main { None } else { Some(language) };
        described(&mut file, &layout, extract, context, part);
    }
    for (keyword, symbol) in [
        ("DATASYMBOL1", Symbol::NotApplicable),
        ("DATASYMBOL2", Symbol::Missing),
        ("DATASYMBOL3", Symbol::Suppressed),
    ] {
        file.words(keyword, "", &[symbol.text()]);
    }
    data(&mut file.text, &layout);
    file.text.into_bytes()
}

/// All that is said in words, in one language; the file's own language has no mark.
fn described(
    file: &mut File,
    layout: &Layout<'_>,
    extract: &Extract,
    context: &Context<'_>,
    other: Option<Language>,
) {
    let language = other.unwrap_or(extract.language);
    let mark = other.map(|language| format!("[{}]", words::code(language))).unwrap_or_default();
    let cube = &extract.cube;
    let keyword = |name: &str| format!("{name}{mark}");
    let study = cube.slices.last().map(|slice| slice.presentation.study_title.text(language));
    let area = study.unwrap_or_default();
    file.words(&keyword("SUBJECT-AREA"), "", &[area]);
    if other.is_none() {
        file.words("SUBJECT-CODE", "", &[cube.id.split('-').next().unwrap_or_default()]);
    }
    let mut own = extract.clone();
    own.language = language;
    file.words(&keyword("TITLE"), "", &[&title(&own)]);
    file.words(&keyword("DESCRIPTION"), "", &[cube.title.text(language)]);
    file.words(&keyword("CONTENTS"), "", &[cube.figure.label.text(language)]);
    file.words(&keyword("UNITS"), "", &[cube.figure.unit.text(language)]);
    file.words(&keyword("SOURCE"), "", &[&context.web.publisher]);
    if let Some(contact) = &context.web.contact {
        file.words(&keyword("CONTACT"), "", &[contact]);
    }
    for (name, axes) in [("STUB", &layout.stub), ("HEADING", &layout.heading)] {
        let names: Vec<&str> = axes.iter().map(|axis| label(axis.dimension, language)).collect();
        if !names.is_empty() {
            file.words(&keyword(name), "", &names);
        }
    }
    for axis in layout.stub.iter().chain(&layout.heading) {
        variable(file, &keyword, axis, extract, language, other.is_none());
    }
    let words = Words::of(language);
    if layout.is_provisional() {
        let text = format!("{}  {}", Symbol::Provisional.text(), words.provisional);
        file.words(&keyword("NOTE"), "", &[&text]);
    }
    file.words(&keyword("NOTEX"), "", &[&note(&own, language)]);
    let rest: Vec<String> = facts(&own, context)
        .into_iter()
        .map(|(name, text)| if name.is_empty() { text } else { format!("{name}: {text}") })
        .collect();
    file.words(&keyword("INFO"), "", &[&rest.join("\n")]);
}

fn variable(
    file: &mut File,
    keyword: &dyn Fn(&str) -> String,
    axis: &Axis<'_>,
    extract: &Extract,
    language: Language,
    is_main: bool,
) {
    let name = label(axis.dimension, language);
    let texts: Vec<&str> = axis.values.iter().map(|value| value.label.text(language)).collect();
    file.words(&keyword("VALUES"), name, &texts);
    let codes: Vec<&str> = axis.values.iter().map(|value| value.code.as_str()).collect();
    file.words(&keyword("CODES"), name, &codes);
    file.words(&keyword("VARIABLECODE"), name, &[&axis.dimension.code]);
    match axis.dimension.role {
        Role::Region if is_main => file.words("VARIABLE-TYPE", name, &["geographical"]),
        Role::Time => {
            if let Some(list) = times(&axis.values) {
                file.plain(&format!("{}(\"{}\")", keyword("TIMEVAL"), safe(name)), &list);
            }
        }
        Role::Contents => contents(file, keyword, axis, extract, language, is_main),
        _ => {}
    }
    if axis.dimension.role == Role::Contents || axis.dimension.role == Role::Time {
        return;
    }
    // A program that leaves the variable out takes the total, and never adds.
    let total = axis.dimension.elimination.and_then(|place| axis.dimension.values.get(place));
    let total = total.filter(|total| axis.values.iter().any(|value| value.code == total.code));
    match total {
        Some(total) => {
            file.words(&keyword("ELIMINATION"), name, &[total.label.text(language)]);
        }
        None => file.plain(&format!("{}(\"{}\")", keyword("ELIMINATION"), safe(name)), "NO"),
    }
}

/// What is said of each of the contents.
fn contents(
    file: &mut File,
    keyword: &dyn Fn(&str) -> String,
    axis: &Axis<'_>,
    extract: &Extract,
    language: Language,
    is_main: bool,
) {
    let (cube, name) = (&extract.cube, label(axis.dimension, language));
    file.words(&keyword("CONTVARIABLE"), "", &[name]);
    for value in &axis.values {
        let text = value.label.text(language);
        let measure =
            Measure::ALL.into_iter().find(|measure| measure.code(&cube.figure) == value.code);
        let unit = measure.map_or_else(|| cube.figure.unit.clone(), |it| it.unit(&cube.figure));
        file.words(&keyword("UNITS"), text, &[unit.text(language)]);
        file.words(&keyword("LAST-UPDATED"), text, &[&moment(cube.updated)]);
        let decimals = measure.map_or(cube.figure.decimals, |it| it.decimals(&cube.figure));
        if is_main && decimals > 0 {
            let place = format!("PRECISION(\"{}\",\"{}\")", safe(name), safe(text));
            file.plain(&place, &decimals.min(DECIMALS).to_string());
        }
    }
}

/// The periods as a time variable has them, if all are of one length.
fn times(values: &[&PresentedCategory]) -> Option<String> {
    let mut lengths = BTreeSet::new();
    let mut list = Vec::new();
    for value in values {
        let period: Period = value.code.parse().ok()?;
        lengths.insert(period.months());
        list.push(format!("\"{}\"", value.code.replace(['H', 'K', 'M'], "")));
    }
    let scale = match (lengths.pop_first(), lengths.is_empty()) {
        (Some(12), true) => "A1",
        (Some(6), true) => "H1",
        (Some(3), true) => "Q1",
        (Some(1), true) => "M1",
        _ => return None,
    };
    Some(format!("TLIST({scale}),{}", list.join(",")))
}

/// The numbers, a line for each row of the table.
fn data(text: &mut String, layout: &Layout<'_>) {
    text.push_str("DATA=\n");
    for row in 0..layout.rows() {
        for column in 0..layout.columns() {
            // Writing to a String cannot fail.
            let _ = match layout.cell(row, column) {
                Cell { value: Some(number), .. } => write!(text, "{number} "),
                Cell { symbol: Some(Symbol::NotApplicable), .. } => write!(text, "\".\" "),
                Cell { symbol: Some(Symbol::Suppressed), .. } => write!(text, "\"...\" "),
                Cell { .. } => write!(text, "\"..\" "),
            };
        }
        text.push('\n');
    }
    text.push_str(";\n");
}

fn label(dimension: &Dimension, language: Language) -> &str {
    dimension.label.text(language)
}

/// A moment as `20260701 09:30`.
fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    let (date, clock) = text.split_once('T').unwrap_or((&text, ""));
    format!("{} {}", date.replace('-', ""), clock.get(..5).unwrap_or("00:00"))
}

/// A text without what ends a text in this format; `#` is a new line.
fn safe(text: &str) -> String {
    text.replace('"', "'").replace("\r\n", "#").replace(['\n', '\r'], "#")
}

struct File {
    text: String,
}

impl File {
    /// A keyword with a value that is not text.
    fn plain(&mut self, keyword: &str, value: &str) {
        let _ = writeln!(self.text, "{keyword}={value};");
    }

    /// A keyword, of something or of the whole table, with texts.
    fn words(&mut self, keyword: &str, of: &str, texts: &[&str]) {
        self.text.push_str(keyword);
        if !of.is_empty() {
            let _ = write!(self.text, "(\"{}\")", safe(of));
        }
        self.text.push('=');
        for (place, text) in texts.iter().enumerate() {
            if place > 0 {
                self.text.push_str(",\n");
            }
            self.quoted(&safe(text));
        }
        self.text.push_str(";\n");
    }

    /// A text in quotation marks; a long one in several pieces, a line each.
    fn quoted(&mut self, text: &str) {
        let letters: Vec<char> = text.chars().collect();
        if letters.is_empty() {
            self.text.push_str("\"\"");
        }
        for (place, piece) in letters.chunks(PIECE).enumerate() {
            if place > 0 {
                self.text.push('\n');
            }
            self.text.push('"');
            self.text.extend(piece);
            self.text.push('"');
        }
    }
}
