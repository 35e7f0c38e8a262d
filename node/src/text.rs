//! Tables for people.
//!
//! **Invariant:** readable on a terminal and in a pipe, with or without colours.

use comfy_table::{ContentArrangement, Table, TableComponent, presets};

/// The width of a table that no terminal limits.
const WIDTH: u16 = 110;

/// A table with a rule under its head and none between rows.
#[must_use]
pub fn table<'h>(head: impl IntoIterator<Item = &'h str>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.remove_style(TableComponent::HorizontalLines);
    table.remove_style(TableComponent::MiddleIntersections);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(WIDTH);
    }
    table.set_header(head.into_iter().collect::<Vec<_>>());
    table
}
