//! From a mapping file as written to a mapping that can be used.
//!
//! **Invariant:** every name on our side of the mapping is checked here against the schema.

use super::error::MappingError;
use super::file::{ColumnFile, JoinFile, MappingFile, TableFile};
use super::{ColumnMapping, ColumnSource, Encoding, FileMapping, Join, Mapping, TableMapping};
use crate::kernel::source::schema::{Column, ContactForm, Kind, Table};
use fellestall_shared::limits::SOURCE_JOINS;
use std::collections::BTreeMap;
use std::path::{Component, Path};

mod words;

/// Checks the whole file.
pub(super) fn mapping(mut file: MappingFile) -> Result<Mapping, MappingError> {
    let mut given = std::mem::take(&mut file.tables);
    let mut tables = BTreeMap::new();
    for table in Table::ALL {
        let own = given.remove(table.name()).unwrap_or_default();
        tables.insert(table, table_mapping(table, own, &file)?);
    }
    if let Some(table) = given.into_keys().next() {
        let known = list(Table::ALL.iter().map(|table| table.name()));
        return Err(MappingError::UnknownTable { table, known });
    }
    let control = file.control.file.as_deref();
    let control = FileMapping {
        name: file_name("[control]", control.unwrap_or("control.csv"))?,
        is_named: control.is_some(),
        delimiter: delimiter("[control]", &[&file.control.delimiter, &file.delimiter])?,
        encoding: encoding(&[file.control.encoding, file.encoding]),
    };
    Ok(Mapping { tables, control })
}

fn table_mapping(
    table: Table,
    mut own: TableFile,
    all: &MappingFile,
) -> Result<TableMapping, MappingError> {
    let place = format!("[tables.{table}]");
    if own.form.is_some() && table != Table::Contact {
        return Err(MappingError::Form { table: table.name() });
    }
    let form = own.form.unwrap_or(ContactForm::Months);
    let standard = format!("{table}.csv");
    let file = FileMapping {
        name: file_name(&place, own.file.as_deref().unwrap_or(&standard))?,
        is_named: own.file.is_some(),
        delimiter: delimiter(&place, &[&own.delimiter, &all.delimiter])?,
        encoding: encoding(&[own.encoding, all.encoding]),
    };
    let steps = std::mem::take(&mut own.join.0);
    let mut given = std::mem::take(&mut own.columns);
    if let (Some(first), false) = (steps.first(), steps.is_empty()) {
        if given.contains_key("participant_id") {
            return Err(MappingError::JoinAndColumn { table: table.name() });
        }
        let from = ColumnFile { column: first.from.clone(), ..ColumnFile::default() };
        given.insert("participant_id".to_owned(), from);
    }
    let joins = joins(table, steps, &own, all)?;
    let known = table.columns(form);
    let mut columns = Vec::new();
    for column in known {
        let settings = given.remove(column.name).unwrap_or_default();
        columns.push(column_mapping(table, column, settings, &own, all)?);
    }
    match given.into_keys().next() {
        None => Ok(TableMapping { file, form, columns, joins }),
        Some(column) => {
            let known = list(known.iter().map(|column| column.name));
            Err(MappingError::UnknownColumn { table: table.name(), column, known })
        }
    }
}

fn column_mapping(
    table: Table,
    column: &'static Column,
    settings: ColumnFile,
    own: &TableFile,
    all: &MappingFile,
) -> Result<ColumnMapping, MappingError> {
    let at = words::Place { table: table.name(), column };
    let words = words::words(at, &settings, own, all)?;
    let (table, name) = (table.name(), column.name);
    match (settings.column, settings.constant) {
        (Some(_), Some(_)) => Err(MappingError::ColumnAndConstant { table, column: name }),
        (None, Some(constant)) => {
            let words = words::constant(at, &constant)?;
            Ok(ColumnMapping { column, source: ColumnSource::Constant(constant), words })
        }
        (header, None) => {
            let header = header.unwrap_or_else(|| name.to_owned()).trim().to_owned();
            if header.is_empty() {
                return Err(MappingError::BlankText { table, column: name });
            }
            Ok(ColumnMapping { column, source: ColumnSource::Header(header), words })
        }
    }
}

fn joins(
    table: Table,
    steps: Vec<JoinFile>,
    own: &TableFile,
    all: &MappingFile,
) -> Result<Vec<Join>, MappingError> {
    if steps.len() > SOURCE_JOINS {
        return Err(MappingError::TooManyJoins { table: table.name() });
    }
    let mut joins: Vec<Join> = Vec::new();
    for (number, step) in (1..).zip(steps) {
        let fault = |fault| MappingError::Join { table: table.name(), number, fault };
        let place = format!("[tables.{table}] join {number}");
        let from = step.from.as_deref().map(str::trim);
        match (joins.last(), from) {
            (None, None | Some("")) => return Err(fault("from is missing")),
            (Some(before), Some(from)) if from != before.to => {
                return Err(fault("from is not the column that the join before leads to"));
            }
            _ => {}
        }
        let (key, to) = (step.key.trim().to_owned(), step.to.trim().to_owned());
        if key.is_empty() || to.is_empty() {
            return Err(fault("key or to is blank"));
        }
        let file = FileMapping {
            name: file_name(&place, &step.file)?,
            is_named: true,
            delimiter: delimiter(&place, &[&step.delimiter, &own.delimiter, &all.delimiter])?,
            encoding: encoding(&[step.encoding, own.encoding, all.encoding]),
        };
        joins.push(Join { file, key, to });
    }
    Ok(joins)
}

fn file_name(place: &str, name: &str) -> Result<String, MappingError> {
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if name.trim().is_empty() || !Path::new(name).components().all(inside) {
        return Err(MappingError::FileName { place: place.to_owned() });
    }
    Ok(name.to_owned())
}

/// The first delimiter that is given; a comma if none is.
fn delimiter(place: &str, given: &[&Option<String>]) -> Result<u8, MappingError> {
    let Some(text) = given.iter().find_map(|text| text.as_deref()) else { return Ok(b',') };
    match text.as_bytes() {
        [byte] if *byte == b'\t' || (byte.is_ascii_punctuation() && *byte != b'"') => Ok(*byte),
        _ => Err(MappingError::Delimiter { place: place.to_owned() }),
    }
}

fn encoding(given: &[Option<Encoding>]) -> Encoding {
    given.iter().flatten().next().copied().unwrap_or(Encoding::Utf8)
}

/// Names in one sentence.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// Whether a column of this kind holds days or months.
fn pattern_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Date | Kind::OptionalDate => Some("days"),
        Kind::Month => Some("months"),
        _ => None,
    }
}
