//! An extract in the formats that people and tools read.
//!
//! One rule holds for numbers: a file carries each number as it is stored, with all its decimals.
//! Where a format can say how a number is *displayed* (HTML, Excel, PC-Axis), the decimals of the
//! measure are used for that, and the stored number stands beside or beneath.
//!
//! **Invariant:** one extract has the same numbers and the same marks in every format; nothing here
//! computes a figure.

use crate::config::Web;
use crate::databank::Extract;

pub(crate) mod columns;
mod csv;
mod facts;
pub(crate) mod html;
mod json_px;
mod layout;
mod params;
mod parquet;
mod px;
pub(crate) mod words;
mod xlsx;

pub use params::{BadParams, Params, Separator, Shown};

/// The formats that data are answered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON-stat 2.0.
    JsonStat2,
    /// Comma-separated values.
    Csv,
    /// A workbook for Excel.
    Xlsx,
    /// A PC-Axis file.
    Px,
    /// A web page with one table.
    Html,
    /// Apache Parquet.
    Parquet,
    /// The JSON of the first PxWeb interface.
    JsonPx,
}

impl Format {
    /// All formats, in the order they are offered.
    pub const ALL: [Self; 7] =
        [Self::JsonStat2, Self::Csv, Self::Xlsx, Self::Px, Self::Html, Self::Parquet, Self::JsonPx];

    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonStat2 => "json-stat2",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Px => "px",
            Self::Html => "html",
            Self::Parquet => "parquet",
            Self::JsonPx => "json-px",
        }
    }

    /// The format with this name, without regard to case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name().eq_ignore_ascii_case(name))
    }

    /// What it is sent as.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::JsonStat2 | Self::JsonPx => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Px => "application/octet-stream; charset=utf-8",
            Self::Parquet => "application/octet-stream",
        }
    }

    /// How the names of its files end, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::JsonStat2 | Self::JsonPx => "json",
            other => other.name(),
        }
    }
}

/// What a file says of the service that it came from.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Publisher, licence, contact.
    pub web: &'a Web,
    /// The address that readers use, without a slash at its end.
    pub url: &'a str,
}

/// Why an extract was not written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// JSON-stat is the databank's own answer, and not written here.
    #[error("json-stat2 is written by the databank's interface")]
    NotHere,
    /// More rows or columns than the format can hold.
    #[error(
        "{} holds {limit} {what} at the most; select fewer values, or take csv or parquet",
        format.name()
    )]
    TooLarge {
        /// The format.
        format: Format,
        /// Of what.
        what: &'static str,
        /// How many it holds.
        limit: usize,
    },
    /// A writer failed.
    #[error("the file could not be written")]
    Writer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Writes an extract as a file.
///
/// # Errors
/// [`FormatError`]: nothing was written.
pub fn write(
    extract: &Extract,
    format: Format,
    params: Params,
    context: &Context<'_>,
) -> Result<Vec<u8>, FormatError> {
    match format {
        Format::Csv => Ok(csv::write(extract, params)),
        Format::Html => Ok(html::write(extract, params, context)),
        Format::JsonPx => json_px::write(extract, context),
        Format::Xlsx => xlsx::write(extract, params, context),
        Format::Px => Ok(px::write(extract, context)),
        Format::Parquet => parquet::write(extract, context),
        Format::JsonStat2 => Err(FormatError::NotHere),
    }
}

/// The title of an extract: the table's id and title.
fn title(extract: &Extract) -> String {
    let cube = &extract.cube;
    format!("{}: {}", cube.id, cube.title.text(extract.language))
}

#[cfg(test)]
pub(crate) mod tests;
