//! The publication as a document: figures, rates, a survival curve, coverage and the certificate.
//!
//! The file is one JSON object with a seal: an Ed25519 signature of the coordinator over the digest
//! of the publication. A *bundle* also holds the signed releases, and is what auditors recompute
//! the figures from.
//!
//! **Invariant:** one publication has one sequence of bytes: fields in the order of these types,
//! integers as integers, other numbers with at most six decimals.

use super::number::Fixed;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, RoundId, StatisticId, StudyId};
use fellestall_shared::labels::Labels;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::{Delta, Rho};
use fellestall_shared::signed::{Document, Envelope, VerifyingKey};
use fellestall_shared::statistic::Variable;
use fellestall_shared::wire::v1::{RefusalReason, Rejection, Residence};
use serde::{Deserialize, Serialize};

mod shared;
pub use shared::{
    BatchCertificate, Combined, Mode, PublishedShared, SharedCertificate, TableCertificate,
};

/// The format's name and version.
pub const FORMAT: &str = "fellestall/publication/1";

/// A publication as it is stored and downloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicationFile {
    /// Always [`FORMAT`].
    pub format: String,
    /// What is published.
    pub publication: Publication,
    /// The coordinator's signature over the publication's digest.
    pub seal: Envelope,
    /// The signed releases: in a bundle, and in every file of a study that publishes municipal
    /// figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<Envelope>,
}

/// What the coordinator signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The round.
    pub round: RoundId,
    /// The version.
    pub version: u32,
    /// The digest of the publication as compact JSON.
    pub publication: Digest,
}

impl Document for Seal {
    const KIND: &'static str = "publication/1";
}

/// One immutable version of what a round found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The round.
    pub round: RoundId,
    /// The version, from 1.
    pub version: u32,
    /// When it was published, in seconds since 1970.
    pub published: Timestamp,
    /// The period.
    pub period: Period,
    /// The study's title.
    pub title: Labels,
    /// What a reader has to know about every figure.
    pub about: Labels,
    /// Who is in the figures and who is not.
    pub coverage: Coverage,
    /// The tables, in the order of the study.
    pub tables: Vec<PublishedTable>,
    /// The rates that follow from the tables.
    pub rates: Vec<PublishedRate>,
    /// The survival curve, if the study has its table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survival: Option<PublishedSurvival>,
    /// Each municipality's noisy tables, where the study publishes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub municipal: Vec<MunicipalFigures>,
    /// What anyone needs to check the figures and the promise made to participants.
    pub certificate: Certificate,
}

/// Who is in the figures and who is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Nodes that were asked.
    pub asked: usize,
    /// Nodes in the figures.
    pub reported: usize,
    /// Of these, nodes whose release came after the round had closed.
    pub late: usize,
    /// Nodes that approved and are not in the figures: they sent nothing, or what does not hold.
    pub missing: usize,
    /// Nodes that declined.
    pub declined: usize,
    /// Nodes that have not decided.
    pub undecided: usize,
    /// Nothing is published from fewer nodes.
    pub minimum_nodes: u32,
    /// Every node, by municipality number.
    pub nodes: Vec<NodeCoverage>,
}

/// One node in the coverage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeCoverage {
    /// Its municipality.
    pub municipality: MunicipalityNumber,
    /// The municipality's name; empty if the snapshot of Klass 131 does not have it.
    pub name: String,
    /// The node.
    pub node: NodeId,
    /// How it stands.
    pub state: CoverageState,
    /// Why it declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RefusalReason>,
    /// Why it is not in the figures though it has reported: the servers rejected the report of its
    /// shared tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejection>,
}

/// How a node stands in a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageState {
    /// In the figures.
    Reported,
    /// In the figures, though its release came after the round had closed.
    Late,
    /// Approved, but sent nothing, or a report that was rejected.
    Missing,
    /// Declined.
    Declined,
    /// Has not decided.
    Undecided,
}

/// One table of national figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedTable {
    /// Which statistic.
    pub statistic: StatisticId,
    /// The version of its definition.
    pub definition: u32,
    /// The title.
    pub title: Labels,
    /// What is counted.
    pub description: Labels,
    /// The dimensions, slowest first.
    pub dimensions: Vec<PublishedDimension>,
    /// The opened sums behind the figures, if the table has noise that nodes share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<PublishedShared>,
    /// The cells, in row-major order.
    pub cells: Vec<PublishedCell>,
}

/// One dimension of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedDimension {
    /// The variable.
    pub variable: Variable,
    /// Its label.
    pub label: Labels,
    /// Its categories.
    pub categories: Vec<PublishedCategory>,
}

/// One category of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedCategory {
    /// The code.
    pub code: String,
    /// The label.
    pub label: Labels,
}

/// One figure: the exact count over the reporting municipalities, plus noise of a known law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedCell {
    /// One code for each dimension.
    pub codes: Vec<String>,
    /// The sum of the noisy counts, or the nearest integer to what the opened sums say of it: unbiased,
    /// and therefore sometimes negative.
    pub value: i64,
    /// The variance of its noise.
    pub variance: Fixed,
    /// The standard deviation of its noise.
    pub standard_deviation: Fixed,
    /// Lower end of the 95 % interval.
    pub lower95: i64,
    /// Upper end of the 95 % interval.
    pub upper95: i64,
}

/// A ratio of two sums of cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRate {
    /// Which rate, as `retained_all_taken_in`.
    pub rate: String,
    /// The statistic it follows from.
    pub statistic: StatisticId,
    /// What it is.
    pub label: Labels,
    /// How its interval was found: `fieller`.
    pub method: String,
    /// The noisy numerator.
    pub numerator: i64,
    /// The noisy denominator.
    pub denominator: i64,
    /// The rate; `None` if the denominator is not clearly above its noise, and then no interval can
    /// be given.
    pub figure: Option<Estimate>,
}

/// An estimate with its 95 % interval, as computed and as presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The estimate; may lie outside 0 to 1.
    pub value: Fixed,
    /// Lower end; may be below 0.
    pub lower95: Fixed,
    /// Upper end; may be above 1.
    pub upper95: Fixed,
    /// The estimate within 0 to 1.
    pub shown: Fixed,
    /// Lower end within 0 to 1.
    pub shown_lower95: Fixed,
    /// Upper end within 0 to 1.
    pub shown_upper95: Fixed,
}

/// A Kaplan-Meier curve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedSurvival {
    /// The statistic it follows from.
    pub statistic: StatisticId,
    /// What it is.
    pub label: Labels,
    /// How its intervals were found.
    pub method: String,
    /// The points, by time.
    pub points: Vec<SurvivalPoint>,
    /// The category at which too few were at risk, compared with the noise, to go on.
    pub too_few_from: Option<String>,
}

/// One point of a survival curve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurvivalPoint {
    /// The category of months followed.
    pub code: String,
    /// Noisy number at risk at its start.
    pub at_risk: i64,
    /// Noisy number whose home was lost in it.
    pub ended: i64,
    /// The share still housed at its end.
    pub survival: Estimate,
}

/// The noisy tables of one municipality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MunicipalFigures {
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// Its tables, in the order of the study.
    pub tables: Vec<MunicipalTable>,
}

/// One noisy table of one municipality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MunicipalTable {
    /// Which statistic.
    pub statistic: StatisticId,
    /// The variance of each value's noise.
    pub variance: Fixed,
    /// Each value's 95 % interval reaches so far to both sides.
    pub half_width95: i64,
    /// The noisy counts, in row-major order.
    pub values: Vec<i64>,
}

/// What was promised and by whom, for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The study.
    pub study: StudyId,
    /// Its version.
    pub study_version: u32,
    /// The digest of its payload: with the period and a municipality it is the question.
    pub study_digest: Digest,
    /// The unit of privacy.
    pub unit: String,
    /// What each table cost and which noise it carries.
    pub tables: Vec<TableCertificate>,
    /// Zero-concentrated loss of one participant's rows in one municipality, over all tables, in
    /// millionths of rho.
    pub rho_micro: Rho,
    /// The delta of every epsilon here: ten to the minus this.
    pub delta_exponent: Delta,
    /// Epsilon of `rho_micro` at delta, rounded up.
    pub epsilon: Fixed,
    /// The number of municipalities that may hold rows of one person.
    pub municipalities_per_person: u32,
    /// Where a person is counted whom several municipalities hold; left out for everywhere.
    #[serde(default = "Residence::unsaid", skip_serializing_if = "Residence::is_unsaid")]
    pub residence: Residence,
    /// The loss of a person in that many municipalities. Each node draws its noise by itself, so
    /// that losses add: the number of municipalities times `rho_micro`.
    pub person_rho_micro: Rho,
    /// Epsilon of `person_rho_micro` at delta, rounded up.
    pub person_epsilon: Fixed,
    /// The releases in the sums, by municipality number.
    pub releases: Vec<ReleaseCertificate>,
    /// No node contributes more than this to a cell, up or down, whatever it sends. Shared tables have
    /// tighter bounds of their own.
    pub node_can_shift_a_cell_by: i64,
    /// The key that signed the study, the round and the seal.
    pub coordinator_key: VerifyingKey,
    /// Signed study.
    pub study_document: Envelope,
    /// Signed round.
    pub round_document: Envelope,
    /// Signed task, if the study has shared tables: who could report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_document: Option<Envelope>,
    /// The opened batches of the shared tables' reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<BatchCertificate>,
}

/// One release in the sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseCertificate {
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// The node.
    pub node: NodeId,
    /// The key that signed the release.
    pub release_key: VerifyingKey,
    /// The digest of the signed payload.
    pub release_digest: Digest,
    /// The place of the charge in the node's ledger.
    pub ledger_sequence: u64,
    /// The head of the node's ledger before the charge.
    pub ledger_previous: Digest,
    /// The head after it.
    pub ledger_head: Digest,
}
