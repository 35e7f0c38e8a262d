//! Figures on a terminal: plain tables, numbers to the right, an interval beside every figure.
//!
//! **Invariant:** no colour and no control character, so that the text is the same on a screen, in
//! a file and in a letter.

use super::{Estimate, Fixed, Publication, PublishedCell, PublishedTable};
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};
use fellestall_shared::labels::{Labels, Language};
use std::fmt::Write as _;

/// Columns that a figure with its interval takes.
const FIGURE_COLUMNS: usize = 20;
/// Columns that a label takes before figures are put side by side.
const LABEL_COLUMNS: usize = 28;

/// A publication as text, at most `width` columns wide.
#[must_use]
pub fn render(publication: &Publication, language: Language, width: u16) -> String {
    let words = Words::of(language);
    let mut text = String::new();
    let coverage = &publication.coverage;
    let title = publication.title.text(language);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{title}, {} ({} {})",
        publication.period, words.version, publication.version
    );
    let _ = writeln!(
        text,
        "{} {} {} {}; {} {}, {} {}, {} {}, {} {}",
        coverage.reported,
        words.of,
        coverage.asked,
        words.reported,
        coverage.late,
        words.late,
        coverage.missing,
        words.missing,
        coverage.declined,
        words.declined,
        coverage.undecided,
        words.undecided,
    );
    let _ = writeln!(text, "{}\n", wrap(publication.about.text(language), usize::from(width)));
    for table in &publication.tables {
        let _ = writeln!(text, "{} {}", table.statistic, table.title.text(language));
        let _ = writeln!(text, "{}\n", figures(table, language, width));
    }
    if !publication.rates.is_empty() {
        let _ = writeln!(text, "{}\n", rates(publication, language, width));
    }
    if publication.survival.is_some() {
        let _ = writeln!(text, "{}\n", survival(publication, language, width));
    }
    text
}

struct Words {
    version: &'static str,
    of: &'static str,
    reported: &'static str,
    late: &'static str,
    missing: &'static str,
    declined: &'static str,
    undecided: &'static str,
    to: &'static str,
    figure: &'static str,
    rate: &'static str,
    at_risk: &'static str,
    too_few: &'static str,
    no_interval: &'static str,
    decimal: char,
}

impl Words {
    fn of(language: Language) -> Self {
        match language {
            Language::Nb => Self {
                version: "versjon",
                of: "av",
                reported: "kommuner har rapportert",
                late: "sent",
                missing: "mangler",
                declined: "avslo",
                undecided: "ikke bestemt",
                to: "til",
                figure: "Antall (95 %)",
                rate: "Andel (95 %)",
                at_risk: "Under risiko",
                too_few: "for få til å si noe",
                no_interval: "intervall kan ikke gis",
                decimal: ',',
            },
            Language::Nn => Self {
                version: "versjon",
                of: "av",
                reported: "kommunar har rapportert",
                late: "seint",
                missing: "manglar",
                declined: "avslo",
                undecided: "ikkje avgjort",
                to: "til",
                figure: "Tal (95 %)",
                rate: "Del (95 %)",
                at_risk: "Under risiko",
                too_few: "for få til å seie noko",
                no_interval: "intervall kan ikkje gjevast",
                decimal: ',',
            },
            Language::En => Self {
                version: "version",
                of: "of",
                reported: "municipalities reported",
                late: "late",
                missing: "missing",
                declined: "declined",
                undecided: "undecided",
                to: "to",
                figure: "Count (95 %)",
                rate: "Share (95 %)",
                at_risk: "At risk",
                too_few: "too few to say",
                no_interval: "no interval can be given",
                decimal: '.',
            },
        }
    }
}

fn blank(width: u16) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .force_no_tty();
    table
}

fn finish(mut table: Table, numbers: usize) -> String {
    let labels = table.column_count().saturating_sub(numbers);
    for column in table.column_iter_mut().skip(labels) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// The last of several dimensions goes across if the terminal is wide enough.
fn figures(table: &PublishedTable, language: Language, width: u16) -> String {
    let words = Words::of(language);
    let across = table.dimensions.last().filter(|last| {
        let wide = LABEL_COLUMNS + FIGURE_COLUMNS * last.categories.len();
        table.dimensions.len() > 1 && wide <= usize::from(width)
    });
    let mut out = blank(width);
    let Some(across) = across else {
        let mut header: Vec<&str> =
            table.dimensions.iter().map(|dimension| dimension.label.text(language)).collect();
        header.push(words.figure);
        out.set_header(header);
        for cell in &table.cells {
            let mut row = labels(table, cell, language);
            row.push(count(cell, &words));
            out.add_row(row);
        }
        return finish(out, 1);
    };
    let before = table.dimensions.len().saturating_sub(1);
    let mut header: Vec<&str> = table
        .dimensions
        .iter()
        .take(before)
        .map(|dimension| dimension.label.text(language))
        .collect();
    header.extend(across.categories.iter().map(|category| category.label.text(language)));
    out.set_header(header);
    for cells in table.cells.chunks(across.categories.len().max(1)) {
        let Some(first) = cells.first() else { continue };
        let mut row = labels(table, first, language);
        row.truncate(before);
        row.extend(cells.iter().map(|cell| count(cell, &words)));
        out.add_row(row);
    }
    finish(out, across.categories.len())
}

fn labels(table: &PublishedTable, cell: &PublishedCell, language: Language) -> Vec<String> {
    let label = |(dimension, code): (&super::PublishedDimension, &String)| {
        let category = dimension.categories.iter().find(|category| category.code == *code);
        category.map_or_else(|| code.clone(), |found| found.label.text(language).to_owned())
    };
    table.dimensions.iter().zip(&cell.codes).map(label).collect()
}

fn rates(publication: &Publication, language: Language, width: u16) -> String {
    let words = Words::of(language);
    let mut out = blank(width);
    out.set_header(["", words.rate]);
    for rate in &publication.rates {
        let figure = rate
            .figure
            .map_or_else(|| words.no_interval.to_owned(), |figure| share(&figure, &words));
        out.add_row([rate.label.text(language).to_owned(), figure]);
    }
    finish(out, 1)
}

fn survival(publication: &Publication, language: Language, width: u16) -> String {
    let words = Words::of(language);
    let Some(curve) = &publication.survival else { return String::new() };
    let table = publication.tables.iter().find(|table| table.statistic == curve.statistic);
    let months = table.and_then(|table| table.dimensions.first());
    let label = |code: &String| {
        let categories = months.map_or(&[][..], |dimension| dimension.categories.as_slice());
        let found = categories.iter().find(|category| category.code == *code);
        found.map_or_else(|| code.clone(), |found| found.label.text(language).to_owned())
    };
    let mut out = blank(width);
    let months = months.map_or("", |dimension| dimension.label.text(language));
    out.set_header([months, words.at_risk, words.rate]);
    for point in &curve.points {
        out.add_row([label(&point.code), integer(point.at_risk), share(&point.survival, &words)]);
    }
    if let Some(code) = &curve.too_few_from {
        out.add_row([label(code), String::new(), words.too_few.to_owned()]);
    }
    format!("{}\n{}", Labels::text(&curve.label, language), finish(out, 2))
}

fn count(cell: &PublishedCell, words: &Words) -> String {
    let (lower, upper) = (integer(cell.lower95), integer(cell.upper95));
    format!("{} ({lower} {} {upper})", integer(cell.value), words.to)
}

fn share(estimate: &Estimate, words: &Words) -> String {
    let percent = |number: Fixed| {
        let text = format!("{:.1}", number.value() * 100.0);
        text.replace('.', &words.decimal.to_string())
    };
    let (lower, upper) = (percent(estimate.shown_lower95), percent(estimate.shown_upper95));
    format!("{} % ({lower} {} {upper})", percent(estimate.shown), words.to)
}

/// An integer with a true minus sign.
fn integer(value: i64) -> String {
    value.to_string().replace('-', "\u{2212}")
}

fn wrap(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    // A hard space keeps "95 %" on one line.
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}
