//! How a command ends.
//!
//! **Invariant:** every failure has one of the exit codes in `--help`.

use crate::audit::AuditError;
use crate::client::ClientError;
use crate::config::ConfigError;
use crate::daemon::DaemonError;
use crate::decisions::DecisionError;
use crate::engine::{EngineError, Severity};
use crate::enrol::EnrolError;
use crate::evidence::{EvidenceError, RenderError};
use crate::files::FileError;
use crate::kernel::KernelError;
use crate::kernel::source::SourceError;
use crate::keys::KeyError;
use crate::register::{AddError, RegisterError};
use crate::retention::RetentionError;
use crate::rights::RightsError;
use crate::state::StateError;
use crate::witness::RecoverError;
use std::path::PathBuf;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// The command was not understood.
    Usage,
    /// Refused: by the budget, by the policy, or by the coordinator.
    Refused,
    /// The coordinator cannot be reached.
    Unreached,
}

impl Exit {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Unreached => 4,
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The register of processing cannot be used.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The entry was not added to the register.
    #[error(transparent)]
    Add(#[from] AddError),
    /// The enrolment failed.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The decision was not taken.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// The kernel cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The records cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The audit log cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The node was not recovered.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The console cannot be served.
    #[error(transparent)]
    Console(#[from] crate::console::StartError),
    /// A user of the console cannot be added or removed.
    #[error(transparent)]
    User(#[from] crate::console::UserError),
    /// The node stopped.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// The node is not enrolled.
    #[error("this node is not enrolled yet; run: fellestall-node enrol --invitation FILE")]
    NotEnrolled,
    /// A directory that is a node's already.
    #[error(
        "{} is there already; it is not overwritten. Use another directory (--dir) for another node",
        path.display()
    )]
    Exists {
        /// The configuration file.
        path: PathBuf,
    },
    /// A file that is there already.
    #[error("{} is there already; it is not overwritten. Name another file", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// What a participant has a right to know cannot be said.
    #[error(transparent)]
    Rights(#[from] RightsError),
    /// What is kept cannot be said, or not be destroyed.
    #[error(transparent)]
    Retention(#[from] RetentionError),
    /// The evidence cannot be gathered.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A page cannot be written.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The invitation's file cannot be read.
    #[error("cannot read the invitation {}", path.display())]
    Invitation {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A file that the operator named cannot be read.
    #[error("cannot read {what}")]
    Input {
        /// What it should hold.
        what: &'static str,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A file that is there already.
    #[error("{} is there already; it is not overwritten", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// No release by that name, or several.
    #[error(
        "{asked} is not the beginning of exactly one release; fellestall-node releases lists them"
    )]
    NoRelease {
        /// What was asked for.
        asked: String,
    },
    /// The time is outside the calendar.
    #[error("this machine's clock is outside the calendar; set it right")]
    Clock,
    /// The runtime could not be started.
    #[error("the program could not start its event loop")]
    Runtime(#[source] std::io::Error),
    /// Standard output cannot be written.
    #[error("standard output cannot be written")]
    Output(#[source] std::io::Error),
}

impl From<KernelError> for CliError {
    fn from(error: KernelError) -> Self {
        Self::Engine(EngineError::from(error))
    }
}

impl CliError {
    /// The exit code for this failure.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Recover(RecoverError::Client(error))
            | Self::Enrol(EnrolError::Client(error))
            | Self::Daemon(DaemonError::Enrol(EnrolError::Client(error))) => of_client(error),
            Self::Daemon(DaemonError::Denied { .. })
            | Self::Retention(RetentionError::NotEnded { .. })
            | Self::Decision(
                DecisionError::NotInForce { .. }
                | DecisionError::NotPermitted { .. }
                | DecisionError::SamePerson { .. }
                | DecisionError::Nobody,
            ) => Exit::Refused,
            Self::Engine(error) | Self::Daemon(DaemonError::Engine(error))
                if error.severity() == Severity::Refused =>
            {
                Exit::Refused
            }
            _ => Exit::Failed,
        }
    }
}

/// The exit code for a request that got no good answer.
pub fn of_client(error: &ClientError) -> Exit {
    match error {
        _ if error.is_unreached() => Exit::Unreached,
        ClientError::Refused { kind, .. } if kind.is_transient() => Exit::Unreached,
        ClientError::Refused { .. } => Exit::Refused,
        _ => Exit::Failed,
    }
}
