//! Facts, for people as text and tables, for programs as JSON.
//!
//! **Invariant:** standard output holds facts only; what the program does is said on standard error.

use super::CliError;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use std::io::Write;

/// Where facts go, and in which form.
pub struct Output<'a> {
    to: &'a mut (dyn Write + Send),
    json: bool,
}

impl<'a> Output<'a> {
    pub(super) fn new(to: &'a mut (dyn Write + Send), json: bool) -> Self {
        Self { to, json }
    }

    /// Writes facts: as JSON if asked for, otherwise as `text` says them.
    pub(super) fn facts<T: Serialize>(
        &mut self,
        facts: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        let line = if self.json {
            serde_json::to_string_pretty(facts).map_err(|error| CliError::Encoding(error.into()))?
        } else {
            text(facts)
        };
        self.text(&line)
    }

    /// Writes text and a line break.
    pub(super) fn text(&mut self, text: &str) -> Result<(), CliError> {
        writeln!(self.to, "{}", text.trim_end())?;
        self.to.flush()?;
        Ok(())
    }

    /// Writes a sentence for people, and nothing for programs.
    pub(super) fn note(&mut self, text: &str) -> Result<(), CliError> {
        if self.json { Ok(()) } else { self.text(text) }
    }

    /// The bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.to.write_all(bytes)?;
        self.to.flush()?;
        Ok(())
    }
}

/// A table for a terminal, or `none` if it has no rows.
pub(super) fn table<const N: usize>(
    heads: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    none: &str,
) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(heads);
    for row in rows {
        table.add_row(row);
    }
    if table.is_empty() { none.to_owned() } else { table.to_string() }
}
