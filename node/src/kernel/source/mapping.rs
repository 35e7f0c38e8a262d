//! The mapping file: a municipality's own file and column names, codes, dates and keys.
//!
//! What a mapping leaves out is as in the standard export: files named after the tables
//! (`participant.csv`, ...), our column names and codes, commas, UTF-8, dates as `2016-12-31` and
//! months as `2016-12`.
//!
//! ```toml
//! delimiter = ";"                 # for the whole export, and again for one table or key file
//! encoding = "iso-8859-1"         # or "utf-8"
//! dates = "%d.%m.%Y"              # strftime; %-d for days without a leading zero
//! months = "%m/%Y"
//! unknown = ["ukjent", "?"]       # texts that mean "not known"
//! empty = ["NULL", "31.12.9999"]  # texts that mean an empty cell: not recorded, or not happened
//!
//! [tables.participant]
//! file = "deltakere.csv"          # a file that is named has to be there
//! [tables.participant.columns]    # on the left our name, on the right the export's
//! participant_id = "klient_id"
//! gender = { column = "kjonn", codes = { K = "woman", M = "man" }, unknown = ["U"] }
//! exit_date = { column = "slutt", dates = "%Y%m%d" }
//! substitution_treatment = { constant = "unknown" }   # the export lacks it
//!
//! [[tables.tenancy.join]]         # tenancies have a case number; saker.csv knows whose it is
//! file = "saker.csv"
//! from = "sak_nr"                 # in the table's own file
//! key = "sak_nr"                  # in saker.csv
//! to = "klient_id"                # in saker.csv: the participant, or the key of the next join
//!
//! [tables.contact]
//! form = "events"                 # one row for each contact (participant_id, date, category)
//!
//! [control]
//! file = "control.csv"            # printed figures to check against each other
//! ```
//!
//! **Invariant:** a mapping that exists names only tables, columns and codes that there are, so
//! that a slip in it is found when it is read and not as a wrong figure.

use super::schema::{Column, ContactForm, Table};
use super::value::Words;
use std::collections::BTreeMap;

mod build;
mod error;
mod file;

pub use error::MappingError;

/// A checked mapping.
#[derive(Debug, Clone)]
pub struct Mapping {
    tables: BTreeMap<Table, TableMapping>,
    control: FileMapping,
}

/// How to read one table.
#[derive(Debug, Clone)]
pub(super) struct TableMapping {
    pub(super) file: FileMapping,
    pub(super) form: ContactForm,
    pub(super) columns: Vec<ColumnMapping>,
    pub(super) joins: Vec<Join>,
}

/// How to read one file.
#[derive(Debug, Clone)]
pub(super) struct FileMapping {
    /// Its name inside the folder of the export.
    pub(super) name: String,
    /// Whether the mapping names it: then it has to be there.
    pub(super) is_named: bool,
    pub(super) delimiter: u8,
    pub(super) encoding: Encoding,
}

impl FileMapping {
    fn make_table(&mut self) {
        self.encoding = Encoding::Utf8;
        if let Some(table) = self.name.strip_suffix(".csv") {
            self.name = table.to_owned();
        }
    }
}

/// How the characters of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub(super) enum Encoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO-8859-1 (Latin-1).
    #[serde(rename = "iso-8859-1")]
    Latin1,
}

/// Where one of our columns comes from.
#[derive(Debug, Clone)]
pub(super) struct ColumnMapping {
    pub(super) column: &'static Column,
    pub(super) source: ColumnSource,
    pub(super) words: Words,
}

/// Where the cells of a column come from.
#[derive(Debug, Clone)]
pub(super) enum ColumnSource {
    /// The column with this header.
    Header(String),
    /// The export lacks it: every row has this.
    Constant(String),
}

/// One file on the way from a table's key to the participant.
#[derive(Debug, Clone)]
pub(super) struct Join {
    pub(super) file: FileMapping,
    /// The column of that file which holds the key that we come with.
    pub(super) key: String,
    /// The column of that file which holds the next key, or the participant.
    pub(super) to: String,
}

impl Mapping {
    /// The mapping that this text (TOML) describes.
    ///
    /// # Errors
    /// [`MappingError`] says which table and column, and how to mend it.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        build::mapping(toml::from_str(text)?)
    }

    /// The mapping of the standard export, in which nothing has another name.
    ///
    /// # Errors
    /// None in practice: the empty mapping file is a mapping.
    pub fn standard() -> Result<Self, MappingError> {
        Self::parse("")
    }

    /// How to read `table`; every table has a mapping.
    pub(super) fn table(&self, table: Table) -> Option<&TableMapping> {
        self.tables.get(&table)
    }

    /// The same mapping for a database, whose texts are UTF-8 whatever an export of it would be. What is
    /// called `stay.csv` in a folder is the table `stay`.
    pub(super) fn of_database(mut self) -> Self {
        for table in self.tables.values_mut() {
            table.file.make_table();
            for join in &mut table.joins {
                join.file.make_table();
            }
        }
        self.control.make_table();
        self
    }

    /// The file of printed figures.
    pub(super) fn control(&self) -> &FileMapping {
        &self.control
    }
}

#[cfg(test)]
mod tests;
