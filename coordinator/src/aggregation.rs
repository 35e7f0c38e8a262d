//! The leader of secure aggregation: verifies reports with the helper, adds them up, and opens a batch.
//!
//! What a step does is written down before the helper is asked, and the helper's answer is stored in
//! the transaction in which it takes effect. After a crash, or when an answer was lost, the same bytes
//! are sent again. Several processes may drive one round: each step is decided by the store.
//!
//! **Invariant:** a report enters the sum once or never; what is opened was checked by everything that
//! a publication is checked by, and is opened once.

use crate::helper::client::{ClientSetupError, HelperCallError, HelperClient};
use crate::home::{Home, HomeError};
use crate::publish::PublishError;
use crate::rounds::{LoadError, LoadedRound, task};
use crate::store::tasks::StoredTask;
use crate::store::{Store, StoreError};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Clock;
use fellestall_shared::digest::Digest;
use fellestall_shared::round::Round;
use fellestall_shared::secure::vdaf::{BadAggregate, BadVector, VERIFY_KEY_BYTES, Vdaf};
use fellestall_shared::secure::{BadChecksum, Layout, Task, TaskError};
use fellestall_shared::signed::{Envelope, SignatureError, VerifyingKey};
use fellestall_shared::wire::v1::HelperIdentity;
use secret::{SecretError, TaskSecret};
use std::path::PathBuf;
use std::sync::Arc;

pub mod background;
mod jobs;
pub mod opening;
pub mod secret;
mod verifying;

/// The leader's side of every task of this coordinator.
pub struct Leader {
    store: Store,
    key: VerifyingKey,
    catalogue: &'static Catalogue,
    directory: PathBuf,
    clock: Arc<dyn Clock>,
}

/// Why a round's shared tables are not further than they were.
#[derive(Debug, thiserror::Error)]
pub enum AggregationError {
    /// No helper to ask.
    #[error(
        "the study has shared tables, and this coordinator trusts no helper: give `aggregation trust-helper` the helper's card"
    )]
    NoHelper,
    /// The helper's card, or what the coordinator shows the helper.
    #[error("the helper that this coordinator trusts cannot be asked")]
    Setup(#[from] ClientSetupError),
    /// The coordinator's directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The helper cannot be asked, or refuses.
    #[error("the helper's {what} did not come")]
    Helper {
        /// What it was asked for.
        what: &'static str,
        /// Why it did not come.
        #[source]
        source: HelperCallError,
    },
    /// The helper answered something that does not belong to what it was asked.
    #[error(
        "the helper's {what} does not belong to what it was asked for; nothing was changed, and this stands as an alarm"
    )]
    Answer {
        /// Which answer.
        what: &'static str,
    },
    /// What would be sent again is not what was sent before.
    #[error(
        "job {job} of {round} would not be sent in the bytes that were written down: the secret for reports in the coordinator's directory is another one; restore it from the backup"
    )]
    OtherBytes {
        /// The job.
        job: u32,
        /// Its round.
        round: String,
    },
    /// A directory with another secret for reports than the one that was first used.
    #[error(
        "{path} is not the one with which this database was first used: copy it from the other instances' directory, or restore it from the backup"
    )]
    OtherSecret {
        /// The file.
        path: PathBuf,
    },
    /// Reports that keep coming.
    #[error("reports keep coming; try again")]
    Busy,
    /// What would be opened could not be published.
    #[error("the batch stays sealed")]
    Refused(#[from] PublishError),
    /// What is stored of an earlier publication.
    #[error("what is stored of an earlier publication cannot be read")]
    Summary(#[from] serde_json::Error),
    /// A vector of no use.
    #[error(transparent)]
    Vector(#[from] BadVector),
    /// A stored share of no use.
    #[error("a stored share of a sum cannot be used")]
    Share(#[from] BadAggregate),
    /// A stored checksum of no use.
    #[error("a stored checksum cannot be used")]
    Checksum(#[from] BadChecksum),
    /// A task of no use.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A stored document whose signature does not hold.
    #[error("a stored document is not in the form in which it was stored")]
    Signature(#[from] SignatureError),
    /// A stored round or task.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secret for reports.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The process is ending.
    #[error("the work was given up because the process is ending")]
    Ending,
}

/// A round's task with all that its reports are verified by.
struct Aggregated {
    round: Arc<Round>,
    task: Arc<Task>,
    task_envelope: Envelope,
    study_envelope: Envelope,
    round_envelope: Envelope,
    stored: StoredTask,
    layout: Layout,
    helper: HelperIdentity,
    vdaf: Arc<Vdaf>,
}

impl Leader {
    /// The leader of the coordinator in `home`. The secret that its tasks' keys are derived from is made
    /// on first use.
    #[must_use]
    pub fn new(
        home: &Home,
        store: Store,
        catalogue: &'static Catalogue,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (key, directory) = (home.signing_key.verifying_key(), home.directory.clone());
        Self { store, key, catalogue, directory, clock }
    }

    /// The key that both servers verify the reports of a task with.
    async fn verify_key(&self, task: Digest) -> Result<[u8; VERIFY_KEY_BYTES], AggregationError> {
        // With another secret than the other instances' every honest report would be rejected. Only for
        // the first use may one be made.
        let secret = match self.store.directory_file(secret::FILE).await? {
            Some(_) => TaskSecret::read(&self.directory)?,
            None => TaskSecret::of(&self.directory)?,
        };
        if !self.store.is_of_directory(secret::FILE, secret.fingerprint()).await? {
            return Err(AggregationError::OtherSecret { path: self.directory.join(secret::FILE) });
        }
        Ok(secret.verify_key(task))
    }

    /// A client of the helper that this coordinator trusts at this moment, with a certificate of its own.
    fn helper(&self) -> Result<HelperClient, AggregationError> {
        let home = Home::open(&self.directory)?;
        let client = HelperClient::new(&home, Arc::clone(&self.clock))?;
        client.ok_or(AggregationError::NoHelper)
    }

    /// What a round's reports are verified by; `None` if it has no shared tables.
    async fn aggregated(
        &self,
        loaded: &LoadedRound,
    ) -> Result<Option<Aggregated>, AggregationError> {
        let study = loaded.round.study();
        let shared = study.layout().zip(study.document().aggregation.as_ref());
        let Some((layout, aggregation)) = shared else { return Ok(None) };
        let stored = self.store.task_of_round(loaded.round.id()).await?;
        let stored = stored.ok_or(LoadError::Unknown)?;
        let (task_envelope, task) = task::read(&self.key, loaded, &stored)?;
        Ok(Some(Aggregated {
            round: Arc::new(loaded.round.clone()),
            task: Arc::new(task),
            task_envelope,
            study_envelope: loaded.study_envelope.clone(),
            round_envelope: loaded.round_envelope.clone(),
            stored,
            layout: *layout,
            helper: aggregation.helper.clone(),
            vdaf: Arc::new(Vdaf::of(layout)?),
        }))
    }

    /// An answer of the helper that cannot be: written down as an alarm, once.
    async fn fault(&self, round: &Round, what: &'static str) -> AggregationError {
        tracing::warn!(round = %round.id(), what, "ALARM: the helper's answer does not belong to what it was asked");
        let subject = format!("{} {what}", round.id());
        match self.store.helper_fault(&subject, self.clock.now()).await {
            Ok(()) => AggregationError::Answer { what },
            Err(error) => error.into(),
        }
    }
}
