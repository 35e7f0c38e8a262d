//! Where each cell of an extract stands in a table: rows by the stub, columns by the heading.
//!
//! **Invariant:** every cell of the extract stands in exactly one place.

use super::Shown;
use crate::databank::{Cell, Dimension, Extract, Measure, Role};
use crate::present::{PresentedCategory, Symbol};
use fellestall_shared::labels::Language;

/// One shown dimension.
pub(super) struct Axis<'a> {
    pub dimension: &'a Dimension,
    pub values: Vec<&'a PresentedCategory>,
    /// Cells from one value to the next.
    stride: usize,
}

/// The dimensions of an extract as rows and columns.
pub(super) struct Layout<'a> {
    extract: &'a Extract,
    pub stub: Vec<Axis<'a>>,
    pub heading: Vec<Axis<'a>>,
}

impl<'a> Layout<'a> {
    /// The layout that the extract asks for.
    pub fn new(extract: &'a Extract) -> Self {
        let heading = extract.heading.clone();
        Self::with(extract, &heading)
    }

    /// A layout with these dimensions of the cube in the heading, in this order, and all others in
    /// the stub.
    pub fn with(extract: &'a Extract, heading: &[usize]) -> Self {
        let mut stride = 1_usize;
        let mut axes: Vec<(usize, Axis<'a>)> = Vec::with_capacity(extract.shown.len());
        for (place, chosen) in extract.shown.iter().rev() {
            if let Some(dimension) = extract.cube.dimensions.get(*place) {
                let values =
                    chosen.iter().filter_map(|value| dimension.values.get(*value)).collect();
                axes.push((*place, Axis { dimension, values, stride }));
            }
            stride = stride.saturating_mul(chosen.len());
        }
        axes.reverse();
        let (mut columns, mut stub) = (Vec::new(), Vec::new());
        for (place, axis) in axes {
            match heading.iter().position(|wanted| *wanted == place) {
                Some(order) => columns.push((order, axis)),
                None => stub.push(axis),
            }
        }
        columns.sort_by_key(|(order, _)| *order);
        let heading = columns.into_iter().map(|(_, axis)| axis).collect();
        Self { extract, stub, heading }
    }

    /// A layout with the contents alone in the heading.
    pub fn by_contents(extract: &'a Extract) -> Self {
        let contents = |(place, _): &&(usize, Vec<usize>)| {
            let dimension = extract.cube.dimensions.get(*place);
            dimension.is_some_and(|dimension| dimension.role == Role::Contents)
        };
        let heading: Vec<usize> =
            extract.shown.iter().filter(contents).map(|(place, _)| *place).collect();
        Self::with(extract, &heading)
    }

    pub fn rows(&self) -> usize {
        size(&self.stub)
    }

    pub fn columns(&self) -> usize {
        size(&self.heading)
    }

    /// The values of a row, one for each dimension in the stub.
    pub fn row(&self, row: usize) -> Vec<&'a PresentedCategory> {
        values(&self.stub, row)
    }

    /// The values of a column, one for each dimension in the heading.
    pub fn column(&self, column: usize) -> Vec<&'a PresentedCategory> {
        values(&self.heading, column)
    }

    /// The cell in a row and a column.
    pub fn cell(&self, row: usize, column: usize) -> Cell {
        let number = offset(&self.stub, row).saturating_add(offset(&self.heading, column));
        self.extract.cell(number)
    }

    /// What a figure is, where nothing stands in the heading.
    pub fn figure(&self, language: Language) -> &'a str {
        self.extract.cube.figure.label.text(language)
    }

    /// Whether a later version may change any of the numbers.
    pub fn is_provisional(&self) -> bool {
        self.extract.cells().any(|cell| cell.symbol == Some(Symbol::Provisional))
    }

    /// The decimals that a cell is displayed with.
    pub fn decimals(&self, row: usize, column: usize) -> u8 {
        let figure = &self.extract.cube.figure;
        let value = contents(&self.heading, column).or_else(|| contents(&self.stub, row));
        let measure = value.and_then(|value| {
            Measure::ALL.into_iter().find(|measure| measure.code(figure) == value.code)
        });
        measure.map_or(figure.decimals, |measure| measure.decimals(figure))
    }
}

fn size(axes: &[Axis<'_>]) -> usize {
    axes.iter().fold(1, |size, axis| size.saturating_mul(axis.values.len()))
}

/// The position in each axis of the entry with this number, row-major.
fn positions(axes: &[Axis<'_>], number: usize) -> Vec<usize> {
    let mut rest = number;
    let mut positions: Vec<usize> = Vec::with_capacity(axes.len());
    for axis in axes.iter().rev() {
        let size = axis.values.len().max(1);
        positions.push(rest % size);
        rest /= size;
    }
    positions.reverse();
    positions
}

fn values<'a>(axes: &[Axis<'a>], number: usize) -> Vec<&'a PresentedCategory> {
    let places = positions(axes, number);
    axes.iter().zip(places).filter_map(|(axis, place)| axis.values.get(place).copied()).collect()
}

fn offset(axes: &[Axis<'_>], number: usize) -> usize {
    let places = positions(axes, number);
    axes.iter().zip(places).map(|(axis, place)| axis.stride.saturating_mul(place)).sum()
}

fn contents<'a>(axes: &[Axis<'a>], number: usize) -> Option<&'a PresentedCategory> {
    let place = axes.iter().position(|axis| axis.dimension.role == Role::Contents)?;
    values(axes, number).get(place).copied()
}

/// What stands for a value.
pub(super) fn value_text(value: &PresentedCategory, shown: Shown, language: Language) -> String {
    text(&value.code, value.label.text(language), shown)
}

/// What stands for a dimension.
pub(super) fn dimension_text(dimension: &Dimension, shown: Shown, language: Language) -> String {
    text(&dimension.code, dimension.label.text(language), shown)
}

fn text(code: &str, label: &str, shown: Shown) -> String {
    match shown {
        Shown::Codes => code.to_owned(),
        Shown::Texts => label.to_owned(),
        Shown::Both => format!("{code} - {label}"),
    }
}
