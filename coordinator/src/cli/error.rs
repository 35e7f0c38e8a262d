//! Why a command failed, and the exit code it ends with.
//!
//! **Invariant:** every message says what is wrong and, where the operator can, how to mend it.

use crate::admin::password::PasswordError;
use crate::helper::card::BadCard;
use crate::helper::home::HelperHomeError;
use crate::helper::server::HelperStartError;
use crate::home::HomeError;
use crate::instance::InstanceError;
use crate::invitation::InviteError;
use crate::publish::verify::VerifyError;
use crate::rounds::publication::PublicationError;
use crate::rounds::{LoadError, OpenError, PublishStudyFailure};
use crate::server::StartError;
use crate::store::StoreError;
use crate::store::nodes::DecideError;
use crate::store::staff::AddStaffError;
use fellestall_shared::catalogue::CatalogueError;
use fellestall_shared::ids::{NodeId, RoundId};
use std::io;
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database, or a directory that is not of its coordinator.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The catalogue that the program was built with.
    #[error(transparent)]
    Catalogue(#[from] &'static CatalogueError),
    /// The service did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// No invitation.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// No decision about a node.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// No study.
    #[error(transparent)]
    Study(#[from] PublishStudyFailure),
    /// No template.
    #[error(transparent)]
    Template(#[from] crate::template::TemplateError),
    /// No round opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A stored study or round.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No publication.
    #[error(transparent)]
    Publication(#[from] PublicationError),
    /// The shared tables were not opened.
    #[error("the shared tables were not opened, and the round stays as it was")]
    Aggregation(#[from] crate::aggregation::AggregationError),
    /// The databank.
    #[error(transparent)]
    Databank(#[from] crate::databank::DatabankError),
    /// No report.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
    /// Nothing was simulated.
    #[error(transparent)]
    Simulate(#[from] crate::simulate::SimulateError),
    /// No picture.
    #[error(transparent)]
    Picture(#[from] crate::simulate::picture::PictureError),
    /// Nobody was added to the staff.
    #[error(transparent)]
    AddStaff(#[from] AddStaffError),
    /// A password that cannot be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Two different passwords.
    #[error("the two passwords are not the same; nobody was added")]
    PasswordsDiffer,
    /// A subject without a provider.
    #[error(
        "coordinator.toml names no provider: add [admin.oidc], or give --password for a local account"
    )]
    NoProvider,
    /// Nobody of that name.
    #[error("there is nobody called {name} among the staff; see `staff list`")]
    NoStaff {
        /// The name.
        name: String,
    },
    /// No such publication.
    #[error("there is no version {version} of {round}; see `publications list`")]
    NoPublication {
        /// The round asked for.
        round: RoundId,
        /// The version asked for.
        version: u32,
    },
    /// The helper's directory.
    #[error(transparent)]
    HelperHome(#[from] HelperHomeError),
    /// The helper did not start.
    #[error(transparent)]
    HelperStart(#[from] HelperStartError),
    /// A file that is no card or roster.
    #[error("the file cannot be used")]
    Card(#[from] BadCard),
    /// A card with another fingerprint than was read out.
    #[error(
        "the card in the file has the fingerprint {fingerprint}, which is not what you typed (at least 16 digits): nothing is trusted; ask the other operator for the card again, by another way"
    )]
    Fingerprint {
        /// The fingerprint of the card in the file.
        fingerprint: String,
    },
    /// A node with another key than it was admitted with.
    #[error(
        "a node of the roster was admitted before with another key, and nobody was admitted now; ask its municipality, then `helper expel` it and admit it again"
    )]
    OtherKey,
    /// A node that was not admitted.
    #[error("{node} is not admitted; see `helper participants`")]
    NotAdmitted {
        /// The node.
        node: NodeId,
    },
    /// No helper.
    #[error("this coordinator trusts no helper yet; see `aggregation trust-helper`")]
    NoHelper,
    /// A file that does not verify.
    #[error("the file does not verify")]
    Verify(#[from] VerifyError),
    /// A key that is none.
    #[error("--key must be the 32 bytes of a public key in base64, as `key` prints it")]
    TrustedKey,
    /// A file that cannot be read or written.
    #[error("{path} cannot be {what}")]
    File {
        /// Which file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A study's file that cannot be read.
    #[error("{path} is not a study")]
    StudyFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong in it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A helper's card that cannot be read.
    #[error("{path} is not a helper's card: JSON with name, signing_key and sealing_key")]
    HelperCard {
        /// Which file.
        path: PathBuf,
        /// What is wrong in it.
        #[source]
        source: serde_json::Error,
    },
    /// An address that nodes cannot dial.
    #[error("--url must be https://HOST or https://HOST:PORT, as https://tall.example.no:8443")]
    Url,
    /// The terminal or pipe that is written to.
    #[error("the output could not be written")]
    Output(#[from] io::Error),
    /// Facts that cannot be written as JSON or TOML.
    #[error("the facts could not be written")]
    Encoding(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The runtime.
    #[error("the signals of the system cannot be heard")]
    Signals(#[source] io::Error),
}

impl CliError {
    /// The exit code, as the help says.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Verify(_)) { 3 } else { 1 }
    }
}
