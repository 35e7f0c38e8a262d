//! A release on its way: planned, recorded, sent.
//!
//! **Invariant:** only a recorded release has bytes, and a release is recorded only by the journal,
//! after its transaction is on disk.

use super::ledger::BudgetGrant;
use super::mechanism::{self, Asked, Local, MechanismError};
use super::raw::Raw;
use super::report::{Made, Vector};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, ReleaseId};
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::{AcceptedRelease, ReleaseError, Round};
use fellestall_shared::secure::seal::SealError;
use fellestall_shared::secure::vdaf::BadVector;
use fellestall_shared::secure::{Bytes, Task};
use fellestall_shared::signed::{SignatureError, SigningKey};
use fellestall_shared::study::Table;
use fellestall_shared::wire::v1::{Rejection, ReleaseDocument, ReleasedTable};

/// The answer to one question, in one of the states [`Planned`], [`Recorded`] or [`Sent`].
#[derive(Debug)]
pub struct Release<State> {
    id: ReleaseId,
    state: State,
}

/// Granted by the ledger; not counted, not noised, not on disk.
#[must_use]
pub struct Planned {
    grant: BudgetGrant,
    sequence: u64,
    previous: Digest,
}

/// On disk, with its charge; may be sent any number of times.
#[derive(Debug)]
pub struct Recorded {
    bytes: Vec<u8>,
    wire_size: usize,
    report: Option<Bytes>,
    payload: Digest,
    report_payload: Option<Digest>,
    sequence: u64,
    charge: Rho,
    head: Digest,
    sent: bool,
}

/// On disk at the coordinator too, which said so in a receipt that was noted.
#[derive(Debug)]
pub struct Sent {
    head: Digest,
}

/// What counting gives: exact tables, and which consents they rest on.
pub(super) struct Counts {
    /// One table for each of the study, in its order.
    pub(super) tables: Vec<Raw>,
    /// A keyed digest of which consents were in force.
    pub(super) consent_snapshot: Digest,
}

/// A signed release that the round accepts: what the journal takes.
pub(super) struct Signed {
    /// The release as the coordinator will see it.
    pub(super) accepted: AcceptedRelease,
    /// The exact bytes that will be sent.
    pub(super) bytes: Vec<u8>,
    /// The exact bytes of the report that goes before it, if it names one.
    pub(super) report: Option<Bytes>,
}

/// Why a granted release was not made. Nothing is recorded then.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The mechanism failed.
    #[error("the noise could not be added")]
    Mechanism(#[from] MechanismError),
    /// Other tables were counted than the study has.
    #[error("the counted tables are not the study's tables; this is a defect of the program")]
    Tables,
    /// A noisy value that the report of the study has no place for.
    #[error(
        "a noisy value is larger than a report of this study has room for (its largest_count); nothing was released"
    )]
    Room,
    /// The report could not be split.
    #[error(
        "the report could not be split between the two servers; this is a defect of the program"
    )]
    Vector(#[from] BadVector),
    /// The helper's half could not be sealed.
    #[error("the report could not be sealed to the helper's key")]
    Seal(#[from] SealError),
    /// The report would not be taken by the two servers.
    #[error("the report does not answer its task ({0:?}); this is a defect of the program")]
    Report(Rejection),
    /// The release could not be signed.
    #[error("the release could not be signed")]
    Signature(#[from] SignatureError),
    /// The release would not be taken by the coordinator.
    #[error("the release does not answer its round; this is a defect of the program")]
    Round(#[from] ReleaseError),
}

impl<State> Release<State> {
    /// The release's id: the digest of its question.
    #[must_use]
    pub fn id(&self) -> ReleaseId {
        self.id
    }
}

impl Release<Planned> {
    /// A release that the ledger granted, at its place in the chain.
    pub(super) fn plan(id: ReleaseId, grant: BudgetGrant, sequence: u64, previous: Digest) -> Self {
        Self { id, state: Planned { grant, sequence, previous } }
    }

    /// Adds noise to the counts, splits and seals what is shared, and signs. A study with shared tables
    /// needs its task.
    ///
    /// # Privacy
    /// P2: each table is noised under its part of the grant; the exact counts end here. What comes
    /// out is checked as the coordinator will check it, on noisy values alone.
    pub(super) fn make(
        self,
        counts: Counts,
        (round, task): (&Round, Option<&Task>),
        owner: (&NodeId, &MunicipalityNumber),
        key: &SigningKey,
    ) -> Result<Signed, MakeError> {
        let study = round.study();
        let losses: Vec<Rho> = study.tables().iter().map(|table| table.charge).collect();
        let grants = self.state.grant.split(&losses).ok_or(MakeError::Tables)?;
        if counts.tables.len() != grants.len() {
            return Err(MakeError::Tables);
        }
        let mut tables = Vec::with_capacity(grants.len());
        let mut vector = study.layout().map(Vector::new);
        for ((raw, grant), table) in counts.tables.into_iter().zip(grants).zip(study.tables()) {
            let asked =
                Asked { local: table.local, shared: table.shared.map(|shared| shared.noise) };
            let noised = mechanism::apply(raw, asked, grant)?;
            tables.extend(noised.local.and_then(|local| released(table, local)));
            match (noised.shared, &mut vector) {
                (Some(values), Some(vector)) => vector.extend(values)?,
                (None, _) => {}
                (Some(_), None) => return Err(MakeError::Tables),
            }
        }
        let report = match (vector, task) {
            (Some(vector), Some(task)) => {
                Some(vector.into_report(self.id, (round, task), owner, key)?)
            }
            (None, _) => None,
            (Some(_), None) => return Err(MakeError::Tables),
        };
        let (node, municipality) = owner;
        let document = ReleaseDocument {
            release: self.id,
            node: node.clone(),
            municipality: municipality.clone(),
            round: round.id().clone(),
            study: study.digest(),
            period: round.period(),
            tables,
            report: report.as_ref().map(|report| report.digest),
            charge_micro: study.charge(),
            consent_snapshot: counts.consent_snapshot,
            ledger_sequence: self.state.sequence,
            ledger_previous: self.state.previous,
        };
        let envelope = key.sign(&document)?;
        let bytes = envelope.to_json()?;
        let verified = envelope.verify(&key.verifying_key())?;
        let accepted = AcceptedRelease::new(verified, round, node, municipality)?;
        Ok(Signed { accepted, bytes, report: report.map(|Made { body, .. }| body) })
    }
}

/// A table as it is released, with the node's own noise.
fn released(table: &Table, local: Local) -> Option<ReleasedTable> {
    Some(ReleasedTable {
        statistic: table.statistic.id().clone(),
        definition: table.statistic.definition(),
        definition_digest: table.statistic.digest(),
        loss: table.local?,
        bound: table.statistic.bound(),
        scale: local.scale,
        values: local.values,
    })
}

impl Release<Recorded> {
    /// A release that the journal holds.
    pub(super) fn recorded(
        id: ReleaseId,
        bytes: Vec<u8>,
        wire_size: usize,
        report: Option<Bytes>,
        entry: &super::journal::LedgerEntry,
    ) -> Self {
        let (sequence, charge, payload) = (entry.sequence, entry.charge, entry.payload);
        let (head, sent) = (entry.head, entry.sent);
        let report_payload = entry.report;
        let state = Recorded {
            bytes,
            wire_size,
            report,
            payload,
            report_payload,
            sequence,
            charge,
            head,
            sent,
        };
        Self { id, state }
    }

    /// The exact bytes of the report, which is sent before the release: the signed report and the
    /// leader's share in JSON. Always the same for one question. `None` if the study has no shared
    /// tables, or if the release was put back after a loss: the coordinator has its report then.
    ///
    /// # Privacy
    /// Its size follows from the study's layout alone.
    #[must_use]
    pub fn report_bytes(&self) -> Option<&[u8]> {
        self.state.report.as_ref().map(|report| report.0.as_slice())
    }

    /// The digest of the report's signed payload, which its receipt names; `None` without shared tables.
    #[must_use]
    pub fn report_digest(&self) -> Option<Digest> {
        self.state.report_payload
    }

    /// What is sent: the bytes, and blanks up to a size that does not hang on the values.
    ///
    /// # Privacy
    /// The width of a noisy value is part of what is released; its size on the wire would tell it to
    /// those who see only encrypted bytes.
    #[must_use]
    pub fn wire_bytes(&self) -> Vec<u8> {
        let mut bytes = self.state.bytes.clone();
        bytes.resize(self.state.wire_size.max(bytes.len()), b' ');
        bytes
    }

    /// The exact bytes that are released: a signed envelope in JSON. Always the same for one question.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.state.bytes
    }

    /// The digest of the signed payload, which a receipt names.
    #[must_use]
    pub fn payload_digest(&self) -> Digest {
        self.state.payload
    }

    /// The place of the charge in the ledger, from 1.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.state.sequence
    }

    /// What the ledger was charged.
    #[must_use]
    pub fn charge(&self) -> Rho {
        self.state.charge
    }

    /// The head of the ledger after this charge.
    #[must_use]
    pub fn ledger_head(&self) -> Digest {
        self.state.head
    }

    /// Whether a receipt for it was noted earlier.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.state.sent
    }

    /// The same release after its receipt was noted on disk.
    pub(super) fn into_sent(self) -> Release<Sent> {
        Release { id: self.id, state: Sent { head: self.state.head } }
    }
}

impl Release<Sent> {
    /// The head of the ledger after this charge.
    #[must_use]
    pub fn ledger_head(&self) -> Digest {
        self.state.head
    }
}
