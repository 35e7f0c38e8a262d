//! Version 1 of the protocol: JSON over HTTPS, the node always the client.
//!
//! | method and path | who | body -> answer |
//! |---|---|---|
//! | `GET /v1/health` | anyone | -> [`Health`] |
//! | `POST /v1/enrolments` | anyone with a token | [`EnrolmentRequest`] -> 202 [`EnrolmentState`] |
//! | `POST /v1/enrolments/state` | who asked for it | [`EnrolmentQuery`] -> [`EnrolmentState`] |
//! | `GET /v1/work` | an enrolled node | -> [`Work`] |
//! | `POST /v1/certificates` | an enrolled node | [`RenewalRequest`] -> [`IssuedCertificate`] |
//! | `PUT /v1/decisions/{study digest}` | an enrolled node | [`Envelope`] of [`Decision`] -> 201, or 200 if it stood |
//! | `PUT /v1/releases/{release id}` | an enrolled node | [`Envelope`] of [`ReleaseDocument`] -> [`Receipt`], 201, or 200 if it stood |
//! | `POST /v1/witness` | an enrolled node | [`Envelope`] of [`Standing`] -> [`Envelope`] of [`Witness`] |
//! | `GET /v1/witness` | an enrolled node | -> [`Envelope`] of its last [`Witness`] |
//! | `GET /v1/releases?after={number}` | an enrolled node | -> [`OwnReleases`] |
//!
//! What secure aggregation adds is listed in `secure`.
//!
//! Every refusal is a [`crate::problem::Problem`]. The envelopes are taken as exact bytes.
//!
//! **Invariant:** unknown fields are refused in what is signed; the shape of a message does not
//! depend on records.

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::ids::{MunicipalityNumber, NodeId, Purpose, ReleaseId, RoundId, StatisticId, StudyId};
use crate::labels::Labels;
use crate::period::Period;
use crate::privacy::{Bound, Delta, Loss, Rho};
use crate::signed::{Document, Envelope};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

mod enrolment;
mod secure;
mod witness;
pub use enrolment::{
    EnrolmentQuery, EnrolmentRequest, EnrolmentState, Invitation, IssuedCertificate, RenewalRequest,
};
pub use secure::{
    AcceptedTask, Aggregation, BatchClaim, HelperIdentity, Job, JobReport, JobResult, NewTask,
    OpenedBatch, Outcome, Rejection, Report, ReportDocument, TaskAcceptance, TaskDocument,
    TaskParticipant,
};
pub use witness::{LedgerHead, OwnReleases, Standing, Witness};

/// Whether the service answers, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The program's version.
    pub version: String,
    /// The coordinator's time, so that a node sees that its clock is off.
    pub now: Timestamp,
}

/// All that the coordinator has for a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The coordinator's time.
    pub now: Timestamp,
    /// Signed [`StudyDocument`]s in force.
    pub studies: Vec<Envelope>,
    /// Signed [`RoundDocument`]s that are open, and those that were closed without this node's
    /// release and take late ones.
    pub rounds: Vec<Envelope>,
    /// Rounds for which this node's release is stored already.
    pub received: Vec<RoundId>,
    /// The tasks of those rounds whose study has shared tables, once the helper has accepted them.
    #[serde(default)]
    pub tasks: Vec<OfferedTask>,
}

/// A task that a node may fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedTask {
    /// The round.
    pub round: RoundId,
    /// The digest of the task's payload.
    pub task: Digest,
}

/// On what ground records are processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    /// Each participant's consent.
    Consent,
    /// A public task, with the right to opt out.
    PublicTask,
}

/// Where a person is counted whom several municipalities hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Residence {
    /// In every municipality that holds the person.
    Anywhere,
    /// Where the person lives on the last day of the period: a municipality does not count who has
    /// left it for another one by then.
    OnCensusDate,
}

impl Residence {
    /// What a study says that says nothing: so it is written, and so its bytes stay what they were.
    const UNSAID: Self = Self::Anywhere;

    /// What stands for a residence that is left out.
    #[must_use]
    pub fn unsaid() -> Self {
        Self::UNSAID
    }

    /// Whether it is left out when it is written.
    #[must_use]
    pub fn is_unsaid(&self) -> bool {
        *self == Self::UNSAID
    }

    /// The columns of the records that tell, as `participant.exit_date`.
    #[must_use]
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Anywhere => &[],
            Self::OnCensusDate => &["participant.exit_date", "participant.exit_reason"],
        }
    }
}

/// Whether the coordinator sees each node's noisy table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseMode {
    /// Each node adds the whole noise; the coordinator sees each noisy table.
    Local,
}

/// What happens with a release that comes after its round was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateReleases {
    /// It may enter a new version of the publication.
    NewVersion,
    /// It is refused.
    Refused,
}

/// One table of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyTable {
    /// Which statistic of the catalogue.
    pub statistic: StatisticId,
    /// The version of its definition.
    pub definition: u32,
    /// The noise that each node adds for itself, and its privacy loss: the coordinator sees each node's
    /// noisy table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// The noise of which each node adds a share, and the privacy loss of the sum: nobody sees a single
    /// node's table. With both, the budget is split and the national figure rests on both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Loss>,
}

/// A study: what is asked, for which purpose, on which ground. Immutable; a change is a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyDocument {
    /// The study.
    pub study: StudyId,
    /// Its version, from 1.
    pub version: u32,
    /// Title in three languages.
    pub title: Labels,
    /// The purpose that consents are given for.
    pub purpose: Purpose,
    /// Who is responsible for the study.
    pub controller: String,
    /// On what ground records are processed.
    pub legal_basis: LegalBasis,
    /// A reference of the assessment by NSD (now Sikt), if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<String>,
    /// The columns of the records that the tables read, as `tenancy.moved_in`.
    pub fields: BTreeSet<String>,
    /// First day that a period may contain, as `2016-01-01`.
    pub starts: String,
    /// Last day that a period may contain; nothing is released after it.
    pub ends: String,
    /// What is counted.
    pub tables: Vec<StudyTable>,
    /// Nothing is published from fewer nodes.
    pub minimum_nodes: u32,
    /// Two publications of one question differ by no nodes or by at least so many.
    pub minimum_difference: u32,
    /// Whether the coordinator sees each node's noisy table. A study with shared tables leaves it out: there
    /// each table says it for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ReleaseMode>,
    /// How the tables that carry shared noise are aggregated; left out if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<Aggregation>,
    /// Whether figures of single municipalities are published.
    pub municipal_figures: bool,
    /// What happens with late releases.
    pub late_releases: LateReleases,
    /// In how many municipalities one person may be held, as the published guarantee assumes.
    pub municipalities_per_person: u32,
    /// Where a person is counted whom several municipalities hold.
    #[serde(default = "Residence::unsaid", skip_serializing_if = "Residence::is_unsaid")]
    pub residence: Residence,
    /// The delta at which epsilon is shown.
    pub delta_exponent: Delta,
}

impl Document for StudyDocument {
    const KIND: &'static str = "study/1";
}

/// A round: one study version asked about one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundDocument {
    /// The round.
    pub round: RoundId,
    /// The digest of the study's payload.
    pub study: Digest,
    /// The period.
    pub period: Period,
    /// When the round was opened.
    pub opens: Timestamp,
    /// When it is due to close; an operator closes it.
    pub closes: Timestamp,
}

impl Document for RoundDocument {
    const KIND: &'static str = "round/1";
}

/// What a municipality says to a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The node.
    pub node: NodeId,
    /// The digest of the study's payload.
    pub study: Digest,
    /// Yes or no.
    pub answer: Answer,
}

impl Document for Decision {
    const KIND: &'static str = "decision/1";
}

/// Yes, or no and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "AnswerFields", into = "AnswerFields")]
pub enum Answer {
    /// The municipality takes part.
    Approved,
    /// The municipality does not take part.
    Refused {
        /// Why.
        reason: RefusalReason,
    },
}

/// How an answer is written. (A tagged enum would take any field beside a bare `approved`.)
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerFields {
    answer: AnswerWord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<RefusalReason>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnswerWord {
    Approved,
    Refused,
}

/// A refusal without a reason, or an approval with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a refusal has a reason, and an approval has none")]
pub struct BadAnswer;

impl TryFrom<AnswerFields> for Answer {
    type Error = BadAnswer;
    fn try_from(fields: AnswerFields) -> Result<Self, BadAnswer> {
        match (fields.answer, fields.reason) {
            (AnswerWord::Approved, None) => Ok(Self::Approved),
            (AnswerWord::Refused, Some(reason)) => Ok(Self::Refused { reason }),
            (AnswerWord::Approved, Some(_)) | (AnswerWord::Refused, None) => Err(BadAnswer),
        }
    }
}

impl From<Answer> for AnswerFields {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Approved => Self { answer: AnswerWord::Approved, reason: None },
            Answer::Refused { reason } => {
                Self { answer: AnswerWord::Refused, reason: Some(reason) }
            }
        }
    }
}

/// Why a municipality refuses; a closed list, so that no text about a person can travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The purpose is not one that this municipality processes for.
    Purpose,
    /// The legal basis does not hold here.
    LegalBasis,
    /// It costs more privacy budget than the municipality gives.
    Budget,
    /// It asks for more detail than needed.
    TooDetailed,
    /// The municipality does not record what is asked.
    NotRecorded,
    /// There is no capacity now.
    Capacity,
    /// Another reason; the operators talk.
    Other,
}

/// One noisy table of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedTable {
    /// Which statistic.
    pub statistic: StatisticId,
    /// The version of its definition.
    pub definition: u32,
    /// The digest of the definition that was counted by.
    pub definition_digest: Digest,
    /// The noise and its privacy loss.
    pub loss: Loss,
    /// The contribution bound that was applied.
    pub bound: Bound,
    /// The noise scale that was used: sigma, or b for discrete Laplace.
    pub scale: f64,
    /// Noisy counts, one for each cell in row-major order; may be negative.
    pub values: Vec<i64>,
}

/// What a node sends about people: noisy tables over public domains, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseDocument {
    /// The digest of the question.
    pub release: ReleaseId,
    /// The node.
    pub node: NodeId,
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// The round.
    pub round: RoundId,
    /// The digest of the study's payload.
    pub study: Digest,
    /// The period.
    pub period: Period,
    /// The noisy tables that have noise of the node's own, in the order of the study.
    pub tables: Vec<ReleasedTable>,
    /// The digest of the payload of the node's report, if the study has shared tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Digest>,
    /// What the node's ledger was charged, in millionths of rho.
    pub charge_micro: Rho,
    /// A keyed digest of which consents were in force, bound to the question: says nothing without
    /// the node's key, not even whether the same people were in two releases.
    pub consent_snapshot: Digest,
    /// The place of the charge in the node's ledger, from 1.
    pub ledger_sequence: u64,
    /// The head of the node's ledger before this charge; the next head follows from this release.
    pub ledger_previous: Digest,
}

impl Document for ReleaseDocument {
    const KIND: &'static str = "release/1";
}

/// The coordinator has the release, durably.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The release.
    pub release: ReleaseId,
    /// The digest of the bytes that were stored.
    pub digest: Digest,
}

#[cfg(test)]
mod tests;
