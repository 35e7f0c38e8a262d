//! The half-yearly report for the network: what one period showed, and what changed since the one
//! before.
//!
//! **Invariant:** every figure is read from a stored presentation as it stands; only the difference of
//! two periods is worked out here, always with its own interval. A municipality is said to be in the
//! figures or not, never how large it is.

use crate::config::Web;
use crate::databank::DatabankError;
use crate::present::{Figure, Policy, Privacy, Symbol, TableKind};
use crate::publish::{CoverageState, Fixed};
use crate::store::StoreError;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::{MunicipalityNumber, RoundId, StudyId};
use fellestall_shared::labels::Labels;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::{Delta, Rho};

mod change;
mod gather;
mod number;
mod page;
mod picture;
mod sentences;
mod sheet;
mod view;
mod words;

pub use change::{Change, Measured, Verdict, change};
pub use gather::gather;
pub use page::html;
pub use sheet::xlsx;
pub use words::BadWords;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The databank.
    #[error(transparent)]
    Databank(#[from] DatabankError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing to report on.
    #[error("nothing is published for {period}; {}", known(.periods))]
    NothingPublished {
        /// The period asked for.
        period: Period,
        /// The periods that there are.
        periods: Vec<Period>,
    },
    /// A stored publication that this program cannot read.
    #[error(
        "the stored publication {round}.v{version} cannot be read; run the program that wrote it"
    )]
    Publication {
        /// The round.
        round: RoundId,
        /// The version.
        version: u32,
        /// What is wrong with it.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// The texts that the program was built with.
    #[error("the texts of the report cannot be read")]
    Words(#[from] &'static BadWords),
    /// The page.
    #[error("the report cannot be written as HTML")]
    Page(#[from] askama::Error),
    /// The workbook.
    #[error("the report cannot be written as a workbook")]
    Sheet(#[from] rust_xlsxwriter::XlsxError),
}

fn known(periods: &[Period]) -> String {
    if periods.is_empty() {
        return "nothing is published yet".to_owned();
    }
    let names: Vec<String> = periods.iter().map(ToString::to_string).collect();
    format!("there are figures for {}", names.join(", "))
}

/// Who publishes, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imprint {
    /// The name in citations.
    pub publisher: String,
    /// An address for questions.
    pub contact: Option<String>,
    /// The licence's name.
    pub licence: String,
    /// The address that readers use, without a slash at its end; without it there are no links.
    pub url: Option<String>,
}

impl Imprint {
    /// As the public service presents itself.
    #[must_use]
    pub fn of(web: &Web) -> Self {
        Self {
            publisher: web.publisher.clone(),
            contact: web.contact.clone(),
            licence: web.licence.clone(),
            url: web.url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        }
    }
}

/// The report on one period.
#[derive(Debug, Clone)]
pub struct Report {
    /// The period.
    pub period: Period,
    /// Who publishes.
    pub imprint: Imprint,
    /// When the newest of the figures was published.
    pub published: Timestamp,
    /// Every study with figures for the period, by id.
    pub studies: Vec<StudyReport>,
    /// What all rounds up to the end of the period have cost a participant.
    pub spent: Spent,
}

/// What all rounds, of all studies, have cost a participant in one municipality, at the most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spent {
    /// The number of rounds.
    pub rounds: usize,
    /// The sum of their losses.
    pub rho: Rho,
    /// Epsilon of the sum, rounded up.
    pub epsilon: f64,
    /// At this delta.
    pub delta: Delta,
}

/// One study's figures for the period.
#[derive(Debug, Clone)]
pub struct StudyReport {
    /// The study.
    pub study: StudyId,
    /// Its title.
    pub title: Labels,
    /// The mandatory note about every figure.
    pub about: Labels,
    /// The round.
    pub round: RoundId,
    /// The version of the publication.
    pub version: u32,
    /// When it was published.
    pub published: Timestamp,
    /// Whether a further version may come.
    pub provisional: bool,
    /// Every municipality that was asked, by number.
    pub coverage: Vec<Reporting>,
    /// What the round cost a participant.
    pub privacy: Privacy,
    /// The presentation rule that it was shown by.
    pub policy: Policy,
    /// Its tables, in their order.
    pub tables: Vec<TableReport>,
}

/// How one municipality stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporting {
    /// The municipality.
    pub number: MunicipalityNumber,
    /// Its name.
    pub name: String,
    /// In the figures, or why not.
    pub state: CoverageState,
}

/// One table over the whole country.
#[derive(Debug, Clone)]
pub struct TableReport {
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
    /// The labels of the dimensions, and whether the first category of each is a total.
    pub dimensions: Vec<(Labels, bool)>,
    /// The figures, row-major over the dimensions.
    pub rows: Vec<Row>,
    /// The period that they are compared with.
    pub before: Option<Before>,
}

/// The period before, as one table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The period.
    pub period: Period,
    /// Whether the table's definition is the same; otherwise nothing is compared.
    pub same_definition: bool,
    /// Municipalities that are in the figures now and were not then.
    pub joined: Vec<String>,
    /// Municipalities that were in the figures then and are not now.
    pub gone: Vec<String>,
}

impl Before {
    /// Whether the same municipalities are in the figures of both periods.
    #[must_use]
    pub fn same_municipalities(&self) -> bool {
        self.joined.is_empty() && self.gone.is_empty()
    }
}

/// One figure over the whole country.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The position in each dimension.
    pub at: Vec<usize>,
    /// The category codes.
    pub codes: Vec<String>,
    /// The category labels.
    pub labels: Vec<Labels>,
    /// The presentable value.
    pub shown: Option<Fixed>,
    /// Lower end of its 95 % interval.
    pub lower: Option<Fixed>,
    /// Upper end of its 95 % interval.
    pub upper: Option<Fixed>,
    /// The standard deviation of the noise.
    pub deviation: Option<Fixed>,
    /// The unbiased value.
    pub raw: Option<Fixed>,
    /// The mark.
    pub symbol: Option<Symbol>,
    /// What the figure is known to be, for comparing it with another.
    pub measured: Option<Measured>,
    /// The unbiased value in the period before.
    pub raw_before: Option<Fixed>,
    /// The change since the period before, if both figures are there.
    pub change: Option<Change>,
}

#[cfg(test)]
mod tests;
