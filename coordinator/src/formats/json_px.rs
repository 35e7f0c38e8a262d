//! The JSON of the first PxWeb interface: columns, comments, rows of keys and values, metadata.
//!
//! **Invariant:** values are texts, as they always were in this format: a number with a decimal
//! point, or a mark.

use super::facts::{link, note};
use super::layout::Layout;
use super::{Context, FormatError, title};
use crate::databank::{Cell, Extract, Role};
use crate::present::PresentedCategory;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

#[derive(Serialize)]
struct Document<'a> {
    columns: Vec<Column<'a>>,
    comments: [(); 0],
    data: Rows<'a>,
    metadata: [Metadata<'a>; 1],
}

#[derive(Serialize)]
struct Column<'a> {
    code: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Metadata<'a> {
    infofile: String,
    updated: String,
    label: String,
    source: &'a str,
}

#[derive(Serialize)]
struct Row<'a> {
    key: Vec<&'a str>,
    values: Vec<String>,
}

/// Rows that are made while they are written.
struct Rows<'a>(&'a Layout<'a>);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let layout = self.0;
        let mut rows = serializer.serialize_seq(Some(layout.rows()))?;
        for row in 0..layout.rows() {
            let key = layout.row(row).into_iter().map(|value| value.code.as_str()).collect();
            let values =
                (0..layout.columns()).map(|column| text(layout.cell(row, column))).collect();
            rows.serialize_element(&Row { key, values })?;
        }
        rows.end()
    }
}

fn text(cell: Cell) -> String {
    match (cell.value, cell.symbol) {
        (Some(number), _) => number.to_string(),
        (None, symbol) => symbol.map_or("", |symbol| symbol.text()).to_owned(),
    }
}

/// Writes an extract.
pub(super) fn write(extract: &Extract, context: &Context<'_>) -> Result<Vec<u8>, FormatError> {
    let layout = Layout::by_contents(extract);
    let language = extract.language;
    let about = note(extract, language);
    let mut columns: Vec<Column<'_>> = layout
        .stub
        .iter()
        .map(|axis| Column {
            code: &axis.dimension.code,
            text: axis.dimension.label.text(language),
            comment: None,
            kind: if axis.dimension.role == Role::Time { "t" } else { "d" },
        })
        .collect();
    let contents = layout.heading.iter().flat_map(|axis| axis.values.iter());
    columns.extend(contents.map(|value: &&PresentedCategory| Column {
        code: &value.code,
        text: value.label.text(language),
        comment: Some(&about),
        kind: "c",
    }));
    let document = Document {
        columns,
        comments: [],
        data: Rows(&layout),
        metadata: [Metadata {
            infofile: link(extract, context),
            updated: extract.cube.updated.to_string(),
            label: title(extract),
            source: &context.web.publisher,
        }],
    };
    serde_json::to_vec(&document).map_err(|error| FormatError::Writer(Box::new(error)))
}
