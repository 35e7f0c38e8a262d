//! Pieces of SQL: how a cell of a table is read, and how a word of ours is written.
//!
//! They mean what `source::value` means for a cell of an export. Letters are folded and compared in the
//! collation `C`: what another makes of a letter depends on the database's locale.
//!
//! **Invariant:** every text that is put into a statement is a name or a code of this program, or is
//! quoted here; secrets and what an operator writes are parameters.

use time::Date;

/// White space as it may stand around a cell.
const WHITE: &str = "E' \\t\\n\\x0b\\f\\r'";

/// A name, as of a column.
pub(super) fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text. (`standard_conforming_strings` is on in every session.)
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A list of texts.
pub(super) fn texts(codes: &[&str]) -> String {
    let codes: Vec<String> = codes.iter().map(|code| text(code)).collect();
    format!("array[{}]", codes.join(", "))
}

/// A day.
pub(super) fn day(day: Date) -> String {
    format!("date '{:04}-{:02}-{:02}'", day.year(), u8::from(day.month()), day.day())
}

/// The text of a column without white space around it.
pub(super) fn trimmed(column: &str) -> String {
    format!("btrim({}::text, {WHITE})", name(column))
}

/// The text of a column as codes and identifiers are compared: without white space around it, in
/// lower case; compared and ordered byte by byte.
pub(super) fn folded(column: &str) -> String {
    format!("lower({} collate \"C\")", trimmed(column))
}

/// A code; nothing is `unknown`.
pub(super) fn code(column: &str) -> String {
    format!("coalesce(nullif({}, ''), 'unknown')", folded(column))
}

/// A code of something that may not have happened; nothing is null.
pub(super) fn optional_code(column: &str) -> String {
    format!("nullif({}, '')", folded(column))
}

/// A day that is known, or null. A day that is not known is nothing, or `-infinity` where nothing
/// means that it has not happened.
pub(super) fn known(column: &str) -> String {
    format!("nullif({}, date '-infinity')", name(column))
}

/// Whether something has happened, on whatever day.
pub(super) fn happened(column: &str) -> String {
    format!("({} is not null)", name(column))
}
