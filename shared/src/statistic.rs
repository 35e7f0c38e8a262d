//! The closed language of tables: what may be counted, over which public domain, under which
//! contribution bound.
//!
//! A statistic is data (a file of the catalogue). What a *unit* and a *variable* mean is code at
//! the node; there is no expression language, so a study cannot ask for anything that is not here.
//!
//! **Invariant:** the cells of a table are known before any record is read.

use crate::digest::Digest;
use crate::ids::StatisticId;
use crate::labels::Labels;
use crate::limits::{TABLE_CELLS, TABLE_DIMENSIONS, TEXT_CHARS};
use crate::privacy::Bound;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

mod variable;
pub use variable::{Category, Domain, Variable};

/// What one observation is about. A participant has one observation, or one for each of a few things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The participant: one observation.
    Participant,
    /// A dwelling that the participant lost.
    LostDwelling,
    /// A neighbour complaint in the window.
    Complaint,
    /// Contacts in the window: one observation for each category, weighing the number of contacts.
    Contact,
    /// 6, 12 and 24 months after the first move-in: three observations.
    Milestone,
    /// Drug and mental-health problems: two observations.
    Problem,
    /// Satisfaction with the dwelling and with the neighbourhood: two observations.
    SatisfactionItem,
}

/// Which days of the round's period a table looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The state on the last day of the period, and everything up to it.
    CensusDate,
    /// Events within the period.
    Period,
    /// Events within the last quarter of the period.
    LastQuarter,
}

/// One table of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistic {
    id: StatisticId,
    definition: u32,
    core: bool,
    unit: Unit,
    window: Window,
    bound: Bound,
    dimensions: Vec<Domain>,
    fields: BTreeSet<String>,
    title: Labels,
    description: Labels,
}

/// How a statistic is written in a file of the catalogue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatisticFile {
    id: StatisticId,
    definition: u32,
    core: bool,
    unit: Unit,
    window: Window,
    bound: Bound,
    dimensions: Vec<Variable>,
    fields: BTreeSet<String>,
    title: Labels,
    description: Labels,
}

/// A statistic that the language does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadStatistic {
    /// Too few or too many dimensions, or one of them twice.
    #[error("{id} needs 1 to {TABLE_DIMENSIONS} different dimensions")]
    Dimensions {
        /// Which statistic.
        id: StatisticId,
    },
    /// More cells than a table may have.
    #[error("{id} has more than {TABLE_CELLS} cells")]
    Cells {
        /// Which statistic.
        id: StatisticId,
    },
    /// A variable that says nothing about the unit.
    #[error("{id} counts {unit:?}, which has no {variable:?}")]
    Variable {
        /// Which statistic.
        id: StatisticId,
        /// What it counts.
        unit: Unit,
        /// The variable that the unit does not have.
        variable: Variable,
    },
    /// A variable without a domain in the catalogue.
    #[error("{id} uses {variable:?}, which has no domain")]
    Domain {
        /// Which statistic.
        id: StatisticId,
        /// The variable.
        variable: Variable,
    },
    /// A bound that the table cannot have.
    #[error("{id} bounds more cells than the table has")]
    Bound {
        /// Which statistic.
        id: StatisticId,
    },
    /// A label that is empty or too long.
    #[error("{id} needs a title and a description in nb, nn and en")]
    Labels {
        /// Which statistic.
        id: StatisticId,
    },
    /// A definition version or field list that is empty.
    #[error("{id} needs a definition version from 1 and the fields it reads")]
    Definition {
        /// Which statistic.
        id: StatisticId,
    },
}

impl Statistic {
    pub(crate) fn new(file: StatisticFile, domains: &[Domain]) -> Result<Self, BadStatistic> {
        let id = file.id;
        let distinct: BTreeSet<_> = file.dimensions.iter().collect();
        if !(1..=TABLE_DIMENSIONS).contains(&file.dimensions.len())
            || distinct.len() != file.dimensions.len()
        {
            return Err(BadStatistic::Dimensions { id });
        }
        let mut dimensions = Vec::with_capacity(file.dimensions.len());
        for variable in file.dimensions {
            if !variable.describes(file.unit) {
                return Err(BadStatistic::Variable { id, unit: file.unit, variable });
            }
            let domain = domains.iter().find(|domain| domain.variable() == variable);
            let Some(domain) = domain else {
                return Err(BadStatistic::Domain { id, variable });
            };
            dimensions.push(domain.clone());
        }
        let cells = dimensions
            .iter()
            .try_fold(1_usize, |cells, domain| cells.checked_mul(domain.categories().len()))
            .filter(|cells| *cells <= TABLE_CELLS);
        let Some(cells) = cells else {
            return Err(BadStatistic::Cells { id });
        };
        if usize::try_from(file.bound.cells()).map_or(true, |bound| bound > cells) {
            return Err(BadStatistic::Bound { id });
        }
        if !file.title.are_within(TEXT_CHARS) || !file.description.are_within(4 * TEXT_CHARS) {
            return Err(BadStatistic::Labels { id });
        }
        if file.definition == 0 || file.fields.is_empty() {
            return Err(BadStatistic::Definition { id });
        }
        Ok(Self {
            id,
            definition: file.definition,
            core: file.core,
            unit: file.unit,
            window: file.window,
            bound: file.bound,
            dimensions,
            fields: file.fields,
            title: file.title,
            description: file.description,
        })
    }

    /// The identifier in the catalogue.
    #[must_use]
    pub fn id(&self) -> &StatisticId {
        &self.id
    }

    /// The version of the definition; figures of different versions are never merged.
    #[must_use]
    pub fn definition(&self) -> u32 {
        self.definition
    }

    /// Whether it belongs to the half-yearly core set.
    #[must_use]
    pub fn is_core(&self) -> bool {
        self.core
    }

    /// What one observation is about.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Which days it looks at.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window
    }

    /// How much one participant can change it.
    #[must_use]
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// The dimensions, slowest first: cells are numbered in row-major order.
    #[must_use]
    pub fn dimensions(&self) -> &[Domain] {
        &self.dimensions
    }

    /// The columns of the local records that it reads, as `tenancy.moved_in`.
    #[must_use]
    pub fn fields(&self) -> &BTreeSet<String> {
        &self.fields
    }

    /// The title in three languages.
    #[must_use]
    pub fn title(&self) -> &Labels {
        &self.title
    }

    /// What is counted, with its edge cases, in three languages.
    #[must_use]
    pub fn description(&self) -> &Labels {
        &self.description
    }

    /// The number of cells: the product of the domains' sizes.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.dimensions.iter().map(|domain| domain.categories().len()).product()
    }

    /// The cell at the given category positions (one for each dimension); `None` outside the domain.
    #[must_use]
    pub fn cell(&self, positions: &[usize]) -> Option<usize> {
        if positions.len() != self.dimensions.len() {
            return None;
        }
        self.dimensions.iter().zip(positions).try_fold(0_usize, |cell, (domain, position)| {
            let size = domain.categories().len();
            if *position < size { Some(cell * size + position) } else { None }
        })
    }

    /// The categories of a cell, one for each dimension; `None` outside the table.
    #[must_use]
    pub fn categories_of(&self, cell: usize) -> Option<Vec<&Category>> {
        let mut rest = cell;
        let mut categories = Vec::with_capacity(self.dimensions.len());
        for domain in self.dimensions.iter().rev() {
            let size = domain.categories().len();
            categories.push(domain.categories().get(rest.checked_rem(size)?)?);
            rest = rest.checked_div(size)?;
        }
        categories.reverse();
        if rest == 0 { Some(categories) } else { None }
    }

    /// A digest of everything that decides which number stands in which cell: id, definition version,
    /// unit, window, bound, dimensions and codes. Labels do not count.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let dimensions: Vec<_> = self
            .dimensions
            .iter()
            .map(|domain| {
                let codes: Vec<_> = domain.categories().iter().map(Category::code).collect();
                (domain.variable(), codes)
            })
            .collect();
        let canonical = serde_json::json!([
            self.id,
            self.definition,
            self.unit,
            self.window,
            self.bound,
            dimensions,
            self.fields
        ]);
        Digest::of("fellestall/statistic/1", canonical.to_string().as_bytes())
    }
}
