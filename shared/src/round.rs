//! A round that belongs to its study, and a release that answers its round.
//!
//! **Invariant:** a [`Round`] names exactly one question per municipality; an [`AcceptedRelease`]
//! has every table of the study with noise of its node's own, over its public domain, with the bound, charge and scale that the
//! study asks for. Both sides and the offline verifier use these same checks.

use crate::digest::Digest;
use crate::ids::{MunicipalityNumber, NodeId, ReleaseId, RoundId, StatisticId};
use crate::limits::{CELL_MAGNITUDE, RELEASE_BYTES};
use crate::period::Period;
use crate::privacy::Loss;
use crate::signed::{SignatureError, Verified};
use crate::study::{Study, Table};
use crate::wire::v1::{ReleaseDocument, ReleasedTable, RoundDocument};

/// A round with its study.
#[derive(Debug, Clone)]
pub struct Round {
    document: RoundDocument,
    study: Study,
}

/// Why a round document does not belong to a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoundError {
    /// Another study.
    #[error(
        "the round names another study, or its id is not that of its study, version and period"
    )]
    OtherStudy,
    /// A period that is not wholly within the study.
    #[error("the round's period does not lie between the study's start and end")]
    Period,
    /// It closes before it opens.
    #[error("the round closes before it opens")]
    ClosesBeforeOpening,
}

impl Round {
    /// Joins a verified round document to its study.
    ///
    /// # Errors
    /// [`RoundError`]: what does not fit.
    pub fn new(document: &Verified<RoundDocument>, study: Study) -> Result<Self, RoundError> {
        Self::check(document, study)
    }

    /// Joins a round document that is not signed yet, as before signing it.
    ///
    /// # Errors
    /// [`RoundError`]: what does not fit.
    pub fn check(document: &RoundDocument, study: Study) -> Result<Self, RoundError> {
        if document.study != study.digest() || document.round != study.round(document.period) {
            return Err(RoundError::OtherStudy);
        }
        if !study.covers(document.period) {
            return Err(RoundError::Period);
        }
        if document.closes < document.opens {
            return Err(RoundError::ClosesBeforeOpening);
        }
        Ok(Self { document: document.clone(), study })
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &RoundDocument {
        &self.document
    }

    /// The study.
    #[must_use]
    pub fn study(&self) -> &Study {
        &self.study
    }

    /// The round's id.
    #[must_use]
    pub fn id(&self) -> &RoundId {
        &self.document.round
    }

    /// The period.
    #[must_use]
    pub fn period(&self) -> Period {
        self.document.period
    }

    /// The one question that this round asks a municipality.
    #[must_use]
    pub fn question(&self, municipality: &MunicipalityNumber) -> ReleaseId {
        ReleaseId::of(self.study.digest(), self.document.period, municipality)
    }
}

/// A release that answers its round.
#[derive(Debug, Clone)]
pub struct AcceptedRelease {
    release: Verified<ReleaseDocument>,
}

/// Why a release does not answer its round.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// Another node, municipality, round, study, period or question.
    #[error("the release is bound to another {what}")]
    Bound {
        /// What differs.
        what: &'static str,
    },
    /// Other tables than the study's, or in another order.
    #[error("the release does not have exactly the study's tables in their order")]
    Tables,
    /// Another definition version or digest.
    #[error("{statistic} was counted by another definition")]
    Definition {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// Another bound, loss or noise scale.
    #[error(
        "{statistic} has another contribution bound, privacy loss or noise scale than the study asks for"
    )]
    Noise {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// Not one value for each cell.
    #[error("{statistic} does not have one value for each cell of its domain")]
    Cells {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// A value beyond every plausible count.
    #[error("{statistic} has a value beyond the limit of a cell")]
    Magnitude {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// No report though the study has shared tables, or one though it has none.
    #[error("the release has a report exactly if the study has shared tables")]
    Report,
    /// A charge that is not the study's.
    #[error("the release says another charge than the study's")]
    Charge,
}

impl AcceptedRelease {
    /// Checks a verified release against the round it says it answers and the node that sent it.
    ///
    /// # Errors
    /// [`ReleaseError`]: the first thing that differs.
    pub fn new(
        release: Verified<ReleaseDocument>,
        round: &Round,
        node: &NodeId,
        municipality: &MunicipalityNumber,
    ) -> Result<Self, ReleaseError> {
        let bound = [
            ("node", release.node == *node),
            ("municipality", release.municipality == *municipality),
            ("round", release.round == *round.id()),
            ("study", release.study == round.study().digest()),
            ("period", release.period == round.period()),
            ("question", release.release == round.question(municipality)),
        ];
        if let Some((what, _)) = bound.into_iter().find(|(_, same)| !same) {
            return Err(ReleaseError::Bound { what });
        }
        let local = || {
            let tables = round.study().tables().iter();
            tables.filter_map(|table| table.local.map(|loss| (table, loss)))
        };
        if release.tables.len() != local().count() {
            return Err(ReleaseError::Tables);
        }
        for (released, (table, loss)) in release.tables.iter().zip(local()) {
            check_table(released, table, loss)?;
        }
        if release.report.is_some() != round.study().layout().is_some() {
            return Err(ReleaseError::Report);
        }
        if release.charge_micro != round.study().charge() {
            return Err(ReleaseError::Charge);
        }
        Ok(Self { release })
    }

    /// The release.
    #[must_use]
    pub fn document(&self) -> &ReleaseDocument {
        &self.release
    }

    /// The release with its signed bytes.
    pub fn verified(&self) -> &Verified<ReleaseDocument> {
        &self.release
    }

    /// The head of the node's ledger after this release's charge.
    #[must_use]
    pub fn ledger_head(&self) -> Digest {
        ledger_head(self.release.ledger_previous, self.release.digest())
    }
}

/// The head of a ledger after the release with this payload digest was charged: the chain that the
/// node keeps and that anyone with the releases can follow.
#[must_use]
pub fn ledger_head(previous: Digest, release_payload: Digest) -> Digest {
    Digest::of_parts("fellestall/ledger/1", &[previous.as_bytes(), release_payload.as_bytes()])
}

/// The size in bytes that every release takes on the wire which differs from this one in its values
/// alone: as if each value were as wide as the limit of a cell lets it be. A smaller release is filled
/// up with blanks.
///
/// # Errors
/// As [`crate::signed::Envelope::to_json`].
pub fn wire_size(release: &Verified<ReleaseDocument>) -> Result<usize, SignatureError> {
    let widest = (-CELL_MAGNITUDE).to_string().len();
    let values = release.tables.iter().flat_map(|table| &table.values);
    let narrower = values.map(|value| widest.saturating_sub(value.to_string().len()));
    let size = release.envelope().size_with(narrower.fold(0, usize::saturating_add))?;
    Ok(size.min(RELEASE_BYTES))
}

fn check_table(released: &ReleasedTable, table: &Table, loss: Loss) -> Result<(), ReleaseError> {
    let statistic = table.statistic;
    if released.statistic != *statistic.id() {
        return Err(ReleaseError::Tables);
    }
    let id = || statistic.id().clone();
    if released.definition != statistic.definition()
        || released.definition_digest != statistic.digest()
    {
        return Err(ReleaseError::Definition { statistic: id() });
    }
    let nominal = loss.nominal_scale(statistic.bound());
    let scale_holds = (released.scale - nominal).abs() <= nominal * 1e-9;
    if released.loss != loss || released.bound != statistic.bound() || !scale_holds {
        return Err(ReleaseError::Noise { statistic: id() });
    }
    if released.values.len() != statistic.cells() {
        return Err(ReleaseError::Cells { statistic: id() });
    }
    if released.values.iter().any(|value| value.unsigned_abs() > CELL_MAGNITUDE.unsigned_abs()) {
        return Err(ReleaseError::Magnitude { statistic: id() });
    }
    Ok(())
}
