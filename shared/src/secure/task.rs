//! A task that belongs to its round, and a report that answers its task.
//!
//! **Invariant:** node, leader and helper use these same checks: what one of them takes, all take.

use super::report_id;
use crate::digest::Digest;
use crate::ids::MunicipalityNumber;
use crate::limits::NODES;
use crate::round::Round;
use crate::signed::{Envelope, Verified};
use crate::wire::v1::{Rejection, ReportDocument, TaskAcceptance, TaskDocument, TaskParticipant};
use std::collections::{BTreeMap, BTreeSet};

/// A task whose participants, minimum and vector are those of its round.
#[derive(Debug, Clone)]
pub struct Task {
    document: TaskDocument,
    digest: Digest,
    /// The place of each participant, by the fingerprint of its key.
    signers: BTreeMap<Digest, usize>,
}

/// Why a task does not belong to a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// The round's study has no shared tables.
    #[error("the study has no shared tables, and needs no task")]
    NotShared,
    /// Another round, study, period, minimum, vector or helper.
    #[error("the task is for another {what} than its round")]
    Bound {
        /// What differs.
        what: &'static str,
    },
    /// Participants twice, in disorder, or fewer than a batch needs.
    #[error(
        "the task needs at least the study's minimum of participants, by municipality number, each with a key of its own"
    )]
    Participants,
    /// An acceptance of something else.
    #[error("the helper has accepted another task")]
    OtherTask,
}

impl Task {
    /// Joins a verified task to its round.
    ///
    /// # Errors
    /// [`TaskError`]: the first thing that does not fit.
    pub fn new(document: &Verified<TaskDocument>, round: &Round) -> Result<Self, TaskError> {
        Self::check(document, document.digest(), round)
    }

    /// Joins a task that is not signed yet, as before signing it.
    ///
    /// # Errors
    /// [`TaskError`]: the first thing that does not fit.
    pub fn check(
        document: &TaskDocument,
        digest: Digest,
        round: &Round,
    ) -> Result<Self, TaskError> {
        let study = round.study();
        let shared = study.layout().zip(study.document().aggregation.as_ref());
        let (layout, aggregation) = shared.ok_or(TaskError::NotShared)?;
        let bound = [
            ("round", document.round == *round.id()),
            ("study", document.study == study.digest()),
            ("period", document.period == round.period()),
            ("minimum", document.minimum == study.document().minimum_nodes),
            ("length", usize::try_from(document.length) == Ok(layout.length())),
            ("range", document.bits == layout.bits()),
            ("helper", document.helper == aggregation.helper.signing_key.fingerprint()),
        ];
        if let Some((what, _)) = bound.into_iter().find(|(_, same)| !same) {
            return Err(TaskError::Bound { what });
        }
        let listed = &document.participants;
        let ascending = |pair: &[TaskParticipant]| match pair {
            [a, b] => a.municipality < b.municipality,
            _ => false,
        };
        let nodes: BTreeSet<_> = listed.iter().map(|one| &one.node).collect();
        let keys = listed.iter().map(|one| one.release_key.fingerprint());
        let signers: BTreeMap<_, _> = keys.zip(0..).collect();
        let enough = u32::try_from(listed.len()).is_ok_and(|count| count >= document.minimum);
        let distinct = nodes.len() == listed.len() && signers.len() == listed.len();
        if !enough || !distinct || listed.len() > NODES || !listed.windows(2).all(ascending) {
            return Err(TaskError::Participants);
        }
        Ok(Self { document: document.clone(), digest, signers })
    }

    /// Checks that the helper has accepted exactly this task; its signature was checked before.
    ///
    /// # Errors
    /// [`TaskError::OtherTask`].
    pub fn check_acceptance(&self, acceptance: &Verified<TaskAcceptance>) -> Result<(), TaskError> {
        if acceptance.task == self.digest { Ok(()) } else { Err(TaskError::OtherTask) }
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &TaskDocument {
        &self.document
    }

    /// The digest of the document's signed payload: the task's name.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The participant of a municipality.
    #[must_use]
    pub fn participant(&self, municipality: &MunicipalityNumber) -> Option<&TaskParticipant> {
        let listed = &self.document.participants;
        let place = listed.binary_search_by(|one| one.municipality.cmp(municipality));
        place.ok().and_then(|place| listed.get(place))
    }
}

/// A report that was signed by its participant and answers its task.
#[derive(Debug, Clone)]
pub struct AcceptedReport {
    report: Verified<ReportDocument>,
}

impl AcceptedReport {
    /// Checks a report as both servers check it before they look at its proof.
    ///
    /// # Errors
    /// [`Rejection::Signature`] or [`Rejection::Binding`].
    pub fn new(report: Envelope, task: &Task, round: &Round) -> Result<Self, Rejection> {
        let place = task.signers.get(&report.signer());
        let participant = place.and_then(|place| task.document.participants.get(*place));
        let participant = participant.ok_or(Rejection::Signature)?;
        let report = report
            .verify::<ReportDocument>(&participant.release_key)
            .map_err(|_| Rejection::Signature)?;
        let bound = report.node == participant.node
            && report.municipality == participant.municipality
            && report.task == task.digest
            && report.round == task.document.round
            && report.release == round.question(&report.municipality);
        if bound { Ok(Self { report }) } else { Err(Rejection::Binding) }
    }

    /// The report.
    #[must_use]
    pub fn document(&self) -> &ReportDocument {
        &self.report
    }

    /// The report with its signed bytes.
    pub fn verified(&self) -> &Verified<ReportDocument> {
        &self.report
    }

    /// Its id: the nonce of its proof.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        report_id(self.report.release)
    }
}
