//! The report as a workbook: who is in it, the figures, the changes, the method.
//!
//! **Invariant:** a number is a number in its cell, with all its decimals; a figure that is hidden has
//! an empty cell and its mark beside it.

use super::sentences::Writer;
use super::words::{AllWords, SheetWords, Words};
use super::{Report, ReportError, Row, StudyReport, TableReport};
use crate::present::Symbol;
use crate::publish::Fixed;
use fellestall_shared::labels::Language;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

/// The number of the paper size A4.
const A4: u8 = 9;
/// A column of text, in characters.
const WIDE: f64 = 34.0;
const NARROW: f64 = 14.0;

/// The report as a workbook (xlsx) in one language.
///
/// # Errors
/// [`ReportError`] if it cannot be written.
pub fn xlsx(report: &Report, language: Language) -> Result<Vec<u8>, ReportError> {
    let words = AllWords::builtin()?.of(language);
    let writer = Writer { words, language };
    let mut book = Workbook::new();
    let front = writer.front(report);
    let mut properties =
        DocProperties::new().set_title(&front.title).set_author(&report.imprint.publisher);
    // The same report is the same file, whenever it is made.
    if let Ok(moment) = ExcelDateTime::from_timestamp(report.published.unix()) {
        properties = properties.set_creation_datetime(&moment);
    }
    book.set_properties(&properties);
    coverage(book.add_worksheet(), writer, report)?;
    figures(book.add_worksheet(), writer, report)?;
    changes(book.add_worksheet(), writer, report)?;
    method(book.add_worksheet(), writer, report)?;
    Ok(book.save_to_buffer()?)
}

/// Writes rows one after another under a heading.
struct Lines<'s> {
    sheet: &'s mut Worksheet,
    row: u32,
    column: u16,
}

impl<'s> Lines<'s> {
    fn begin(
        sheet: &'s mut Worksheet,
        name: &str,
        heads: &[(&str, f64)],
    ) -> Result<Self, XlsxError> {
        sheet.set_name(name)?;
        sheet.set_paper_size(A4).set_landscape().set_print_fit_to_pages(1, 0);
        let bold = Format::new().set_bold().set_text_wrap();
        for (column, (head, width)) in (0_u16..).zip(heads) {
            sheet.write_string_with_format(0, column, *head, &bold)?;
            sheet.set_column_width(column, *width)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        sheet.set_repeat_rows(0, 0)?;
        Ok(Self { sheet, row: 0, column: 0 })
    }

    fn next(&mut self) {
        self.row += 1;
        self.column = 0;
    }

    fn text(&mut self, text: &str) -> Result<(), XlsxError> {
        self.sheet.write_string(self.row, self.column, text)?;
        self.column += 1;
        Ok(())
    }

    fn number(&mut self, value: Option<Fixed>) -> Result<(), XlsxError> {
        if let Some(value) = value {
            self.sheet.write_number(self.row, self.column, value.value())?;
        }
        self.column += 1;
        Ok(())
    }
}

fn coverage(sheet: &mut Worksheet, writer: Writer<'_>, report: &Report) -> Result<(), XlsxError> {
    let SheetWords { coverage, study, number, name, state, .. } = &writer.words.sheet;
    let heads = [(study.as_str(), WIDE), (number, NARROW), (name, WIDE), (state, WIDE)];
    let mut lines = Lines::begin(sheet, coverage, &heads)?;
    for study in &report.studies {
        for one in &study.coverage {
            lines.next();
            lines.text(study.title.text(writer.language))?;
            // A number of four digits, and no quantity: as text it keeps its leading zero.
            lines.text(one.number.as_str())?;
            lines.text(&one.name)?;
            lines.text(writer.words.state(one.state))?;
        }
    }
    Ok(())
}

fn figures(sheet: &mut Worksheet, writer: Writer<'_>, report: &Report) -> Result<(), XlsxError> {
    let words = &writer.words.sheet;
    let heads = [
        (words.study.as_str(), WIDE),
        (&words.table, NARROW),
        (&words.title, WIDE),
        (&words.category, WIDE),
        (&words.unit, NARROW),
        (&words.shown, NARROW),
        (&words.lower, NARROW),
        (&words.upper, NARROW),
        (&words.deviation, NARROW),
        (&words.raw, NARROW),
        (&words.symbol, NARROW),
    ];
    let mut lines = Lines::begin(sheet, &words.figures, &heads)?;
    each(report, |study, table, row| {
        lines.next();
        place(&mut lines, writer, study, table, row)?;
        lines.text(table.figure.unit.text(writer.language))?;
        for value in [row.shown, row.lower, row.upper, row.deviation, row.raw] {
            lines.number(value)?;
        }
        let missing = row.shown.is_none().then_some(Symbol::Missing);
        lines.text(row.symbol.or(missing).map(Symbol::text).unwrap_or_default())
    })
}

fn changes(sheet: &mut Worksheet, writer: Writer<'_>, report: &Report) -> Result<(), XlsxError> {
    let words = &writer.words.sheet;
    let heads = [
        (words.study.as_str(), WIDE),
        (&words.table, NARROW),
        (&words.title, WIDE),
        (&words.category, WIDE),
        (&words.before, NARROW),
        (&words.raw_before, NARROW),
        (&words.raw_now, NARROW),
        (&words.difference, NARROW),
        (&words.lower, NARROW),
        (&words.upper, NARROW),
        (&words.verdict, WIDE),
        (&words.same, NARROW),
    ];
    let mut lines = Lines::begin(sheet, &words.changes, &heads)?;
    each(report, |study, table, row| {
        let Some(before) = &table.before else { return Ok(()) };
        lines.next();
        place(&mut lines, writer, study, table, row)?;
        lines.text(&before.period.to_string())?;
        let change = row.change.as_ref();
        let (difference, lower, upper) = (
            change.map(|change| change.difference),
            change.map(|change| change.lower95),
            change.map(|change| change.upper95),
        );
        for value in [row.raw_before, row.raw, difference, lower, upper] {
            lines.number(value)?;
        }
        lines.text(&writer.verdict(table, row))?;
        lines.text(if before.same_municipalities() { &words.yes } else { &words.no })
    })
}

fn method(sheet: &mut Worksheet, writer: Writer<'_>, report: &Report) -> Result<(), XlsxError> {
    let Words { method, page, sheet: words, .. } = writer.words;
    let front = writer.front(report);
    let mut lines = Lines::begin(sheet, &words.method, &[(&front.title, WIDE), ("", 110.0)])?;
    let wrapped = Format::new().set_text_wrap();
    let mut line = |head: &str, text: &str| -> Result<(), XlsxError> {
        lines.next();
        lines.text(head)?;
        lines.sheet.write_string_with_format(lines.row, lines.column, text, &wrapped)?;
        Ok(())
    };
    line(&page.method, &format!("{} {}", front.lead, front.made))?;
    for study in &report.studies {
        line(&page.coverage, &writer.coverage(study).join(" "))?;
        line(&words.about, study.about.text(writer.language))?;
        for change in writer.changes(study) {
            line(&words.changes, &change)?;
        }
    }
    line(&method.noise, &method.noise_text)?;
    line(&method.interval, &method.interval_text)?;
    line(&method.change, &method.change_text)?;
    for study in &report.studies {
        line(&method.rule, &writer.rule(study))?;
        line(&method.privacy, &writer.privacy(study))?;
    }
    line(&method.privacy, &front.cumulative)?;
    line(&words.symbol, &front.symbols)?;
    for study in &report.studies {
        line(&page.cite, &writer.cite(report, study))?;
    }
    for (text, _) in &front.more {
        line(&page.links, text)?;
    }
    Ok(())
}

/// Every row of every table.
fn each(
    report: &Report,
    mut write: impl FnMut(&StudyReport, &TableReport, &Row) -> Result<(), XlsxError>,
) -> Result<(), XlsxError> {
    for study in &report.studies {
        for table in &study.tables {
            for row in &table.rows {
                write(study, table, row)?;
            }
        }
    }
    Ok(())
}

/// The columns that say which figure it is.
fn place(
    lines: &mut Lines<'_>,
    writer: Writer<'_>,
    study: &StudyReport,
    table: &TableReport,
    row: &Row,
) -> Result<(), XlsxError> {
    lines.text(study.title.text(writer.language))?;
    lines.text(&table.id)?;
    lines.text(table.title.text(writer.language))?;
    let labels: Vec<&str> = row.labels.iter().map(|label| label.text(writer.language)).collect();
    lines.text(&labels.join(", "))
}
