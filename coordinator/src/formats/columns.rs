//! Rows of any shape as an Apache Parquet file.
//!
//! **Invariant:** at most [`GROUP_ROWS`] rows are held at a time; every column may be empty in any
//! row, and an empty place is null, never a number that stands for nothing.

use super::FormatError;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use std::sync::Arc;

/// Rows that are written together.
const GROUP_ROWS: usize = 32_768;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text in UTF-8.
    Text,
    /// A double.
    Number,
    /// A whole number.
    Whole,
    /// A moment in UTC, in milliseconds since 1970.
    Moment,
}

/// One place of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Datum {
    /// Text.
    Text(String),
    /// A double.
    Number(f64),
    /// A whole number, or a moment.
    Whole(i64),
    /// Nothing.
    None,
}

/// The names and kinds of columns.
pub(crate) type Schema = Vec<(String, Kind)>;

/// Writes rows, each with one datum for each column; what does not fit its column is nothing.
///
/// # Errors
/// [`FormatError::Writer`].
pub(crate) fn write(
    schema: &Schema,
    rows: impl Iterator<Item = Vec<Datum>>,
    about: Vec<(String, String)>,
) -> Result<Vec<u8>, FormatError> {
    encode(schema, rows, about).map_err(|error| FormatError::Writer(Box::new(error)))
}

fn encode(
    schema: &Schema,
    rows: impl Iterator<Item = Vec<Datum>>,
    about: Vec<(String, String)>,
) -> Result<Vec<u8>, ParquetError> {
    let fields = schema.iter().map(field).collect::<Result<Vec<_>, ParquetError>>()?;
    let root = Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?);
    let about = about.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("Fellestall".to_owned())
        .set_key_value_metadata(Some(about))
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), root, Arc::new(properties))?;
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let mut columns: Vec<Column> = schema.iter().map(|(_, kind)| Column::new(*kind)).collect();
        for row in rows.by_ref().take(GROUP_ROWS) {
            let row = row.into_iter().chain(std::iter::repeat(Datum::None));
            for (column, datum) in columns.iter_mut().zip(row) {
                column.push(datum);
            }
        }
        let mut group = writer.next_row_group()?;
        for column in &columns {
            column.write(&mut group)?;
        }
        group.close()?;
    }
    writer.into_inner()
}

fn field((name, kind): &(String, Kind)) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical) = match kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Number => (Physical::DOUBLE, None),
        Kind::Whole => (Physical::INT64, None),
        Kind::Moment => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
    };
    let builder = Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    Ok(Arc::new(builder.build()?))
}

enum Values {
    Text(Vec<ByteArray>),
    Number(Vec<f64>),
    Whole(Vec<i64>),
}

struct Column {
    values: Values,
    /// One for each row: 1 where there is a value.
    present: Vec<i16>,
}

impl Column {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Number => Values::Number(Vec::new()),
            Kind::Whole | Kind::Moment => Values::Whole(Vec::new()),
        };
        Self { values, present: Vec::new() }
    }

    fn push(&mut self, datum: Datum) {
        let fits = match (&mut self.values, datum) {
            (Values::Text(values), Datum::Text(text)) => {
                values.push(ByteArray::from(text.into_bytes()));
                true
            }
            (Values::Number(values), Datum::Number(number)) => {
                values.push(number);
                true
            }
            (Values::Whole(values), Datum::Whole(number)) => {
                values.push(number);
                true
            }
            _ => false,
        };
        self.present.push(i16::from(fits));
    }

    fn write(&self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) -> Result<(), ParquetError> {
        let Some(mut column) = group.next_column()? else {
            return Err(ParquetError::General("fewer columns than the schema has".to_owned()));
        };
        let present = Some(self.present.as_slice());
        match &self.values {
            Values::Text(values) => {
                column.typed::<ByteArrayType>().write_batch(values, present, None)?
            }
            Values::Number(values) => {
                column.typed::<DoubleType>().write_batch(values, present, None)?
            }
            Values::Whole(values) => {
                column.typed::<Int64Type>().write_batch(values, present, None)?
            }
        };
        column.close()
    }
}
