//! What the evidence pack says, before it is put into words: the same for pages and for machines.
//!
//! **Invariant:** nothing here follows from a record.

use super::{Cost, Noise};
use crate::forecast::{Mode, Promise, SharedForecast};
use crate::kernel::Withdrawal;
use crate::register::AtEnd;
use crate::retention::iso;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{
    MunicipalityNumber, NodeId, Purpose, ReleaseId, RoundId, StatisticId,
};
use fellestall_shared::labels::Labels;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Bound;
use fellestall_shared::wire::v1::{LegalBasis, Residence};
use serde::{Serialize, Serializer};
use time::Date;

/// Everything that the evidence pack says, before it is put into words.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    /// The day it is made.
    #[serde(serialize_with = "iso")]
    pub made_on: Date,
    /// The version of the program.
    pub program: &'static str,
    /// The municipality's number.
    pub municipality: MunicipalityNumber,
    /// Its name, if the number is in the snapshot.
    pub municipality_name: Option<&'static str>,
    /// The node; `None` before it is enrolled.
    pub node: Option<NodeId>,
    /// Where the coordinator answers.
    pub coordinator: Option<String>,
    /// The fingerprint of the key that signs what leaves.
    pub release_key: Digest,
    /// The delta at which epsilon is shown.
    pub delta: String,
    /// The purposes of the register.
    pub purposes: Vec<PurposeFacts>,
    /// Studies that are approved, or that something was released for.
    pub studies: Vec<StudyFacts>,
    /// The privacy budget.
    pub budget: BudgetFacts,
    /// Everything that left, oldest first.
    pub releases: Vec<ReleaseFacts>,
    /// The fields of what leaves.
    pub release_fields: Vec<&'static str>,
    /// The fields of the report that goes before it, if any study has shared tables.
    pub report_fields: Vec<&'static str>,
}

/// One purpose of the register.
#[derive(Debug, Clone, Serialize)]
pub struct PurposeFacts {
    /// The purpose.
    pub purpose: Purpose,
    /// What it is called.
    pub title: Labels,
    /// Who is responsible.
    pub controller: String,
    /// On what ground.
    pub legal_basis: LegalBasis,
    /// The reference of the assessment, if one is registered.
    pub assessment: Option<String>,
    /// The columns that may be read.
    pub fields: Vec<String>,
    /// The version of the information letter in use.
    pub information_letter: String,
    /// The versions of the consent form that are accepted.
    pub accepted_forms: Vec<String>,
    /// From when a withdrawal counts.
    pub withdrawal: Withdrawal,
    /// The first day of the project.
    #[serde(serialize_with = "iso")]
    pub starts: Date,
    /// The last day of the project.
    #[serde(serialize_with = "iso")]
    pub ends: Date,
    /// Whether the project has ended.
    pub ended: bool,
    /// What happens with the records then.
    pub at_end: AtEnd,
    /// The digests of attestations of a purge.
    pub purged: Vec<Digest>,
}

/// One study version, with what one round of it gives away.
#[derive(Debug, Clone, Serialize)]
pub struct StudyFacts {
    /// Its name and version, as `core.1`.
    pub study: String,
    /// The digest that was approved.
    pub digest: Digest,
    /// Its title.
    pub title: Labels,
    /// Its purpose.
    pub purpose: Purpose,
    /// Whether it is approved now.
    pub approved: bool,
    /// How many rounds of it were answered.
    pub rounds: usize,
    /// The fewest municipalities that a figure is published from.
    pub minimum_nodes: u32,
    /// Whether municipal figures may be published.
    pub municipal_figures: bool,
    /// In how many municipalities one person may be held.
    pub municipalities_per_person: u32,
    /// Where a person is counted whom several municipalities hold.
    pub residence: Residence,
    /// The columns that are read.
    pub fields: Vec<String>,
    /// The tables.
    pub tables: Vec<TableFacts>,
    /// What the shared tables rest on, if there are any.
    pub promise: Option<Promise>,
    /// The number of noisy counts in one round.
    pub cells: usize,
    /// What one round costs a participant in one municipality.
    pub cost: Cost,
    /// What one round costs a person whom so many municipalities hold.
    pub cost_several: Cost,
}

/// One table of a study.
#[derive(Debug, Clone, Serialize)]
pub struct TableFacts {
    /// Which statistic.
    pub statistic: StatisticId,
    /// The definition's version.
    pub definition: u32,
    /// Its title.
    pub title: Labels,
    /// What is counted.
    pub description: Labels,
    /// The dimensions.
    pub dimensions: Vec<DimensionFacts>,
    /// The number of cells.
    pub cells: usize,
    /// How much one participant can change it.
    pub bound: Bound,
    /// What it costs.
    pub cost: Cost,
    /// What the coordinator sees of it.
    pub mode: Mode,
    /// The node's own noise on each count; `None` if nobody sees the municipality's own figures.
    pub noise: Option<Noise>,
    /// What the noise that nodes share gives, if the table has that.
    pub shared: Option<SharedForecast>,
}

/// One dimension of a table.
#[derive(Debug, Clone, Serialize)]
pub struct DimensionFacts {
    /// What it is.
    pub label: Labels,
    /// Its categories, which are public and fixed.
    pub categories: Vec<Labels>,
}

/// The privacy budget and what is spent of it.
#[derive(Debug, Clone, Serialize)]
pub struct BudgetFacts {
    /// For all time.
    pub lifetime: AccountFacts,
    /// For each calendar year of which anything was released.
    pub years: Vec<AccountFacts>,
    /// For each study of which anything was released.
    pub studies: Vec<AccountFacts>,
}

/// One account of the budget.
#[derive(Debug, Clone, Serialize)]
pub struct AccountFacts {
    /// The year or the study; empty for the lifetime.
    pub of: String,
    /// What is allowed.
    pub cap: Cost,
    /// What is spent.
    pub spent: Cost,
    /// What is left, in rho.
    pub left: String,
}

/// One release.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseFacts {
    /// The place in the ledger, from 1.
    pub sequence: u64,
    /// The day it was made, by the audit log; `None` if the log does not say, for the ledger has no
    /// dates.
    #[serde(serialize_with = "maybe_iso")]
    pub made_on: Option<Date>,
    /// The question.
    pub release: ReleaseId,
    /// The round.
    pub round: RoundId,
    /// The period.
    pub period: Period,
    /// The number of tables.
    pub tables: usize,
    /// The number of noisy counts.
    pub cells: usize,
    /// The digest of the report beside it, which only a sum is seen of.
    pub report: Option<Digest>,
    /// What it cost.
    pub cost: Cost,
    /// What was spent in all after it.
    pub spent_after: Cost,
    /// The digest of what left.
    pub payload: Digest,
    /// The consent snapshot in it.
    pub consent_snapshot: Digest,
    /// The ledger's head after it.
    pub ledger_head: Digest,
    /// Whether the coordinator has it.
    pub sent: bool,
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes references"
)]
fn maybe_iso<S: Serializer>(day: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
    day.map(|day| day.to_string()).serialize(to)
}
