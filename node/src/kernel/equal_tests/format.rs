//! How a drawn export is written: names, words, dates, keys. It becomes the kernel's mapping, and the
//! reference reads it as it is.
//!
//! **Invariant:** what is not here is as in the standard export.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The tables that are written.
pub const TABLES: [&str; 4] = ["participant", "consent", "complaint", "contact"];

/// How a whole export is written.
#[derive(Debug, Clone)]
pub struct Format {
    pub delimiter: char,
    pub latin1: bool,
    /// Days as `31.12.2016` and months as `12/2016`.
    pub norwegian: bool,
    /// One contact a row.
    pub events: bool,
    pub unknown: Vec<String>,
    pub empty: Vec<String>,
    pub tables: BTreeMap<&'static str, TableFormat>,
}

/// How one table is written.
#[derive(Debug, Clone, Default)]
pub struct TableFormat {
    pub file: String,
    /// The header of each of our columns.
    pub headers: Vec<(&'static str, String)>,
    /// What stands in every row of a column that the file lacks.
    pub constants: Vec<(&'static str, String)>,
    /// The municipality's own codes for ours, by column.
    pub codes: BTreeMap<&'static str, Vec<(String, &'static str)>>,
    /// From the table's key to the participant.
    pub joins: Vec<Step>,
}

/// A key file.
#[derive(Debug, Clone)]
pub struct Step {
    pub file: String,
    pub key: String,
    pub to: String,
}

/// Our columns of a table, in the standard order.
pub fn columns(table: &str, events: bool) -> &'static [&'static str] {
    match table {
        "participant" => &[
            "participant_id",
            "intake_date",
            "birth_year",
            "gender",
            "housing_at_intake",
            "specialist_follow_up",
            "substitution_treatment",
            "exit_date",
            "exit_reason",
        ],
        "consent" => &[
            "participant_id",
            "purpose",
            "status",
            "mode",
            "date",
            "form_version",
            "valid_until",
            "withdrawn_on",
        ],
        "complaint" => &["participant_id", "date", "source", "kind", "three_way_meeting"],
        "contact" if events => &["participant_id", "date", "category"],
        "contact" => &["participant_id", "month", "category", "count", "recorded"],
        other => panic!("no such table: {other}"),
    }
}

impl Format {
    /// A day of the form `2016-12-31` as this export writes it; other texts as they are.
    pub fn day(&self, day: &str) -> String {
        match day.split('-').collect::<Vec<_>>()[..] {
            [year, month, day] if self.norwegian => format!("{day}.{month}.{year}"),
            _ => day.to_owned(),
        }
    }

    /// A month of the form `2016-12` as this export writes it.
    pub fn month(&self, month: &str) -> String {
        match month.split_once('-') {
            Some((year, month)) if self.norwegian => format!("{month}/{year}"),
            _ => month.to_owned(),
        }
    }

    /// The mapping file that describes it.
    pub fn mapping(&self) -> String {
        let mut text = String::new();
        let quoted = |text: &str| format!("'{text}'");
        let list =
            |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        let mut line = |line: String| writeln!(text, "{line}").expect("written");
        match self.delimiter {
            '\t' => line("delimiter = \"\\t\"".to_owned()),
            other => line(format!("delimiter = \"{other}\"")),
        }
        if self.latin1 {
            line("encoding = \"iso-8859-1\"".to_owned());
        }
        if self.norwegian {
            line("dates = \"%d.%m.%Y\"\nmonths = \"%m/%Y\"".to_owned());
        }
        line(format!("unknown = [{}]\nempty = [{}]", list(&self.unknown), list(&self.empty)));
        for (name, table) in &self.tables {
            line(format!("[tables.{name}]\nfile = {}", quoted(&table.file)));
            if *name == "contact" && self.events {
                line("form = \"events\"".to_owned());
            }
            line(format!("[tables.{name}.columns]"));
            for (column, header) in &table.headers {
                if *column == "participant_id" && !table.joins.is_empty() {
                    continue;
                }
                let codes = table.codes.get(column).map(|codes| {
                    let pairs = codes.iter().map(|(own, code)| format!("{own:?} = {code:?}"));
                    format!(", codes = {{ {} }}", pairs.collect::<Vec<_>>().join(", "))
                });
                let codes = codes.unwrap_or_default();
                line(format!("{column} = {{ column = {}{codes} }}", quoted(header)));
            }
            for (column, constant) in &table.constants {
                line(format!("{column} = {{ constant = {} }}", quoted(constant)));
            }
            for (at, step) in table.joins.iter().enumerate() {
                line(format!("[[tables.{name}.join]]\nfile = {}", quoted(&step.file)));
                if at == 0 {
                    let from = table.headers.iter().find(|(column, _)| *column == "participant_id");
                    line(format!("from = {}", quoted(&from.expect("a key").1)));
                }
                line(format!("key = {}\nto = {}", quoted(&step.key), quoted(&step.to)));
            }
        }
        text
    }
}
