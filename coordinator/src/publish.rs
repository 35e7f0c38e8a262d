//! From accepted releases to published figures: sums, the law of their noise, intervals, rates,
//! coverage, a certificate, and the check of all of it offline.
//!
//! Everything here is a pure function of its arguments: no store, no network, no clock, no chance.
//! The caller loads what was accepted, passes the time and the key in, and stores the bytes.
//!
//! **Invariant:** nothing is clamped, rounded or suppressed before the sum, and the order in which
//! releases arrived changes no byte of what is published.

use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, RoundId, StatisticId};
use fellestall_shared::period::Period;
use fellestall_shared::round::{AcceptedRelease, ReleaseError, Round};
use fellestall_shared::signed::{Envelope, SignatureError, SigningKey, VerifyingKey};
use fellestall_shared::wire::v1::{
    Answer, LateReleases, Rejection, ReleaseDocument, RoundDocument, StudyDocument,
};
use std::collections::BTreeSet;

mod about;
mod certificate;
pub mod combine;
mod compose;
mod coverage;
pub mod csv;
mod document;
mod file;
mod mixture;
pub mod noise_law;
mod number;
mod opened;
mod rates;
pub(crate) mod shared;
mod survival;
pub mod table;
pub mod table_law;
pub mod verify;

pub use certificate::UNIT;
pub use document::*;
pub use number::Fixed;
pub use opened::{OpenedError, OpenedSum};
pub use verify::verify;

/// All that a version of a publication is made from.
#[derive(Debug)]
pub struct PublishInput<'a> {
    /// The round that was closed.
    pub round: &'a Round,
    /// The signed study, as nodes saw it.
    pub study_envelope: &'a Envelope,
    /// The signed round, as nodes saw it.
    pub round_envelope: &'a Envelope,
    /// The version of this publication: 1, or one more than the latest before it.
    pub version: u32,
    /// When it is published.
    pub published: Timestamp,
    /// Every node that the round asked, in any order, with what it answered.
    pub participants: Vec<Participant>,
    /// Every publication before this one whose period and statistics may overlap, in any order: all
    /// versions of this round, and those of other studies. Passing too many is harmless.
    pub earlier: Vec<EarlierPublication>,
    /// The signed task, as nodes saw it; `None` for a study without shared tables.
    pub task_envelope: Option<&'a Envelope>,
    /// The opened sums of the shared tables, batch by batch; empty for a study without such tables.
    pub shared: Vec<OpenedSum>,
    /// The coordinator's key, the one that signed the study and the round.
    pub key: &'a SigningKey,
}

/// One node that the round asked.
#[derive(Debug, Clone)]
pub struct Participant {
    /// The node.
    pub node: NodeId,
    /// Its municipality.
    pub municipality: MunicipalityNumber,
    /// The key that its releases are signed with, as enrolled.
    pub release_key: VerifyingKey,
    /// What it decided about the study version; `None` while it has not.
    pub decision: Option<Answer>,
    /// Its release, if it came and is counted.
    pub reported: Option<Reported>,
    /// Why the report of its shared tables is in no sum, if it was rejected.
    pub rejected: Option<Rejection>,
}

/// A release that came.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The release.
    pub release: AcceptedRelease,
    /// Whether it came after the round had closed.
    pub late: bool,
}

/// What was published before, as far as taking a difference with it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierPublication {
    /// The round.
    pub round: RoundId,
    /// The version.
    pub version: u32,
    /// The period.
    pub period: Period,
    /// The statistics in it.
    pub statistics: BTreeSet<StatisticId>,
    /// The municipalities in its sums.
    pub municipalities: BTreeSet<MunicipalityNumber>,
    /// The least difference that its study declared.
    pub minimum_difference: u32,
}

/// Why nothing is published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Fewer releases than the study's minimum.
    #[error("{found} nodes have reported, the study publishes from {minimum}")]
    TooFewNodes {
        /// Releases at hand.
        found: usize,
        /// The study's minimum.
        minimum: u32,
    },
    /// A difference with earlier publications would show too few municipalities.
    #[error(
        "together with {round} version {version}, this would set {alone} municipalities apart from the rest; at least {minimum} must stay together"
    )]
    TooSimilar {
        /// An earlier publication that the difference is taken with.
        round: RoundId,
        /// Its version.
        version: u32,
        /// How many municipalities would stand apart.
        alone: usize,
        /// The least number that may.
        minimum: u32,
    },
    /// A version that is not the next one.
    #[error("this must be version {expected} of the publication, not {version}")]
    Version {
        /// The version asked for.
        version: u32,
        /// The next one.
        expected: u32,
    },
    /// A late release in a study that takes none.
    #[error("the release of node {node} came late, and the study takes no late releases")]
    Late {
        /// The node.
        node: NodeId,
    },
    /// A node twice, or two releases of one municipality.
    #[error("municipality {municipality} is in the round twice")]
    Twice {
        /// The municipality.
        municipality: MunicipalityNumber,
    },
    /// A release that answers something else: another round, node or definition.
    #[error("the release of node {node} does not answer this round")]
    Foreign {
        /// The node.
        node: NodeId,
        /// What differs.
        #[source]
        source: ReleaseError,
    },
    /// A release that is not signed by its node's enrolled key.
    #[error("the release of node {node} is not signed by the key it was enrolled with")]
    Signature {
        /// The node.
        node: NodeId,
        /// What does not hold.
        #[source]
        source: SignatureError,
    },
    /// The signed study or round is not the one that was passed, or is signed by another key.
    #[error("the signed {what} does not belong to this round")]
    Envelope {
        /// `study` or `round`.
        what: &'static str,
    },
    /// A sum or a variance beyond what a figure can be.
    #[error("{statistic} has a sum or a noise too large for any figure")]
    Magnitude {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// The opened sums are not those of this publication.
    #[error(transparent)]
    Opened(OpenedError),
    /// The publication could not be signed or written.
    #[error("the publication could not be signed")]
    NotSigned(#[source] SignatureError),
}

/// A publication and the bytes to store.
#[derive(Debug, Clone)]
pub struct Published {
    /// What is published.
    pub publication: Publication,
    /// The public file: JSON, in UTF-8.
    pub document: Vec<u8>,
    /// The digest of `document`.
    pub digest: Digest,
    /// The same with every signed release in it, for auditors: its figures can be recomputed.
    pub bundle: Vec<u8>,
}

/// Merges the releases of a round and publishes the next version of its figures.
///
/// The same releases, participants, version, time and key give the same bytes, in whatever order
/// they are passed.
///
/// # Errors
/// [`PublishError`]: why nothing may be published; nothing is written anywhere.
pub fn publish(input: PublishInput<'_>) -> Result<Published, PublishError> {
    let PublishInput { round, study_envelope, round_envelope, version, published, .. } = input;
    let mut participants = input.participants;
    participants.sort_by(|a, b| (&a.municipality, &a.node).cmp(&(&b.municipality, &b.node)));
    let coordinator_key = input.key.verifying_key();
    check_envelopes(round, study_envelope, round_envelope, &coordinator_key)?;
    coverage::check_version(round, version, &input.earlier)?;
    check_participants(round, &participants)?;

    let reported: Vec<(&Participant, &AcceptedRelease)> = participants
        .iter()
        .filter_map(|participant| Some((participant, &participant.reported.as_ref()?.release)))
        .collect();
    let minimum = round.study().document().minimum_nodes;
    if reported.len() < usize::try_from(minimum).unwrap_or(usize::MAX) {
        return Err(PublishError::TooFewNodes { found: reported.len(), minimum });
    }
    let municipalities =
        reported.iter().map(|(participant, _)| participant.municipality.clone()).collect();
    coverage::check_difference(round, &municipalities, &input.earlier)?;

    let releases: Vec<&AcceptedRelease> = reported.iter().map(|(_, release)| *release).collect();
    let certified = reported
        .iter()
        .map(|(participant, accepted)| certificate::release(accepted, &participant.release_key))
        .collect::<Vec<_>>();
    opened::check(round, input.task_envelope, &input.shared, &certified, &coordinator_key)?;
    let signed = certificate::Signed {
        study: study_envelope.clone(),
        round: round_envelope.clone(),
        task: input.task_envelope.cloned(),
        batches: input.shared.iter().map(OpenedSum::certificate).collect(),
        key: coordinator_key,
    };
    let parts = compose::Parts {
        version,
        published,
        coverage: coverage::coverage(&participants, minimum),
        sums: combine::sums(round.study().tables(), releases.iter().copied())?,
        opened: shared::Opened::of(&input.shared),
        municipal: compose::municipal(round, &releases)?,
        certificate: certificate::certificate(round, signed, certified)?,
    };
    let publication = compose::compose(round, parts)?;
    let envelopes = releases.iter().map(|release| release.verified().envelope().clone()).collect();
    // Of many nodes they are most of the memory, and not needed for writing.
    drop(participants);
    file::seal(publication, envelopes, round.study().document().municipal_figures, input.key)
}

/// Whether figures of exactly these municipalities may be published, as far as that does not depend on
/// the figures: what a sum is held against before it is opened.
///
/// # Errors
/// [`PublishError::TooFewNodes`] or [`PublishError::TooSimilar`].
pub fn check_municipalities(
    round: &Round,
    municipalities: &BTreeSet<MunicipalityNumber>,
    earlier: &[EarlierPublication],
) -> Result<(), PublishError> {
    let (found, minimum) = (municipalities.len(), round.study().document().minimum_nodes);
    if found < usize::try_from(minimum).unwrap_or(usize::MAX) {
        return Err(PublishError::TooFewNodes { found, minimum });
    }
    coverage::check_difference(round, municipalities, earlier)
}

fn check_envelopes(
    round: &Round,
    study: &Envelope,
    document: &Envelope,
    key: &VerifyingKey,
) -> Result<(), PublishError> {
    let study = study.clone().verify::<StudyDocument>(key);
    if study.is_err() || study.is_ok_and(|study| study.digest() != round.study().digest()) {
        return Err(PublishError::Envelope { what: "study" });
    }
    let document = document.clone().verify::<RoundDocument>(key);
    if document.is_err() || document.is_ok_and(|document| *document != *round.document()) {
        return Err(PublishError::Envelope { what: "round" });
    }
    Ok(())
}

/// Takes nobody's word that the releases belong here: each is checked against this round again.
fn check_participants(round: &Round, participants: &[Participant]) -> Result<(), PublishError> {
    let mut nodes = BTreeSet::new();
    let mut municipalities = BTreeSet::new();
    let late_allowed = round.study().document().late_releases == LateReleases::NewVersion;
    for participant in participants {
        let municipality = || participant.municipality.clone();
        if !nodes.insert(&participant.node) {
            return Err(PublishError::Twice { municipality: municipality() });
        }
        let Some(reported) = &participant.reported else { continue };
        let node = || participant.node.clone();
        if !municipalities.insert(&participant.municipality) {
            return Err(PublishError::Twice { municipality: municipality() });
        }
        if reported.late && !late_allowed {
            return Err(PublishError::Late { node: node() });
        }
        let envelope = reported.release.verified().envelope().clone();
        let release = envelope
            .verify::<ReleaseDocument>(&participant.release_key)
            .map_err(|source| PublishError::Signature { node: node(), source })?;
        AcceptedRelease::new(release, round, &participant.node, &participant.municipality)
            .map_err(|source| PublishError::Foreign { node: node(), source })?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
