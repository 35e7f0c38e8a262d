//! What a reader chose of a table on its page.
//!
//! **Invariant:** what is not in the table is not chosen, and every dimension has a choice; a cell
//! of a selection is a cell of the table.

use super::difference::measured;
use crate::databank::{CONTENTS, Cell, Cube, Dimension, Measure, Role};
use crate::present::TableKind;
use fellestall_shared::labels::Language;
use std::fmt::Write;
use std::sync::Arc;

/// Fields of a form, in the order of its address.
pub(crate) type Fields = [(String, String)];

/// A selection.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// The table.
    pub cube: Arc<Cube>,
    /// The language of labels.
    pub language: Language,
    /// The chosen values of every dimension, ascending; the contents dimension has its first.
    pub chosen: Vec<Vec<usize>>,
}

impl Selection {
    /// What the fields choose; a dimension that none of them names has its default.
    pub(crate) fn read(cube: Arc<Cube>, language: Language, fields: &Fields) -> Self {
        let has_own = cube.dimensions.iter().any(|dimension| dimension.role == Role::Category);
        let mut first = true;
        let mut chosen = Vec::with_capacity(cube.dimensions.len());
        for dimension in &cube.dimensions {
            if dimension.role == Role::Contents {
                chosen.push(vec![0]);
                continue;
            }
            let mut values: Vec<usize> = fields
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(&dimension.code))
                .filter_map(|(_, code)| dimension.position(code))
                .collect();
            values.sort_unstable();
            values.dedup();
            if values.is_empty() {
                values = default(cube.kind, dimension, first, has_own);
            }
            if dimension.role == Role::Category {
                first = false;
            }
            chosen.push(values);
        }
        Self { cube, language, chosen }
    }

    /// The number of figures.
    pub(crate) fn len(&self) -> usize {
        self.chosen.iter().fold(1, |cells, values| cells.saturating_mul(values.len()))
    }

    /// The positions of the figure with this number, row-major.
    pub(crate) fn at(&self, number: usize) -> Vec<usize> {
        let mut at = vec![0; self.chosen.len()];
        let mut rest = number;
        for (slot, values) in at.iter_mut().zip(&self.chosen).rev() {
            let size = values.len().max(1);
            *slot = values.get(rest % size).copied().unwrap_or_default();
            rest /= size;
        }
        at
    }

    /// One measure of the figure at these positions.
    pub(crate) fn cell(&self, at: &[usize], measure: Measure) -> Cell {
        self.cube.cell(&measured(at, measure))
    }

    /// The dimensions that readers choose from, with their places.
    pub(crate) fn dimensions(&self) -> impl Iterator<Item = (usize, &Dimension, &[usize])> {
        let all = self.cube.dimensions.iter().zip(&self.chosen).enumerate();
        all.filter(|(_, (dimension, _))| dimension.role != Role::Contents)
            .map(|(place, (dimension, values))| (place, dimension, values.as_slice()))
    }

    /// The label of a value.
    pub(crate) fn label(&self, dimension: usize, value: usize) -> &str {
        let dimension = self.cube.dimensions.get(dimension);
        let value = dimension.and_then(|dimension| dimension.values.get(value));
        value.map_or("", |value| value.label.text(self.language))
    }

    /// The address of this selection in the databank's interface, in some format. All measures are
    /// named, and everything but the measures stands at the side: one figure a line.
    pub(crate) fn address(&self, url: &str, lang: &str, format: &str) -> String {
        let mut out = format!("{url}/api/v2/tables/{}/data?lang={lang}", escaped(&self.cube.id));
        let mut stub = Vec::new();
        for (dimension, values) in self.cube.dimensions.iter().zip(&self.chosen) {
            let code = escaped(&dimension.code);
            if dimension.role == Role::Contents {
                let _infallible = write!(out, "&valueCodes[{CONTENTS}]=*");
                continue;
            }
            let codes: Vec<String> = values
                .iter()
                .filter_map(|value| dimension.values.get(*value))
                .map(|value| escaped(&value.code))
                .collect();
            let _infallible = write!(out, "&valueCodes[{code}]={}", codes.join(","));
            stub.push(code);
        }
        let _infallible =
            write!(out, "&stub={}&heading={CONTENTS}&outputFormat={format}", stub.join(","));
        out
    }

    /// The fields of this selection, as a form sends them.
    pub(crate) fn query(&self) -> String {
        let mut out = String::new();
        for (_, dimension, values) in self.dimensions() {
            for value in values.iter().filter_map(|value| dimension.values.get(*value)) {
                let join = if out.is_empty() { "" } else { "&" };
                let (name, code) = (escaped(&dimension.code), escaped(&value.code));
                let _infallible = write!(out, "{join}{name}={code}");
            }
        }
        out
    }
}

/// What is shown before anybody chooses: the country, the latest period, and the categories of the
/// first dimension; of further ones the total, where there is one.
fn default(kind: TableKind, dimension: &Dimension, is_first: bool, has_own: bool) -> Vec<usize> {
    let last = dimension.values.len().saturating_sub(1);
    match (dimension.role, dimension.elimination) {
        (Role::Time, _) if has_own => vec![last],
        (Role::Region, Some(total)) => vec![total],
        (Role::Region, None) => vec![0],
        (Role::Category, Some(total)) if !is_first && kind == TableKind::Counts => vec![total],
        _ => (0..dimension.values.len()).collect(),
    }
}

/// A code as it stands in an address.
pub(crate) fn escaped(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    for byte in code.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}
