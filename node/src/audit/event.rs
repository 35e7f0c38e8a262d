//! What the audit log can say: a closed list.
//!
//! **Invariant:** no event has room for a person, a text from records, or a count.

use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{NodeId, Purpose, ReleaseId, RoundId};
use fellestall_shared::privacy::Rho;
use fellestall_shared::wire::v1::RefusalReason;
use serde::{Deserialize, Serialize};

/// Why a round was not answered; local, it is not sent to anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// The register of processing does not permit it.
    NotPermitted,
    /// It does not fit in the budget.
    Budget,
    /// The study has answered this period already, in another version or length.
    AnsweredBefore,
    /// The records could not be read, or a table is not recorded.
    Records,
    /// Its task does not check out: other participants, another study or vector, or this node is not in it.
    Task,
    /// The ledger is behind what the coordinator has witnessed, or forked.
    Witness,
    /// Something else; the program's log says what.
    Other,
}

/// What happened. A closed list, so that nothing about a person can be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The node was made, with this release key.
    NodeMade {
        /// The fingerprint of the key.
        release_key: Digest,
    },
    /// The node was enrolled.
    Enrolled {
        /// Its id.
        node: NodeId,
    },
    /// The configuration is another than when last looked at.
    ConfigurationChanged {
        /// The digest of the file.
        digest: Digest,
    },
    /// The register of processing is another than when last looked at.
    RegisterChanged {
        /// The digest of the file.
        digest: Digest,
    },
    /// A study came, by name and version.
    StudyReceived {
        /// The digest of the study's payload.
        study: Digest,
        /// Its name and version, as `core.1`.
        name: String,
    },
    /// A question came.
    RoundReceived {
        /// The round.
        round: RoundId,
    },
    /// The first of two people approved a study.
    FirstApproval {
        /// The digest of the study's payload.
        study: Digest,
        /// Its name and version, as `core.1`.
        name: String,
    },
    /// A study was approved.
    Approved {
        /// The digest of the study's payload.
        study: Digest,
        /// Its name and version, as `core.1`.
        name: String,
    },
    /// A study was refused.
    Refused {
        /// The digest of the study's payload.
        study: Digest,
        /// Its name and version, as `core.1`.
        name: String,
        /// Why; the reason was sent.
        reason: RefusalReason,
    },
    /// A question was answered: charge, noise and bytes are on disk.
    Released {
        /// The round.
        round: RoundId,
        /// The release.
        release: ReleaseId,
        /// The digest of the signed payload.
        payload: Digest,
        /// The place in the ledger.
        ledger_sequence: u64,
        /// What it cost.
        charge: Rho,
    },
    /// The coordinator has the bytes of an answer.
    Sent {
        /// The round.
        round: RoundId,
        /// The release.
        release: ReleaseId,
        /// The digest of the signed payload.
        payload: Digest,
    },
    /// A question was not answered.
    NotReleased {
        /// The round.
        round: RoundId,
        /// Why.
        reason: Unanswered,
    },
    /// What one participant's records could have been part of was looked up. Whose is not written.
    PersonLookedUp,
    /// The evidence pack was made.
    EvidenceMade,
    /// What was no longer needed for an ended purpose was purged.
    Purged {
        /// The purpose.
        purpose: Purpose,
        /// The digest of the attestation's signed payload.
        attestation: Digest,
    },
    /// A user of the console was added.
    UserAdded {
        /// The name of the user.
        user: String,
        /// The role.
        role: String,
    },
    /// A user of the console was removed.
    UserRemoved {
        /// The name of the user.
        user: String,
    },
    /// A user signed in to the console.
    SignedIn,
    /// Somebody failed to sign in to the console.
    SignInFailed,
    /// The coordinator has another record of this node than the node: nothing is released.
    WitnessRefused,
    /// The ledger was brought up to what the coordinator has witnessed; the log has a gap here.
    Recovered {
        /// The place in the ledger.
        ledger_sequence: u64,
    },
}
