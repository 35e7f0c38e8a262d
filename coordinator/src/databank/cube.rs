//! One table over all its periods: what a reader selects from.
//!
//! **Invariant:** a cell of a cube is a cell of one presentation, or nothing; looking up never adds.

use super::Measure;
use crate::present::{Figure, Presentation, PresentedCategory, PresentedTable, Symbol, TableKind};
use crate::publish::Fixed;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::labels::{Labels, Language};
use fellestall_shared::period::Period;
use std::sync::Arc;

/// The code of the region dimension; clients look for this spelling.
pub const REGION: &str = "Region";
/// The code of the contents dimension.
pub const CONTENTS: &str = "ContentsCode";
/// The code of the time dimension.
pub const TIME: &str = "Tid";

/// What a dimension is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Regions.
    Region,
    /// Categories of the statistic.
    Category,
    /// The figure and the measures of its uncertainty.
    Contents,
    /// Periods, ascending.
    Time,
}

/// One dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// The code.
    pub code: String,
    /// The label.
    pub label: Labels,
    /// What it is about.
    pub role: Role,
    /// The values.
    pub values: Vec<PresentedCategory>,
    /// The value that stands for all of them, if a reader may leave the dimension out.
    pub elimination: Option<usize>,
}

impl Dimension {
    /// The position of a code, without regard to case.
    #[must_use]
    pub fn position(&self, code: &str) -> Option<usize> {
        self.values.iter().position(|value| value.code.eq_ignore_ascii_case(code))
    }
}

/// One period of a table.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The presentation that it lies in.
    pub presentation: Arc<Presentation>,
    /// The table's place in it.
    table: usize,
    /// For each dimension of the table but contents and time, and each value of the cube: the
    /// position in the presented table.
    places: Vec<Vec<Option<usize>>>,
}

impl Slice {
    /// The presented table.
    #[must_use]
    pub fn table(&self) -> Option<&PresentedTable> {
        self.presentation.tables.get(self.table)
    }
}

/// One cell as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The number, unless there is none.
    pub value: Option<Fixed>,
    /// The mark, if there is one.
    pub symbol: Option<Symbol>,
}

const MISSING: Cell = Cell { value: None, symbol: Some(Symbol::Missing) };

/// A table over all its periods.
#[derive(Debug, Clone)]
pub struct Cube {
    /// The id.
    pub id: String,
    /// What it shows.
    pub kind: TableKind,
    /// The title.
    pub title: Labels,
    /// What is counted.
    pub description: Labels,
    /// What one figure is.
    pub figure: Figure,
    /// Region, the statistic's own, contents, time: in this order.
    pub dimensions: Vec<Dimension>,
    /// The periods, ascending, as in the time dimension.
    pub slices: Vec<Slice>,
    /// When the newest of them was published.
    pub updated: Timestamp,
}

impl Cube {
    /// A cube of the table `id` in these presentations, one for each period; `None` if none has it.
    #[must_use]
    pub fn new(id: &str, mut presentations: Vec<Arc<Presentation>>) -> Option<Self> {
        presentations.sort_by_key(|presentation| presentation.period.last_day());
        let found: Vec<(Arc<Presentation>, usize)> = presentations
            .into_iter()
            .filter_map(|presentation| {
                let mut tables = presentation.tables.iter();
                let place = tables.position(|table| table.id.eq_ignore_ascii_case(id))?;
                Some((presentation, place))
            })
            .collect();
        let (newest, place) = found.last()?;
        let latest = newest.tables.get(*place)?;
        let tables =
            || found.iter().filter_map(|(presentation, place)| presentation.tables.get(*place));
        let mut dimensions = vec![regions(tables())];
        for dimension in &latest.dimensions {
            dimensions.push(Dimension {
                code: dimension.code.clone(),
                label: dimension.label.clone(),
                role: Role::Category,
                values: dimension.categories.clone(),
                elimination: dimension.has_total.then_some(0),
            });
        }
        let own = dimensions.len();
        dimensions.push(contents(&latest.figure));
        dimensions.push(time(found.iter().map(|(presentation, _)| presentation.period)));
        let updated = found.iter().map(|(presentation, _)| presentation.published).max()?;
        let (id, kind) = (latest.id.clone(), latest.kind);
        let (title, description) = (latest.title.clone(), latest.description.clone());
        let figure = latest.figure.clone();
        let slices = found
            .iter()
            .filter_map(|(presentation, place)| {
                let table = presentation.tables.get(*place)?;
                let places = places(dimensions.get(..own)?, table);
                Some(Slice { presentation: Arc::clone(presentation), table: *place, places })
            })
            .collect();
        Some(Self { id, kind, title, description, figure, dimensions, slices, updated })
    }

    /// The labels of a presented table's dimensions: region, its own, contents, time.
    #[must_use]
    pub fn variables(table: &PresentedTable) -> Vec<Labels> {
        let own = table.dimensions.iter().map(|dimension| dimension.label.clone());
        let first = regions(std::iter::once(table)).label;
        let last = [contents(&table.figure).label, time(std::iter::empty()).label];
        std::iter::once(first).chain(own).chain(last).collect()
    }

    /// The position of a dimension by its code, without regard to case.
    #[must_use]
    pub fn dimension(&self, code: &str) -> Option<usize> {
        self.dimensions.iter().position(|dimension| dimension.code.eq_ignore_ascii_case(code))
    }

    /// The cell at one position in each dimension; missing outside the cube.
    #[must_use]
    pub fn cell(&self, at: &[usize]) -> Cell {
        self.find(at).unwrap_or(MISSING)
    }

    fn find(&self, at: &[usize]) -> Option<Cell> {
        let (time, rest) = at.split_last()?;
        let (measure, own) = rest.split_last()?;
        let slice = self.slices.get(*time)?;
        let table = slice.table()?;
        let mut place = 0_usize;
        let sizes = std::iter::once(table.regions.len())
            .chain(table.dimensions.iter().map(|dimension| dimension.categories.len()));
        for ((position, places), size) in own.iter().zip(&slice.places).zip(sizes) {
            place = place * size + (*places.get(*position)?)?;
        }
        let cells = &table.cells;
        let symbol = cells.symbols.get(place).copied().flatten();
        let number = |column: &[Option<Fixed>]| column.get(place).copied().flatten();
        let count = |column: &[Option<u32>]| {
            column.get(place).copied().flatten().map(i64::from).and_then(Fixed::whole)
        };
        let measure = Measure::ALL.get(*measure).copied()?;
        let value = match measure {
            Measure::Shown => number(&cells.shown),
            Measure::Lower => number(&cells.lower95),
            Measure::Upper => number(&cells.upper95),
            Measure::Deviation => number(&cells.deviation),
            Measure::Raw => number(&cells.raw),
            Measure::Municipalities => count(&cells.municipalities),
            Measure::Asked => count(&cells.asked),
        };
        // A mark is about the presented figure and its interval; what has a number of its own
        // keeps it.
        let is_shown = matches!(measure, Measure::Shown | Measure::Lower | Measure::Upper);
        let symbol = if is_shown || value.is_none() { symbol } else { None };
        let symbol = if value.is_none() { symbol.or(Some(Symbol::Missing)) } else { symbol };
        Some(Cell { value, symbol })
    }
}

/// Every region of any period: the country, counties and municipalities in the order of their codes.
fn regions<'t>(tables: impl Iterator<Item = &'t PresentedTable>) -> Dimension {
    let mut values: Vec<PresentedCategory> = Vec::new();
    // Later periods go first in naming a region.
    for table in tables.collect::<Vec<_>>().into_iter().rev() {
        for region in &table.regions {
            if !values.iter().any(|known| known.code == region.code) {
                values.push(region.clone());
            }
        }
    }
    values.sort_by(|a, b| a.code.cmp(&b.code));
    let elimination = values.iter().position(|value| value.code == crate::present::COUNTRY);
    Dimension {
        code: REGION.to_owned(),
        label: Labels { nb: "region".into(), nn: "region".into(), en: "region".into() },
        role: Role::Region,
        values,
        elimination,
    }
}

fn contents(figure: &Figure) -> Dimension {
    let value = |measure: &Measure| PresentedCategory {
        code: measure.code(figure),
        label: measure.label(figure),
    };
    Dimension {
        code: CONTENTS.to_owned(),
        label: Labels {
            nb: "statistikkvariabel".into(),
            nn: "statistikkvariabel".into(),
            en: "contents".into(),
        },
        role: Role::Contents,
        values: Measure::ALL.iter().map(value).collect(),
        elimination: None,
    }
}

fn time(periods: impl Iterator<Item = Period>) -> Dimension {
    let value = |period: Period| {
        let text = period.to_string();
        PresentedCategory {
            code: text.clone(),
            label: Labels { nb: text.clone(), nn: text.clone(), en: text },
        }
    };
    Dimension {
        code: TIME.to_owned(),
        label: Labels { nb: "periode".into(), nn: "periode".into(), en: "period".into() },
        role: Role::Time,
        values: periods.map(value).collect(),
        elimination: None,
    }
}

fn places(own: &[Dimension], table: &PresentedTable) -> Vec<Vec<Option<usize>>> {
    let presented = std::iter::once(&table.regions)
        .chain(table.dimensions.iter().map(|dimension| &dimension.categories));
    own.iter()
        .zip(presented)
        .map(|(dimension, presented)| {
            let place = |value: &PresentedCategory| {
                presented.iter().position(|category| category.code == value.code)
            };
            dimension.values.iter().map(place).collect()
        })
        .collect()
}

/// What a reader took of one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// These values, in this order.
    Values(Vec<usize>),
    /// The dimension is left out: its total stands for it.
    Eliminated,
}

/// A part of a cube, to be written in some format.
#[derive(Debug, Clone)]
pub struct Extract {
    /// The cube.
    pub cube: Arc<Cube>,
    /// The language of labels.
    pub language: Language,
    /// The dimensions that are shown, with the chosen values; in the cube's order.
    pub shown: Vec<(usize, Vec<usize>)>,
    /// Of these, the codes that a table has in its heading; all others are in its stub.
    pub heading: Vec<usize>,
    /// A position in each dimension, right for those that are not shown.
    base: Vec<usize>,
}

impl Extract {
    /// A part of a cube, with one choice for each dimension; `None` if a dimension without a total
    /// is left out, or a choice is outside the cube.
    #[must_use]
    pub fn new(cube: Arc<Cube>, language: Language, choices: Vec<Choice>) -> Option<Self> {
        if choices.len() != cube.dimensions.len() {
            return None;
        }
        let (mut shown, mut base) = (Vec::new(), Vec::new());
        for (place, (choice, dimension)) in choices.into_iter().zip(&cube.dimensions).enumerate() {
            match choice {
                Choice::Values(values) => {
                    if values.iter().any(|value| *value >= dimension.values.len()) {
                        return None;
                    }
                    base.push(0);
                    shown.push((place, values));
                }
                Choice::Eliminated => base.push(dimension.elimination?),
            }
        }
        let last = cube.dimensions.len().saturating_sub(2);
        let heading =
            shown.iter().map(|(place, _)| *place).filter(|place| *place >= last).collect();
        Some(Self { cube, language, shown, heading, base })
    }

    /// The dimensions that are shown, each with its chosen values.
    pub fn dimensions(&self) -> impl Iterator<Item = (&Dimension, Vec<&PresentedCategory>)> {
        self.shown.iter().filter_map(|(place, values)| {
            let dimension = self.cube.dimensions.get(*place)?;
            let values = values.iter().filter_map(|value| dimension.values.get(*value)).collect();
            Some((dimension, values))
        })
    }

    /// The number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shown.iter().fold(1, |cells, (_, values)| cells.saturating_mul(values.len()))
    }

    /// Whether it has no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell with this number, row-major over the shown dimensions.
    #[must_use]
    pub fn cell(&self, number: usize) -> Cell {
        let mut at = self.base.clone();
        let mut rest = number;
        for (place, values) in self.shown.iter().rev() {
            let size = values.len().max(1);
            if let (Some(slot), Some(value)) = (at.get_mut(*place), values.get(rest % size)) {
                *slot = *value;
            }
            rest /= size;
        }
        self.cube.cell(&at)
    }

    /// All cells, row-major over the shown dimensions.
    pub fn cells(&self) -> impl Iterator<Item = Cell> {
        (0..self.len()).map(|number| self.cell(number))
    }
}
