//! Studies and rounds: publishing, opening, looking at how they stand.
//!
//! **Invariant:** a stored study or round is used only after its signature held under the
//! coordinator's own key and its checks passed again.

use crate::store::rounds::StoredRound;
use crate::store::studies::{Kept, PublishStudyError, StoredStudy};
use crate::store::{Store, StoreError};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::{RoundId, StudyId};
use fellestall_shared::period::Period;
use fellestall_shared::round::{Round, RoundError};
use fellestall_shared::secure::TaskError;
use fellestall_shared::signed::{Envelope, SignatureError, SigningKey, Verified, VerifyingKey};
use fellestall_shared::study::{Study, StudyError};
use fellestall_shared::wire::v1::{RoundDocument, StudyDocument};

pub(crate) mod press;
pub mod publication;
pub mod status;
pub mod task;

/// Why a stored study or round cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Nothing by that name.
    #[error("there is no such round")]
    Unknown,
    /// A signature that does not hold.
    #[error("a stored document is not signed by this coordinator's key")]
    Signature(#[from] SignatureError),
    /// A study that this version of the program cannot count.
    #[error("a stored study does not fit this version of the program")]
    Study(#[from] StudyError),
    /// A round that does not fit its study.
    #[error("a stored round does not fit its study")]
    Round(#[from] RoundError),
    /// A task that does not fit its round.
    #[error("a stored task does not fit its round")]
    Task(#[from] TaskError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A round with the signed documents it rests on.
#[derive(Debug)]
pub struct LoadedRound {
    /// The round with its study.
    pub round: Round,
    /// The signed study.
    pub study_envelope: Envelope,
    /// The signed round.
    pub round_envelope: Envelope,
    /// When it was closed.
    pub closed: Option<Timestamp>,
}

/// Reads a stored study.
///
/// # Errors
/// [`LoadError`].
pub fn read_study(
    key: &VerifyingKey,
    catalogue: &'static Catalogue,
    envelope: &[u8],
) -> Result<(Verified<StudyDocument>, Study), LoadError> {
    let document = Envelope::from_json(envelope)?.verify::<StudyDocument>(key)?;
    let study = Study::new(&document, catalogue)?;
    Ok((document, study))
}

/// Loads a round with its study.
///
/// # Errors
/// [`LoadError`].
pub async fn load_round(
    store: &Store,
    key: &VerifyingKey,
    catalogue: &'static Catalogue,
    id: &RoundId,
) -> Result<LoadedRound, LoadError> {
    let stored = store.round(id).await?.ok_or(LoadError::Unknown)?;
    let study = store.study(stored.study).await?.ok_or(LoadError::Unknown)?;
    let (document, study) = read_study(key, catalogue, &study.envelope)?;
    let signed = Envelope::from_json(&stored.envelope)?.verify::<RoundDocument>(key)?;
    Ok(LoadedRound {
        round: Round::new(&signed, study)?,
        study_envelope: document.envelope().clone(),
        round_envelope: signed.envelope().clone(),
        closed: stored.closed,
    })
}

/// Why a study was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishStudyFailure {
    /// The document does not hold together.
    #[error(transparent)]
    Study(#[from] StudyError),
    /// It could not be signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The version stands with other content, or the store failed.
    #[error(transparent)]
    Store(#[from] PublishStudyError),
}

/// A study that was published.
#[derive(Debug, Clone)]
pub struct PublishedStudy {
    /// The checked study.
    pub study: Study,
    /// Whether it is new.
    pub kept: Kept,
}

/// Checks, signs and publishes a study; the same one again is a no-op.
///
/// # Errors
/// [`PublishStudyFailure`].
pub async fn publish_study(
    store: &Store,
    key: &SigningKey,
    catalogue: &'static Catalogue,
    document: &StudyDocument,
    now: Timestamp,
) -> Result<PublishedStudy, PublishStudyFailure> {
    let envelope = key.sign(document)?;
    let digest = envelope.payload_digest();
    let study = Study::check(document, digest, catalogue)?;
    let stored = StoredStudy {
        digest,
        study: document.study.clone(),
        version: document.version,
        envelope: envelope.to_json()?,
        published: now,
    };
    let kept = store.add_study(&stored).await?;
    Ok(PublishedStudy { study, kept })
}

/// Why a round was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No such study.
    #[error("there is no study {study}{version}; see `study list`", version = version.map(|v| format!(" version {v}")).unwrap_or_default())]
    Unknown {
        /// The study asked for.
        study: StudyId,
        /// The version asked for.
        version: Option<u32>,
    },
    /// The period has not ended: its figures would not be complete.
    #[error("the period {period} has not ended yet")]
    Period {
        /// The period.
        period: Period,
    },
    /// Too few nodes to share noise.
    #[error(
        "{enrolled} nodes are enrolled, and the study's shared tables need {minimum} at the least: enrol more first, since who may report is fixed when a round is opened"
    )]
    TooFewNodes {
        /// Nodes that are enrolled.
        enrolled: usize,
        /// The study's minimum.
        minimum: u32,
    },
    /// The task of the shared tables does not hold together.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The study cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The round does not fit the study.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// It could not be signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which round to open.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The study.
    pub study: StudyId,
    /// Its version; the newest if not given.
    pub version: Option<u32>,
    /// The period.
    pub period: Period,
    /// When it is due to close.
    pub closes: Timestamp,
}

/// Opens a round, with the task of its shared tables if its study has any; a round that exists stands
/// as it is, whatever its closing date.
///
/// # Errors
/// [`OpenError`].
pub async fn open_round(
    store: &Store,
    key: &SigningKey,
    catalogue: &'static Catalogue,
    opening: &Opening,
    now: Timestamp,
) -> Result<(RoundId, Kept), OpenError> {
    let studies = store.studies().await?;
    let wanted = |study: &&StoredStudy| {
        study.study == opening.study && opening.version.is_none_or(|v| v == study.version)
    };
    let stored = studies.iter().rfind(wanted).ok_or_else(|| OpenError::Unknown {
        study: opening.study.clone(),
        version: opening.version,
    })?;
    let (_, study) = read_study(&key.verifying_key(), catalogue, &stored.envelope)?;
    let period = opening.period;
    if now.date().is_none_or(|today| today <= period.last_day()) {
        return Err(OpenError::Period { period });
    }
    let document = RoundDocument {
        round: study.round(period),
        study: study.digest(),
        period,
        opens: now,
        closes: opening.closes,
    };
    let round = Round::check(&document, study)?;
    let envelope = key.sign(&document)?.to_json()?;
    let task = match store.round(round.id()).await? {
        Some(_) => None,
        None => task::make(&round, &store.nodes().await?, key)?,
    };
    let stored =
        StoredRound { round: round.id().clone(), study: stored.digest, envelope, closed: None };
    let kept = store.add_round_with(&stored, task.as_ref(), now).await?;
    Ok((stored.round, kept))
}
