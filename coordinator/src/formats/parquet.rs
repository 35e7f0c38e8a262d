//! An extract as Apache Parquet, laid out as the reference server does it: a row for each
//! combination of values, a column for each of the contents and one for its mark.
//!
//! Columns are named by codes, which are the same in all languages; beside each dimension of codes
//! stands one of texts.
//!
//! **Invariant:** a number is the double nearest to the stored one; where there is a mark and no
//! number, the number is null.

use super::columns::{self, Datum, Kind, Schema};
use super::facts::facts;
use super::layout::Layout;
use super::words;
use super::{Context, FormatError};
use crate::databank::{Extract, Role};
use crate::present::PresentedCategory;
use fellestall_shared::period::Period;

/// Writes an extract.
pub(super) fn write(extract: &Extract, context: &Context<'_>) -> Result<Vec<u8>, FormatError> {
    let layout = Layout::by_contents(extract);
    let language = extract.language;
    let mut schema: Schema = Vec::new();
    for axis in &layout.stub {
        let code = &axis.dimension.code;
        schema.push((code.clone(), Kind::Text));
        schema.push((format!("{code}_label"), Kind::Text));
        if axis.dimension.role == Role::Time {
            schema.push(("timestamp".to_owned(), Kind::Moment));
        }
    }
    for column in 0..layout.columns() {
        let name = name(&layout, column);
        schema.push((name.clone(), Kind::Number));
        schema.push((format!("{name}_symbol"), Kind::Text));
    }
    let rows = (0..layout.rows()).map(|row| {
        let mut line = Vec::with_capacity(schema.len());
        for (axis, value) in layout.stub.iter().zip(layout.row(row)) {
            line.push(Datum::Text(value.code.clone()));
            line.push(Datum::Text(value.label.text(language).to_owned()));
            if axis.dimension.role == Role::Time {
                line.push(first_moment(value).map_or(Datum::None, Datum::Whole));
            }
        }
        for column in 0..layout.columns() {
            let cell = layout.cell(row, column);
            line.push(cell.value.map_or(Datum::None, |number| Datum::Number(number.value())));
            let symbol = cell.symbol.map(|symbol| symbol.text().to_owned());
            line.push(symbol.map_or(Datum::None, Datum::Text));
        }
        line
    });
    let mut about = vec![("language".to_owned(), words::code(language).to_owned())];
    for (name, text) in facts(extract, context).into_iter().filter(|(name, _)| !name.is_empty()) {
        match about.iter_mut().find(|(known, _)| *known == name) {
            Some((_, texts)) => *texts = format!("{texts}; {text}"),
            None => about.push((name, text)),
        }
    }
    columns::write(&schema, rows, about)
}

/// The column of one of the contents; `value` if there is one only, as in the reference server.
fn name(layout: &Layout<'_>, column: usize) -> String {
    let contents = layout.heading.first().zip(layout.column(column).first().copied());
    match contents {
        Some((axis, value)) if axis.values.len() > 1 => {
            format!("{}_{}", axis.dimension.code, value.code)
        }
        _ => "value".to_owned(),
    }
}

/// The first moment of a period, in milliseconds.
fn first_moment(value: &PresentedCategory) -> Option<i64> {
    let period: Period = value.code.parse().ok()?;
    let moment = period.first_day().midnight().assume_utc().unix_timestamp();
    moment.checked_mul(1000)
}
