//! What the register says no to, and what is wrong with one.
//!
//! **Invariant:** a refusal depends on the study, the register and the day alone.

use super::FILE;
use crate::files::FileError;
use fellestall_shared::ids::Purpose;
use fellestall_shared::period::Period;
use std::path::PathBuf;
use time::Date;

/// Why a study is not permitted here. It depends on the study, the register and the day alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// No such purpose.
    #[error(
        "the purpose {purpose} is not in the register of processing ({FILE}); register it first: fellestall-node register add STUDY (--help says what it asks)"
    )]
    Unregistered {
        /// The purpose.
        purpose: Purpose,
    },
    /// Another ground.
    #[error("the register has another legal basis for the purpose {purpose} than the study")]
    LegalBasis {
        /// The purpose.
        purpose: Purpose,
    },
    /// Another controller.
    #[error("the register has another controller for the purpose {purpose} than the study")]
    Controller {
        /// The purpose.
        purpose: Purpose,
    },
    /// Before the start.
    #[error("the project for the purpose {purpose} starts on {starts}")]
    NotStarted {
        /// The purpose.
        purpose: Purpose,
        /// Its first day.
        starts: Date,
    },
    /// After the end.
    #[error("the project for the purpose {purpose} ended on {ends}")]
    Ended {
        /// The purpose.
        purpose: Purpose,
        /// Its last day.
        ends: Date,
    },
    /// A period that is not wholly within the project.
    #[error("the period {period} is not wholly within the project for the purpose {purpose}")]
    Period {
        /// The purpose.
        purpose: Purpose,
        /// The period.
        period: Period,
    },
    /// A column that the purpose does not allow.
    #[error("the study reads {field}, which the register does not allow for the purpose {purpose}")]
    Field {
        /// The purpose.
        purpose: Purpose,
        /// The first column that is not allowed.
        field: String,
    },
}

/// What is wrong with the register.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML in the form it should be.
    #[error("{}: {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
    /// A value that cannot be.
    #[error("{}: purpose {purpose}: {key} {what}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The purpose.
        purpose: String,
        /// The key.
        key: &'static str,
        /// What is wrong, and how to mend it.
        what: &'static str,
    },
}

/// Why an entry was not added. The register is as it was.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The register cannot be used, or could not be with the entry.
    #[error("nothing was added to the register")]
    Register(#[from] RegisterError),
    /// The purpose has an entry.
    #[error(
        "the purpose {purpose} is in {} already; correct its entry there, then: fellestall-node register check",
        path.display()
    )]
    Stands {
        /// The purpose.
        purpose: Purpose,
        /// The file.
        path: PathBuf,
    },
    /// The entry cannot be written as TOML.
    #[error("the entry cannot be written; nothing was added to the register")]
    Form(#[from] toml::ser::Error),
    /// The file cannot be written.
    #[error("nothing was added to the register")]
    File(#[from] FileError),
}
