//! What secure aggregation adds to version 1: tasks, reports, and what leader and helper say.
//!
//! | method and path | who | body -> answer |
//! |---|---|---|
//! | `GET /v1/tasks/{task}` | an enrolled node | -> [`AcceptedTask`] |
//! | `PUT /v1/reports/{release id}` | an enrolled node | [`Report`] -> [`Receipt`](super::Receipt), 201, or 200 if it stood |
//! | `PUT /v1/helper/tasks/{task}` | the leader | [`NewTask`] -> [`Envelope`] of [`TaskAcceptance`] |
//! | `PUT /v1/helper/jobs/{task}/{job}` | the leader | [`Job`] -> [`JobResult`] |
//! | `PUT /v1/helper/batches/{task}/{batch}` | the leader | [`BatchClaim`] -> [`Envelope`] of [`OpenedBatch`] |
//!
//! Each `PUT` is idempotent: the same bytes have the same answer, other bytes under a name that is
//! taken are refused. In the shape of the IETF draft Distributed Aggregation Protocol (DAP).
//!
//! **Invariant:** what is signed says which task it is for; no message but the two opened shares
//! together depends on any count.

use crate::digest::Digest;
use crate::ids::{MunicipalityNumber, NodeId, ReleaseId, RoundId};
use crate::period::Period;
use crate::secure::{Bytes, SealingKey};
use crate::signed::{Document, Envelope, VerifyingKey};
use serde::{Deserialize, Serialize};

/// How a study's shared tables are aggregated; part of the study, so that it is approved with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// So many of the reporting nodes may collude or add no noise (c): the noise of the others alone
    /// keeps the promise. Less than the study's minimum of nodes (T).
    pub tolerated: u32,
    /// The largest count that one node can report in one cell: it decides the size of a report.
    pub largest_count: u32,
    /// The server that holds the other half of every report.
    pub helper: HelperIdentity,
}

/// Who the helper is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelperIdentity {
    /// Who runs it, in words.
    pub name: String,
    /// The key that it signs with.
    pub signing_key: VerifyingKey,
    /// The key that nodes seal its shares to.
    pub sealing_key: SealingKey,
}

/// Everything that both servers and every node have to agree on about a round's shared tables.
/// Immutable, one for each round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskDocument {
    /// The round.
    pub round: RoundId,
    /// The digest of the study's payload.
    pub study: Digest,
    /// The period.
    pub period: Period,
    /// Who may report, by municipality number; fixed when the round was opened.
    pub participants: Vec<TaskParticipant>,
    /// A batch is opened from so many reports on.
    pub minimum: u32,
    /// Entries of one report.
    pub length: u32,
    /// Bits of one entry.
    pub bits: u32,
    /// The fingerprint of the helper's signing key.
    pub helper: Digest,
}

impl Document for TaskDocument {
    const KIND: &'static str = "task/1";
}

/// One node that may report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskParticipant {
    /// Its municipality.
    pub municipality: MunicipalityNumber,
    /// The node.
    pub node: NodeId,
    /// The key that its reports are signed with.
    pub release_key: VerifyingKey,
}

/// The helper takes part in a task, and knows its participants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskAcceptance {
    /// The digest of the task's payload.
    pub task: Digest,
}

impl Document for TaskAcceptance {
    const KIND: &'static str = "task-acceptance/1";
}

/// A task as a node gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedTask {
    /// The signed [`TaskDocument`].
    pub task: Envelope,
    /// The helper's signed [`TaskAcceptance`].
    pub acceptance: Envelope,
}

/// A node's report: what both servers may see of it, and what binds its two shares to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportDocument {
    /// The digest of the question; its first 16 bytes are the report's id.
    pub release: ReleaseId,
    /// The node.
    pub node: NodeId,
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// The round.
    pub round: RoundId,
    /// The digest of the task's payload.
    pub task: Digest,
    /// What both servers need to check the shares against each other.
    pub public_share: Bytes,
    /// The digest of the leader's share.
    pub leader_share: Digest,
    /// The helper's share, sealed to the helper's key.
    pub helper_share: Bytes,
}

impl Document for ReportDocument {
    const KIND: &'static str = "report/1";
}

/// What a node uploads: the signed report, and the leader's share beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The signed [`ReportDocument`].
    pub report: Envelope,
    /// The leader's share: uniformly random field elements.
    pub leader_share: Bytes,
}

/// The leader tells the helper of a task.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// The signed [`TaskDocument`].
    pub task: Envelope,
    /// The signed study that it is for.
    pub study: Envelope,
    /// The signed round that it is for.
    pub round: Envelope,
    /// The key that both servers verify reports with, 32 bytes; no node may know it.
    pub verify_key: Bytes,
}

/// Reports that are verified together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The batch that they are for, from 1.
    pub batch: u32,
    /// The reports, at most [`crate::limits::JOB_REPORTS`], by release id.
    pub reports: Vec<JobReport>,
}

/// One report of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobReport {
    /// The signed [`ReportDocument`], as the node sent it.
    pub report: Envelope,
    /// The leader's share of the proof's verification.
    pub verifier_share: Bytes,
}

/// What became of each report of a job, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobResult {
    /// One for each report.
    pub outcomes: Vec<Outcome>,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// It holds, and is in the helper's half of the sum.
    Accepted {
        /// What the leader finishes with.
        message: Bytes,
    },
    /// It is in no sum.
    Rejected {
        /// Why.
        reason: Rejection,
    },
}

/// Why a report is in no sum; a closed list, so that it says nothing about anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// Its signature does not hold under its participant's key, or it is nobody's.
    Signature,
    /// It is for another task, or its parts do not belong together.
    Binding,
    /// The helper's share cannot be opened.
    Sealed,
    /// A share or message has a wrong form or length.
    Malformed,
    /// The proof does not hold: an entry is out of its range, or the shares do not fit each other.
    Proof,
    /// The report was seen before, or its municipality has another in this task.
    Replayed,
    /// Its batch was opened already.
    Opened,
}

/// What the leader holds of a batch that it wants opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchClaim {
    /// How many reports are in it.
    pub count: u32,
    /// The exclusive or of the SHA-256 digests of their ids, 32 bytes.
    pub checksum: Bytes,
}

/// The helper's half of the sum of a batch: given once, for one set of reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedBatch {
    /// The digest of the task's payload.
    pub task: Digest,
    /// The batch, from 1.
    pub batch: u32,
    /// How many reports are in it.
    pub count: u32,
    /// The exclusive or of the SHA-256 digests of their ids, 32 bytes.
    pub checksum: Bytes,
    /// The helper's share of the sum.
    pub share: Bytes,
}

impl Document for OpenedBatch {
    const KIND: &'static str = "opened-batch/1";
}
