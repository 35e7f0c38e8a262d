//! A presentation as a document: what readers are shown of one publication, and why.
//!
//! A presentation is made once, when its publication is, and stored beside it: a later policy or a
//! later program never changes what a version showed.
//!
//! **Invariant:** everything here follows from the publication and the policy; whatever a reader can
//! select is a cell here, with its own noise, so that nobody ever has to add noisy cells.

use super::Policy;
use crate::publish::Fixed;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{RoundId, StatisticId, StudyId};
use fellestall_shared::labels::Labels;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::{Delta, Rho};
use serde::{Deserialize, Serialize};

mod noise;
pub use noise::{NoisePart, SharedNoise, TableNoise, Whose};

/// The format's name and version.
pub const FORMAT: &str = "fellestall/presentation/1";
/// The region code of the whole country.
pub const COUNTRY: &str = "0";
/// The category code of an explicit total.
pub const TOTAL: &str = "total";

/// What is shown of one publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presentation {
    /// Always [`FORMAT`].
    pub format: String,
    /// The round.
    pub round: RoundId,
    /// The version of the publication.
    pub version: u32,
    /// The digest of the publication's document.
    pub publication: Digest,
    /// The period.
    pub period: Period,
    /// When it was published.
    pub published: Timestamp,
    /// The study.
    pub study: StudyId,
    /// The study's version.
    pub study_version: u32,
    /// The study's title.
    pub study_title: Labels,
    /// What a reader has to know about every figure: the mandatory note.
    pub about: Labels,
    /// Whether a further version may come: nodes are missing, and late releases are taken.
    pub provisional: bool,
    /// Municipalities that were asked.
    pub asked: u32,
    /// Municipalities in the figures.
    pub reported: u32,
    /// The privacy loss of one participant by this round, over all tables.
    pub privacy: Privacy,
    /// The rule by which figures are shown.
    pub policy: Policy,
    /// The tables, in the order of the study, each followed by those derived from it.
    pub tables: Vec<PresentedTable>,
    /// What the rule decided, and on which released value.
    pub decisions: Vec<Decision>,
}

/// The privacy loss of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// The unit of privacy, in words.
    pub unit: String,
    /// Zero-concentrated loss of one participant's rows in one municipality, in millionths of rho.
    pub rho_micro: Rho,
    /// The delta of every epsilon here: ten to the minus this.
    pub delta_exponent: Delta,
    /// Epsilon of `rho_micro` at delta, rounded up.
    pub epsilon: Fixed,
    /// The number of municipalities that may hold rows of one person.
    pub municipalities_per_person: u32,
    /// Epsilon of a person in that many municipalities, rounded up.
    pub person_epsilon: Fixed,
}

/// What a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// Counts over a public domain.
    Counts,
    /// Ratios of sums of counts.
    Rates,
    /// A survival curve.
    Survival,
    /// Means per participant.
    Means,
}

/// One table for one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentedTable {
    /// The table's id, as `core-S2` or `core-S2-retention`; the same in every round of a study whose
    /// definition is the same.
    pub id: String,
    /// What it shows.
    pub kind: TableKind,
    /// The statistic that it is, or follows from.
    pub statistic: StatisticId,
    /// The version of the statistic's definition.
    pub definition: u32,
    /// The title.
    pub title: Labels,
    /// What is counted.
    pub description: Labels,
    /// What one figure is.
    pub figure: Figure,
    /// The regions: [`COUNTRY`] first, then counties and municipalities where they are published.
    pub regions: Vec<PresentedCategory>,
    /// The other dimensions, slowest first.
    pub dimensions: Vec<PresentedDimension>,
    /// The mechanism behind the figures.
    pub noise: TableNoise,
    /// The figures, row-major over regions and then dimensions.
    pub cells: PresentedCells,
}

/// What one figure is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The code, as `Deltakere`; measures of its uncertainty append to it.
    pub code: String,
    /// What it is, as "Participants".
    pub label: Labels,
    /// What it is counted in, as "persons".
    pub unit: Labels,
    /// Decimals that are shown.
    pub decimals: u8,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentedCategory {
    /// The code.
    pub code: String,
    /// The label.
    pub label: Labels,
}

/// A dimension; if its categories add up to something, the total is one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentedDimension {
    /// The code, as `housing_situation`.
    pub code: String,
    /// The label.
    pub label: Labels,
    /// The categories; the total, if there is one, first.
    pub categories: Vec<PresentedCategory>,
    /// Whether the first category is the total. Without one, a reader has to choose.
    pub has_total: bool,
}

/// Why a cell holds no figure, or holds one with a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Symbol {
    /// Hidden by the presentation rule.
    #[serde(rename = ":")]
    Suppressed,
    /// Not reported.
    #[serde(rename = "..")]
    Missing,
    /// Cannot exist.
    #[serde(rename = ".")]
    NotApplicable,
    /// A figure that a later version may change.
    #[serde(rename = "*")]
    Provisional,
}

impl Symbol {
    /// As it is written in tables and in JSON-stat.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Suppressed => ":",
            Self::Missing => "..",
            Self::NotApplicable => ".",
            Self::Provisional => "*",
        }
    }
}

/// The figures of a table, column by column; all of one length.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentedCells {
    /// The presentable value: not negative, and adding up.
    pub shown: Vec<Option<Fixed>>,
    /// Lower end of the 95 % interval.
    pub lower95: Vec<Option<Fixed>>,
    /// Upper end of the 95 % interval.
    pub upper95: Vec<Option<Fixed>>,
    /// The standard deviation of the noise.
    pub deviation: Vec<Option<Fixed>>,
    /// The unbiased value; may be negative.
    pub raw: Vec<Option<Fixed>>,
    /// Municipalities in the figure.
    pub municipalities: Vec<Option<u32>>,
    /// Municipalities that were asked for it.
    pub asked: Vec<Option<u32>>,
    /// Marks.
    pub symbols: Vec<Option<Symbol>>,
}

impl PresentedCells {
    /// The number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

/// One decision of the presentation rule: a function of released values alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The table.
    pub table: String,
    /// The region.
    pub region: String,
    /// The category codes, one for each dimension; empty for the region as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// What was decided and why.
    pub reason: Reason,
    /// The released value that it was decided on; for too few municipalities their number. For a
    /// pooled municipality it is the total of its table, or its largest value in a table without one.
    pub on: Fixed,
}

/// Why a figure is not shown as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Suppressed: the released value is below the threshold.
    BelowThreshold,
    /// Suppressed: the noise is too large beside the value.
    TooUncertain,
    /// Suppressed: too few municipalities are in it.
    TooFewMunicipalities,
    /// The municipality is shown only within "other municipalities" of its county.
    Pooled,
}
