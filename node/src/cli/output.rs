//! Facts on standard output: JSON for programs, text and tables for people.
//!
//! **Invariant:** one command prints one JSON document or one text, never both.

use super::CliError;
pub use crate::text::table;
use serde::Serialize;
use std::io::Write;

/// Where a command's facts go.
pub struct Output<'o> {
    to: &'o mut dyn Write,
    json: bool,
}

impl<'o> Output<'o> {
    /// Facts to `to`, as JSON or as text.
    pub fn new(to: &'o mut dyn Write, json: bool) -> Self {
        Self { to, json }
    }

    /// Whether facts are printed as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints facts: `value` as JSON, or the text.
    pub fn facts<T: Serialize>(
        &mut self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        let text = if self.json {
            serde_json::to_string_pretty(value)
                .map_err(|error| CliError::Output(std::io::Error::other(error)))?
        } else {
            text()
        };
        self.raw(text.trim_end())
    }

    /// Prints text as it is, with a line end.
    pub fn raw(&mut self, text: &str) -> Result<(), CliError> {
        writeln!(self.to, "{text}").and_then(|()| self.to.flush()).map_err(CliError::Output)
    }
}
