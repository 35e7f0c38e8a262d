//! The kernel as the node's shell uses it: opened with this node's keys and configuration.
//!
//! **Invariant:** blocking; nothing here waits for the network, and nothing of a record comes out.

use crate::audit::Unanswered;
use crate::config::Config;
use crate::kernel::source::{Mapping, MappingError, SourceConfig};
use crate::kernel::{
    Account, ApprovedRound, Budget, Cap, JournalError, Kernel, KernelConfig, KernelError,
    LedgerEntry, Recorded, Release, Secrets, SnapshotKey,
};
use crate::keys::{KeyError, KeyStore};
use crate::state::Membership;
use crate::waiting::told;
use fellestall_shared::ids::StudyId;
use fellestall_shared::period::Period;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// The ledger's file.
pub const LEDGER: &str = "ledger.sqlite";

/// Why the kernel gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The kernel refuses or fails.
    #[error("{0}")]
    Kernel(#[source] Box<KernelError>),
    /// The mapping file cannot be read.
    #[error("records.mapping: {} cannot be read", path.display())]
    MappingFile {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The mapping is none.
    #[error("records.mapping: {}", path.display())]
    Mapping {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        #[source]
        source: Box<MappingError>,
    },
    /// The blocking work was cut off.
    #[error("the work was cut off before it was done; the next start finds out what was recorded")]
    CutOff,
}

impl From<KernelError> for EngineError {
    fn from(error: KernelError) -> Self {
        Self::Kernel(Box::new(error))
    }
}

/// What an error means for the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The budget or the policy says no.
    Refused,
    /// Someone has to mend something; the question is asked again later.
    Mend,
    /// Only a person can judge: the node stops.
    Fatal,
}

impl EngineError {
    /// What this means for the node.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Kernel(error) => of_kernel(error),
            Self::CutOff => Severity::Fatal,
            _ => Severity::Mend,
        }
    }
}

impl EngineError {
    /// What the audit log says of a round that is not answered for this.
    #[must_use]
    pub fn reason(&self) -> Unanswered {
        match self {
            Self::Kernel(error) => match **error {
                KernelError::Budget(_) => Unanswered::Budget,
                KernelError::AnsweredBefore { .. } => Unanswered::AnsweredBefore,
                KernelError::Source(_)
                | KernelError::NotRecorded { .. }
                | KernelError::Count(_) => Unanswered::Records,
                KernelError::NoTask | KernelError::Task(_) | KernelError::NotListed => {
                    Unanswered::Task
                }
                _ => Unanswered::Other,
            },
            Self::MappingFile { .. } | Self::Mapping { .. } => Unanswered::Records,
            _ => Unanswered::Other,
        }
    }
}

fn of_kernel(error: &KernelError) -> Severity {
    match error {
        KernelError::Budget(_) | KernelError::AnsweredBefore { .. } => Severity::Refused,
        KernelError::Lost => Severity::Fatal,
        KernelError::Journal(error) => match error {
            JournalError::Open { .. }
            | JournalError::ReadOnly { .. }
            | JournalError::Full { .. }
            | JournalError::Busy { .. } => Severity::Mend,
            _ => Severity::Fatal,
        },
        _ => Severity::Mend,
    }
}

/// Opens a node's kernel: the whole ledger is verified.
///
/// # Errors
/// [`EngineError`].
pub fn open(config: &Config, membership: &Membership) -> Result<Kernel, EngineError> {
    let keys = KeyStore::new(&config.directory);
    let count_key = keys.count()?;
    let secrets = Secrets::new(*count_key, keys.release()?);
    let budget = Budget {
        lifetime: config.budget.lifetime,
        year: config.budget.year,
        study: config.budget.study,
    };
    let kernel = KernelConfig {
        journal: config.directory.join(LEDGER),
        node: membership.node.clone(),
        municipality: membership.municipality.clone(),
        budget,
    };
    Ok(Kernel::open(kernel, secrets)?)
}

/// Where the records are and how they are read.
///
/// # Errors
/// [`EngineError::MappingFile`] or [`EngineError::Mapping`].
pub fn source(config: &Config) -> Result<SourceConfig, EngineError> {
    let mapping = match &config.mapping {
        None => Mapping::standard().map_err(|source| EngineError::Mapping {
            path: config.directory.join(crate::config::FILE),
            source: Box::new(source),
        })?,
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|source| EngineError::MappingFile { path: path.clone(), source })?;
            Mapping::parse(&text).map_err(|source| EngineError::Mapping {
                path: path.clone(),
                source: Box::new(source),
            })?
        }
    };
    let source = SourceConfig::new(config.records.clone(), mapping, config.rejected_rows);
    Ok(SourceConfig { limits: config.limits, ..source })
}

/// The release of a round: made now, or the one that was recorded.
///
/// # Errors
/// [`EngineError`]; nothing may be sent then.
pub fn release(
    kernel: &mut Kernel,
    config: &Config,
    round: &ApprovedRound,
) -> Result<Release<Recorded>, EngineError> {
    let purpose = &round.round().study().document().purpose;
    let key = KeyStore::new(&config.directory).snapshot(purpose)?;
    let (source, key) = (source(config)?, SnapshotKey::from_bytes(*key));
    Ok(told(&source.progress, || kernel.release(round, &source, &key))?)
}

/// What is spent and left: over the lifetime, each year and each study of which anything was
/// released.
///
/// # Errors
/// [`EngineError`].
pub fn accounts(
    kernel: &Kernel,
    history: &[LedgerEntry],
) -> Result<Vec<(Cap, Account)>, EngineError> {
    let mut years: BTreeMap<u16, (StudyId, Period)> = BTreeMap::new();
    let mut studies: BTreeMap<StudyId, Period> = BTreeMap::new();
    for entry in history {
        years.insert(entry.period.year(), (entry.study.clone(), entry.period));
        studies.insert(entry.study.clone(), entry.period);
    }
    let mut accounts = Vec::new();
    if let Some((study, period)) = studies.first_key_value() {
        accounts.push((Cap::Lifetime, kernel.balance(study, *period)?.lifetime));
    }
    for (year, (study, period)) in &years {
        accounts.push((Cap::Year(*year), kernel.balance(study, *period)?.year));
    }
    for (study, period) in &studies {
        accounts.push((Cap::Study(study.clone()), kernel.balance(study, *period)?.study));
    }
    Ok(accounts)
}
