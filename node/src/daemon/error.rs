//! Why a node does not run.
//!
//! **Invariant:** each message says what to mend; none carries anything of a record.

use crate::audit::AuditError;
use crate::config::ConfigError;
use crate::decisions::DecisionError;
use crate::engine::EngineError;
use crate::enrol::EnrolError;
use crate::keys::KeyError;
use crate::register::RegisterError;
use crate::state::StateError;

/// Why the node cannot run, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The node is not enrolled, or its coordinator cannot be dialled.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The register of processing cannot be used.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The decisions cannot be read.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// The ledger or the kernel cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The audit log cannot be used: nothing is released.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The coordinator takes nothing from this node any more.
    #[error(
        "the coordinator has denied this node: {detail}. The node stopped; enrol again with a new invitation once that is agreed"
    )]
    Denied {
        /// What it says.
        detail: String,
    },
    /// The certificate expired while the node was off.
    #[error(
        "this node's certificate has expired (or this machine's clock is wrong: it says {now}): run: fellestall-node enrol --invitation FILE, with the invitation that it was invited with or, if that is gone, a new one from the coordinator's operator"
    )]
    CertificateExpired {
        /// The moment by this machine's clock.
        now: String,
    },
}

/// An error with its causes, in one line.
#[must_use]
pub fn explain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // A transparent error repeats its cause.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
