//! What the node keeps, why and until when; and what it destroys when a project has ended.
//!
//! **Invariant:** the ledger, its releases and the audit log are never destroyed: a budget must not
//! come back, and figures that have left must stay explainable. Nothing is destroyed for a purpose
//! whose project has not ended.

use crate::audit::AuditError;
use crate::config::{Config, ConfigError};
use crate::decisions::DecisionError;
use crate::engine::{self, EngineError};
use crate::files::FileError;
use crate::kernel::{KernelError, LedgerEntry};
use crate::keys::{KeyError, KeyStore};
use crate::register::{AtEnd, Register};
use crate::state::{Membership, State, StateError};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, Purpose, ReleaseId, RoundId};
use fellestall_shared::signed::SignatureError;
use fellestall_shared::wire::v1::{RoundDocument, StudyDocument};
use serde::{Deserialize, Serialize, Serializer};
use std::path::{Path, PathBuf};
use time::Date;

mod attestation;
mod purge;
mod text;

pub use attestation::{Attestation, KeptItem, attestations, verify};
pub use purge::{Purged, purge};
pub(crate) use text::day;

/// Something that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// The configuration file.
    Configuration,
    /// The register of processing.
    Register,
    /// The enrolment: the coordinator's address and authority, and what it last answered.
    Enrolment,
    /// The users of the console: names, roles and salted digests of their secrets.
    ConsoleUsers,
    /// The keys of the node: signing, choosing cells, TLS.
    Keys,
    /// Every charge, with the exact bytes that left.
    Ledger,
    /// The audit log.
    AuditLog,
    /// The studies that a release answers.
    AnsweredStudies,
    /// Studies and rounds that were not answered, and decisions about them.
    UnansweredDocuments,
    /// The key of the purpose's consent snapshots.
    SnapshotKey,
    /// The attestation of an earlier purge.
    Attestation,
    /// The municipality's own records, which the node reads and does not keep.
    MunicipalRecords,
}

/// Why it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The node runs by it.
    NeededToRun,
    /// It says which processing is permitted.
    RecordOfProcessing,
    /// A privacy budget that was spent must not come back, and a question must get the same answer.
    BudgetStaysSpent,
    /// It shows what happened, to whoever has to check it.
    Accountability,
    /// It explains figures that have left.
    ExplainsReleases,
    /// It may still be answered.
    MayBeAnswered,
    /// It shows whose consents a release rests on.
    ShowsConsents,
    /// It proves what was destroyed.
    ProvesPurge,
    /// It is the municipality's, not the node's.
    MunicipalitysOwn,
}

/// Until when it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "until", rename_all = "snake_case")]
pub enum Until {
    /// As long as the node is in use.
    NodeInUse,
    /// As long as figures that have left are in use.
    FiguresInUse,
    /// Until the project has ended, on this day, and a purge.
    ProjectEnd {
        /// The last day of the project.
        #[serde(serialize_with = "iso")]
        ends: Date,
    },
    /// What the register says of the municipality's own records, after this day.
    Municipality {
        /// The last day of the project.
        #[serde(serialize_with = "iso")]
        ends: Date,
        /// What the municipality does then.
        at_end: AtEnd,
    },
}

/// A day as 2026-12-31.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) fn iso<S: Serializer>(day: &Date, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(day)
}

/// One thing that the node keeps, or that it has to do with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// What.
    pub item: Item,
    /// For which purpose; `None` for the node as a whole.
    pub purpose: Option<Purpose>,
    /// Why.
    pub why: Why,
    /// Until when.
    #[serde(flatten)]
    pub until: Until,
    /// Whether a purge would destroy it today.
    pub may_be_purged: bool,
}

/// Why it cannot be said or done.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The audit log cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The studies cannot be read.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// A signature does not hold, or could not be made.
    #[error("{}: the attestation does not hold", path.display())]
    Attestation {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: SignatureError,
    },
    /// The node is not enrolled.
    #[error(
        "this node is not enrolled: it has asked and answered nothing, and there is nothing to purge"
    )]
    NotEnrolled,
    /// No such purpose.
    #[error(
        "the purpose {purpose} is not in the register of processing; fellestall-node retention lists those that are"
    )]
    Unregistered {
        /// The purpose.
        purpose: Purpose,
    },
    /// The project goes on.
    #[error(
        "the project for the purpose {purpose} ends on {ends}: it can be purged from the day after. Nothing was destroyed"
    )]
    NotEnded {
        /// The purpose.
        purpose: Purpose,
        /// Its last day.
        ends: Date,
    },
}

impl From<KernelError> for RetentionError {
    fn from(error: KernelError) -> Self {
        Self::Engine(error.into())
    }
}

/// Everything that the node in `directory` keeps on `today`: first in general, then for each purpose
/// in the register.
///
/// # Errors
/// [`RetentionError`]: the ledger and the state are read, and records are not.
pub fn kept(
    directory: &Path,
    register: &Register,
    today: Date,
) -> Result<Vec<Kept>, RetentionError> {
    let general = |item, why, until| Kept { item, purpose: None, why, until, may_be_purged: false };
    let mut kept = vec![
        general(Item::Configuration, Why::NeededToRun, Until::NodeInUse),
        general(Item::Register, Why::RecordOfProcessing, Until::NodeInUse),
        general(Item::Enrolment, Why::NeededToRun, Until::NodeInUse),
        general(Item::ConsoleUsers, Why::NeededToRun, Until::NodeInUse),
        general(Item::Keys, Why::NeededToRun, Until::NodeInUse),
        general(Item::Ledger, Why::BudgetStaysSpent, Until::NodeInUse),
        general(Item::AuditLog, Why::Accountability, Until::NodeInUse),
    ];
    let holdings = Holdings::gather(directory)?;
    let keys = KeyStore::new(directory);
    for registered in register.purposes() {
        let (purpose, ends) = (&registered.purpose, registered.ends);
        let ended = today > ends;
        let mut add = |item, why, until| {
            let may_be_purged = ended && matches!(until, Until::ProjectEnd { .. });
            let purpose = Some(purpose.clone());
            kept.push(Kept { item, purpose, why, until, may_be_purged });
        };
        if holdings.answered(purpose) {
            add(Item::AnsweredStudies, Why::ExplainsReleases, Until::FiguresInUse);
        }
        if !holdings.unanswered(purpose).is_empty() {
            add(Item::UnansweredDocuments, Why::MayBeAnswered, Until::ProjectEnd { ends });
        }
        if keys.has_snapshot(purpose) {
            add(Item::SnapshotKey, Why::ShowsConsents, Until::ProjectEnd { ends });
        }
        if !attestations(directory, purpose)?.is_empty() {
            add(Item::Attestation, Why::ProvesPurge, Until::NodeInUse);
        }
        let at_end = registered.at_end;
        add(Item::MunicipalRecords, Why::MunicipalitysOwn, Until::Municipality { ends, at_end });
    }
    Ok(kept)
}

/// What the state and the ledger hold of each purpose.
struct Holdings {
    studies: Vec<(Digest, StudyDocument)>,
    rounds: Vec<(Digest, RoundDocument)>,
    decisions: Vec<Digest>,
    history: Vec<LedgerEntry>,
    membership: Option<Membership>,
}

/// Documents of one purpose that no release rests on, by the digest of their payload.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// Studies.
    pub studies: Vec<Digest>,
    /// Rounds.
    pub rounds: Vec<Digest>,
    /// The rounds again, by which their tasks are found.
    pub tasks: Vec<RoundId>,
    /// Decisions, by study.
    pub decisions: Vec<Digest>,
}

impl Unanswered {
    fn is_empty(&self) -> bool {
        self.studies.is_empty() && self.rounds.is_empty() && self.decisions.is_empty()
    }
}

impl Holdings {
    fn gather(directory: &Path) -> Result<Self, RetentionError> {
        let state = State::open(directory)?;
        let Some(membership) = state.membership()? else {
            let (studies, rounds, decisions, history) = Default::default();
            return Ok(Self { studies, rounds, decisions, history, membership: None });
        };
        let key = &membership.coordinator_key;
        // A document whose signature does not hold is nobody's; it is never answered, and is shown as
        // unusable elsewhere.
        let studies = state.studies()?.into_iter().filter_map(|stored| {
            let study = stored.envelope.verify::<StudyDocument>(key).ok()?;
            Some((study.digest(), StudyDocument::clone(&study)))
        });
        let rounds = state.rounds()?.into_iter().filter_map(|stored| {
            let round = stored.envelope.verify::<RoundDocument>(key).ok()?;
            Some((round.digest(), RoundDocument::clone(&round)))
        });
        let (studies, rounds) = (studies.collect(), rounds.collect());
        let decisions = state.decisions()?.into_iter().map(|decision| decision.study).collect();
        let history = engine::open(&Config::read(directory)?, &membership)?.history()?;
        Ok(Self { studies, rounds, decisions, history, membership: Some(membership) })
    }

    fn municipality(&self) -> Option<&MunicipalityNumber> {
        self.membership.as_ref().map(|membership| &membership.municipality)
    }

    /// Whether a release answers this study, or this study over this period.
    fn is_released(&self, study: Digest, round: Option<&RoundDocument>) -> bool {
        let Some(municipality) = self.municipality() else { return false };
        self.history.iter().any(|entry| {
            let same = round.is_none_or(|round| round.period == entry.period);
            same && entry.release == ReleaseId::of(study, entry.period, municipality)
        })
    }

    /// Whether a release answers any study of a purpose.
    fn answered(&self, purpose: &Purpose) -> bool {
        self.studies_of(purpose).any(|study| self.is_released(study, None))
    }

    fn studies_of(&self, purpose: &Purpose) -> impl Iterator<Item = Digest> {
        let of = move |(_, study): &&(Digest, StudyDocument)| study.purpose == *purpose;
        self.studies.iter().filter(of).map(|(digest, _)| *digest)
    }

    /// What of a purpose no release rests on.
    fn unanswered(&self, purpose: &Purpose) -> Unanswered {
        let all: Vec<Digest> = self.studies_of(purpose).collect();
        let studies: Vec<Digest> =
            all.iter().copied().filter(|study| !self.is_released(*study, None)).collect();
        let (rounds, tasks) = self
            .rounds
            .iter()
            .filter(|(_, round)| all.contains(&round.study))
            .filter(|(_, round)| !self.is_released(round.study, Some(round)))
            .map(|(digest, round)| (*digest, round.round.clone()))
            .unzip();
        let decisions =
            self.decisions.iter().copied().filter(|study| studies.contains(study)).collect();
        Unanswered { studies, rounds, tasks, decisions }
    }
}
