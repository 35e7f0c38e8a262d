//! A workbook: the table on one sheet, and on another what the figures are.
//!
//! **Invariant:** a number is a number as it is stored, displayed with the decimals of its measure;
//! every text is a text and never a formula; the same extract gives the same bytes.

use super::facts::facts;
use super::layout::{Layout, dimension_text, value_text};
use super::words::Words;
use super::{Context, Format as FileFormat, FormatError, Params, title};
use crate::databank::{Cell, Extract};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

/// Rows that a sheet holds.
const ROWS: usize = 1_048_576;
/// Columns that a sheet holds.
const COLUMNS: usize = 16_384;
/// Cells of the sheet, texts among them, that are written: a workbook is made in memory, and a cell
/// takes some 150 bytes until it is packed.
const CELLS: usize = 1_000_000;
/// Decimals that a measure may have.
const DECIMALS: u8 = 6;
/// Rows above the table: the title and a blank one.
const TITLE_ROWS: usize = 2;

/// Writes an extract.
pub(super) fn write(
    extract: &Extract,
    params: Params,
    context: &Context<'_>,
) -> Result<Vec<u8>, FormatError> {
    let layout = Layout::new(extract);
    let above = layout.heading.len().max(1).saturating_add(TITLE_ROWS);
    let too_large = |what, limit| FormatError::TooLarge { format: FileFormat::Xlsx, what, limit };
    if layout.rows() > ROWS.saturating_sub(above) {
        return Err(too_large("rows", ROWS.saturating_sub(above)));
    }
    if layout.columns() > COLUMNS.saturating_sub(layout.stub.len()) {
        return Err(too_large("columns", COLUMNS.saturating_sub(layout.stub.len())));
    }
    let across = layout.columns().saturating_add(layout.stub.len());
    if layout.rows().saturating_mul(across) > CELLS {
        return Err(too_large("cells with their texts", CELLS));
    }
    workbook(extract, &layout, params, context)
        .map_err(|error| FormatError::Writer(Box::new(error)))
}

fn workbook(
    extract: &Extract,
    layout: &Layout<'_>,
    params: Params,
    context: &Context<'_>,
) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let properties = DocProperties::new()
        .set_title(title(extract))
        .set_author(context.web.publisher.as_str())
        .set_creation_datetime(&ExcelDateTime::from_timestamp(extract.cube.updated.unix())?);
    workbook.set_properties(&properties);
    table(workbook.add_worksheet(), extract, layout, params)?;
    about(workbook.add_worksheet(), extract, context)?;
    workbook.save_to_buffer()
}

fn table(
    sheet: &mut Worksheet,
    extract: &Extract,
    layout: &Layout<'_>,
    params: Params,
) -> Result<(), XlsxError> {
    let (language, shown) = (extract.language, params.shown);
    let bold = Format::new().set_bold();
    let head = Format::new().set_bold().set_align(FormatAlign::Right);
    sheet.set_name(sheet_name(&extract.cube.id))?;
    let mut line = 0_u32;
    if params.title {
        sheet.write_string_with_format(0, 0, title(extract), &bold)?;
        line = 2;
    }
    let stub = at_column(layout.stub.len());
    for place in 0..layout.heading.len().max(1) {
        for column in 0..layout.columns() {
            let value = layout.column(column).get(place).copied();
            let text = value.map_or_else(
                || layout.figure(language).to_owned(),
                |value| value_text(value, shown, language),
            );
            sheet.write_string_with_format(line, stub + at_column(column), text, &head)?;
        }
        line += 1;
    }
    for (column, axis) in layout.stub.iter().enumerate() {
        let text = dimension_text(axis.dimension, shown, language);
        sheet.write_string_with_format(line - 1, at_column(column), text, &bold)?;
    }
    sheet.set_freeze_panes(line, stub)?;
    let formats: Vec<Format> = (0..=DECIMALS).map(number_format).collect();
    let mark = Format::new().set_align(FormatAlign::Right);
    for row in 0..layout.rows() {
        for (column, value) in layout.row(row).into_iter().enumerate() {
            sheet.write_string(line, at_column(column), value_text(value, shown, language))?;
        }
        for column in 0..layout.columns() {
            let place = (line, stub + at_column(column));
            let decimals = layout.decimals(row, column).min(DECIMALS);
            let format = formats.get(usize::from(decimals)).unwrap_or(&mark);
            cell(sheet, place, layout.cell(row, column), format, &mark)?;
        }
        line += 1;
    }
    if stub > 0 {
        sheet.set_column_range_width(0, stub - 1, 28)?;
    }
    let last = stub + at_column(layout.columns().saturating_sub(1));
    sheet.set_column_range_width(stub, last, 16)?;
    Ok(())
}

fn cell(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    cell: Cell,
    format: &Format,
    mark: &Format,
) -> Result<(), XlsxError> {
    match (cell.value, cell.symbol) {
        (Some(number), _) => {
            sheet.write_number_with_format(row, column, number.value(), format)?;
        }
        (None, Some(symbol)) => {
            sheet.write_string_with_format(row, column, symbol.text(), mark)?;
        }
        (None, None) => {}
    }
    Ok(())
}

/// A second sheet that says what the figures are.
fn about(sheet: &mut Worksheet, extract: &Extract, context: &Context<'_>) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold().set_align(FormatAlign::Top);
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet.set_name(Words::of(extract.language).sheet.as_str())?;
    sheet.set_column_width(0, 32)?;
    sheet.set_column_width(1, 90)?;
    for (row, (name, text)) in (0_u32..).zip(facts(extract, context)) {
        sheet.write_string_with_format(row, 0, name, &bold)?;
        sheet.write_string_with_format(row, 1, text, &wrapped)?;
    }
    Ok(())
}

/// The table's id as the name of a sheet.
fn sheet_name(id: &str) -> String {
    let name: String =
        id.chars()
            .map(|letter| {
                if matches!(letter, '[' | ']' | ':' | '*' | '?' | '/' | '\\') {
                    '-'
                } else {
                    letter
                }
            })
            .take(31)
            .collect();
    let name = name.trim_matches('\'').to_owned();
    if name.is_empty() { "1".to_owned() } else { name }
}

fn number_format(decimals: u8) -> Format {
    let decimals = usize::from(decimals);
    let point = if decimals > 0 { "." } else { "" };
    Format::new().set_num_format(format!("#,##0{point}{}", "0".repeat(decimals)))
}

/// A column number; the limits were checked.
fn at_column(column: usize) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}
