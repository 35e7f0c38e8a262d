//! What can be wrong with a mapping file.
//!
//! **Invariant:** every message says where and how to mend it.

use fellestall_shared::limits::SOURCE_JOINS;

/// A mapping file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// Not TOML, or a setting that there is none of.
    #[error("the mapping is not readable: {0}")]
    Toml(#[from] toml::de::Error),
    /// A table that there is none of.
    #[error("[tables.{table}]: there is no such table; the tables are {known}")]
    UnknownTable {
        /// The name given.
        table: String,
        /// Every table.
        known: String,
    },
    /// A column that there is none of.
    #[error(
        "[tables.{table}.columns] {column}: there is no such column; on the left stands our name, one of {known}"
    )]
    UnknownColumn {
        /// The table.
        table: &'static str,
        /// The name given.
        column: String,
        /// Every column of the table.
        known: String,
    },
    /// A code that there is none of.
    #[error(
        "[tables.{table}.columns] {column}: your code \"{own}\" is mapped to \"{code}\", which is none of ours; on the right stands one of {known}"
    )]
    UnknownCode {
        /// The table.
        table: &'static str,
        /// Our name of the column.
        column: &'static str,
        /// The municipality's code.
        own: String,
        /// What it is mapped to.
        code: String,
        /// Every code of the column.
        known: String,
    },
    /// A purpose that is not one.
    #[error(
        "[tables.{table}.columns] {column}: \"{code}\" cannot be a purpose; write it as in the studies, as housing-first-statistics"
    )]
    Purpose {
        /// The table.
        table: &'static str,
        /// Our name of the column.
        column: &'static str,
        /// What was given.
        code: String,
    },
    /// A code table for a column without codes.
    #[error("[tables.{table}.columns] {column}: the column holds no codes; leave out `codes`")]
    NoCodes {
        /// The table.
        table: &'static str,
        /// Our name of the column.
        column: &'static str,
    },
    /// A date format for a column without dates.
    #[error("[tables.{table}.columns] {column}: the column holds no dates; leave out `dates`")]
    NoDates {
        /// The table.
        table: &'static str,
        /// Our name of the column.
        column: &'static str,
    },
    /// One text with two meanings.
    #[error(
        "[tables.{table}.columns] {column}: \"{own}\" has two meanings; capital letters and spaces around a text do not count, and a text is either a code, or in `unknown`, or in `empty`"
    )]
    TwoMeanings {
        /// The table.
        table: &'static str,
        /// Our name of the column.
        column: &'static str,
        /// The text.
        own: String,
    },
    /// An own code, or a text for unknown or empty, without a character.
    #[error(
        "[tables.{table}.columns] {column}: an empty cell already has a meaning, and none can be given to it; leave out \"\""
    )]
    BlankText {
        /// The table.
        table: &'static str,
        /// Our name of the column.
        column: &'static str,
    },
    /// A column that names both or neither.
    #[error(
        "[tables.{table}.columns] {column}: give either `column` (its header in your file) or `constant` (if your file lacks it), not both"
    )]
    ColumnAndConstant {
        /// The table.
        table: &'static str,
        /// Our name of the column.
        column: &'static str,
    },
    /// A constant that the column cannot hold.
    #[error(
        "[tables.{table}.columns] {column}: \"{constant}\" cannot be the constant; give {allowed}"
    )]
    BadConstant {
        /// The table.
        table: &'static str,
        /// Our name of the column.
        column: &'static str,
        /// What was given.
        constant: String,
        /// What can be given.
        allowed: String,
    },
    /// The participant's key in two ways.
    #[error(
        "[tables.{table}] has both a join and a column for participant_id; the join leads to the participant, so leave the column out"
    )]
    JoinAndColumn {
        /// The table.
        table: &'static str,
    },
    /// A chain of joins that does not hold together.
    #[error(
        "[tables.{table}] join {number}: {fault}; a join has file, key and to, the first also from, and each goes on with the column that the one before leads to"
    )]
    Join {
        /// The table.
        table: &'static str,
        /// Which of its joins, from 1.
        number: usize,
        /// What is wrong.
        fault: &'static str,
    },
    /// A longer chain of joins than the limit.
    #[error("[tables.{table}] goes through more than {SOURCE_JOINS} files; make a shorter way")]
    TooManyJoins {
        /// The table.
        table: &'static str,
    },
    /// A delimiter that is none.
    #[error("{place}: the delimiter is one character such as \",\" \";\" \"|\" or \"\\t\"")]
    Delimiter {
        /// Where.
        place: String,
    },
    /// A format that cannot be read back.
    #[error(
        "{place}: \"{format}\" does not tell {what} apart; write it as %d.%m.%Y, %Y-%m-%d or %Y-%m (%-d and %-m for numbers without a leading zero)"
    )]
    DateFormat {
        /// Where.
        place: String,
        /// What was given.
        format: String,
        /// Days or months.
        what: &'static str,
    },
    /// A layout for a table that has only one.
    #[error("[tables.{table}] form: only the contact table has more than one form; leave it out")]
    Form {
        /// The table.
        table: &'static str,
    },
    /// A file name that leads out of the folder.
    #[error(
        "{place}: a file is named by its path inside the folder of the export, without .. or a leading /"
    )]
    FileName {
        /// Where.
        place: String,
    },
}
