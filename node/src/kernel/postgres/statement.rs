//! One statement, put together from named parts.
//!
//! **Invariant:** a part stands in a statement only if something after it reads it, so that a
//! statement reads no table, and names no column, that it does not need.

use std::fmt::Write;

/// The named parts of a statement, each after those that it reads.
#[derive(Default)]
pub(super) struct Parts(Vec<(&'static str, String)>);

impl Parts {
    /// Adds a part.
    pub(super) fn add(&mut self, name: &'static str, query: String) {
        self.0.push((name, query));
    }

    /// The statement that ends with `query`, with the parts that it reads.
    pub(super) fn statement(&self, query: &str) -> String {
        let mut used: Vec<&(&str, String)> = Vec::new();
        for part in self.0.iter().rev() {
            let is_read = reads(query, part.0) || used.iter().any(|later| reads(&later.1, part.0));
            if is_read {
                used.push(part);
            }
        }
        let mut statement = String::new();
        for (at, (name, query)) in used.iter().rev().enumerate() {
            let begin = if at == 0 { "with" } else { ",\n" };
            // Writing to a String does not fail.
            let _written = write!(statement, "{begin} {name} as (\n{query}\n)");
        }
        if !statement.is_empty() {
            statement.push('\n');
        }
        statement.push_str(query);
        statement
    }
}

/// Whether a query names a part, as a whole word.
fn reads(query: &str, part: &str) -> bool {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    query.match_indices(part).any(|(at, _)| {
        let before = query.get(..at).and_then(|text| text.chars().next_back());
        let after = query.get(at.saturating_add(part.len())..).and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}
