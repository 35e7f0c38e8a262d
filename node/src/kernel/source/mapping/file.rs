//! The mapping file as it is written.
//!
//! **Invariant:** a setting that is not listed here is refused, and nothing here is used before
//! [`super::build`] has checked it.

use super::Encoding;
use crate::kernel::source::schema::ContactForm;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// The whole file; its settings hold for every table that does not give its own.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MappingFile {
    pub(super) delimiter: Option<String>,
    pub(super) encoding: Option<Encoding>,
    pub(super) dates: Option<String>,
    pub(super) months: Option<String>,
    pub(super) unknown: Vec<String>,
    pub(super) empty: Vec<String>,
    pub(super) tables: BTreeMap<String, TableFile>,
    pub(super) control: ControlFile,
}

/// `[tables.NAME]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TableFile {
    pub(super) file: Option<String>,
    pub(super) delimiter: Option<String>,
    pub(super) encoding: Option<Encoding>,
    pub(super) dates: Option<String>,
    pub(super) months: Option<String>,
    pub(super) unknown: Vec<String>,
    pub(super) empty: Vec<String>,
    pub(super) form: Option<ContactForm>,
    pub(super) columns: BTreeMap<String, ColumnFile>,
    pub(super) join: Joins,
}

/// `[control]`: the file of printed figures.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ControlFile {
    pub(super) file: Option<String>,
    pub(super) delimiter: Option<String>,
    pub(super) encoding: Option<Encoding>,
}

/// One column: its header alone, or a table of settings.
#[derive(Default)]
pub(super) struct ColumnFile {
    pub(super) column: Option<String>,
    pub(super) constant: Option<String>,
    pub(super) dates: Option<String>,
    pub(super) codes: Option<BTreeMap<String, String>>,
    pub(super) unknown: Vec<String>,
    pub(super) empty: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ColumnSettings {
    column: Option<String>,
    constant: Option<String>,
    dates: Option<String>,
    codes: Option<BTreeMap<String, String>>,
    unknown: Vec<String>,
    empty: Vec<String>,
}

/// `[tables.NAME.join]`, or several as `[[tables.NAME.join]]`.
#[derive(Default)]
pub(super) struct Joins(pub(super) Vec<JoinFile>);

/// One step to the participant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JoinFile {
    pub(super) file: String,
    pub(super) from: Option<String>,
    pub(super) key: String,
    pub(super) to: String,
    pub(super) delimiter: Option<String>,
    pub(super) encoding: Option<Encoding>,
}

impl<'de> Deserialize<'de> for ColumnFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ColumnVisitor;
        impl<'de> Visitor<'de> for ColumnVisitor {
            type Value = ColumnFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header in quotes, or { column = \"...\", codes = { ... } }")
            }

            fn visit_str<E: de::Error>(self, header: &str) -> Result<ColumnFile, E> {
                Ok(ColumnFile { column: Some(header.to_owned()), ..ColumnFile::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnFile, A::Error> {
                let settings = ColumnSettings::deserialize(MapAccessDeserializer::new(map))?;
                let ColumnSettings { column, constant, dates, codes, unknown, empty } = settings;
                Ok(ColumnFile { column, constant, dates, codes, unknown, empty })
            }
        }
        deserializer.deserialize_any(ColumnVisitor)
    }
}

impl<'de> Deserialize<'de> for Joins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct JoinsVisitor;
        impl<'de> Visitor<'de> for JoinsVisitor {
            type Value = Joins;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a join with file, from, key and to, or a list of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Joins, A::Error> {
                Ok(Joins(vec![JoinFile::deserialize(MapAccessDeserializer::new(map))?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Joins, A::Error> {
                Ok(Joins(Vec::deserialize(SeqAccessDeserializer::new(list))?))
            }
        }
        deserializer.deserialize_any(JoinsVisitor)
    }
}
