//! What the helper does with a task, a job and a claim.
//!
//! **Invariant:** nothing of a body is used before its signatures held and it was joined to its study
//! and round; a repeated request is answered from the store.

use super::Helper;
use super::error::HelperError;
use super::store::{Kept, KeptTask, NewJob, NewTaskRow, Opening};
use super::verify::{Looked, Verifier};
use crate::api::error::ApiError;
use crate::store::audit::Event;
use fellestall_shared::digest::Digest;
use fellestall_shared::limits::{BATCHES, JOB_REPORTS, JOBS};
use fellestall_shared::round::Round;
use fellestall_shared::secure::Checksum;
use fellestall_shared::secure::vdaf::{VERIFY_KEY_BYTES, Vdaf};
use fellestall_shared::secure::{Task, TaskError};
use fellestall_shared::signed::{Document, Envelope, Verified};
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::{
    BatchClaim, Job, NewTask, Rejection, RoundDocument, StudyDocument, TaskAcceptance, TaskDocument,
};
use std::sync::Arc;

impl Helper {
    /// Takes part in a task, if everything about it is right: the signed acceptance.
    pub(super) async fn accept(
        &self,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<Vec<u8>, HelperError> {
        let verifier = self.read_task(bytes)?;
        let (task, now) = (&verifier.task, self.clock.now());
        if task.digest() != digest {
            return Err(HelperError::Bound { what: "task" });
        }
        let (round, body) = (&task.document().round, body_digest(bytes));
        if let Some(kept) = self.store.acceptance(digest, round, body).await? {
            return self.accepted(kept, &verifier).await;
        }
        let unknown = self.store.unknown(&task.document().participants).await?;
        if !unknown.is_empty() {
            self.store.refused(Event::TaskRefused, round, now).await?;
            return Err(HelperError::Unknown(unknown));
        }
        let acceptance = self.signing_key.sign(&TaskAcceptance { task: digest });
        let new = NewTaskRow {
            task: digest,
            round: round.clone(),
            body,
            documents: bytes.to_vec(),
            acceptance: acceptance
                .and_then(|envelope| envelope.to_json())
                .map_err(HelperError::Sign)?,
            accepted: now,
        };
        let kept = self.store.accept(new).await?;
        tracing::info!(round = %round, task = %digest.short(), "takes part in a task");
        self.accepted(kept, &verifier).await
    }

    async fn accepted(&self, kept: KeptTask, verifier: &Verifier) -> Result<Vec<u8>, HelperError> {
        match kept {
            KeptTask::Accepted(acceptance) => Ok(acceptance),
            KeptTask::Conflict => {
                let round = &verifier.task.document().round;
                self.store.refused(Event::TaskConflict, round, self.clock.now()).await?;
                tracing::warn!(round = %round, "ALARM: another task came for a round, or a task with other contents");
                Err(HelperError::TaskConflict)
            }
        }
    }

    /// Verifies the reports of a job and adds up the good ones: what became of each.
    pub(super) async fn work(
        &self,
        task: Digest,
        number: u32,
        bytes: &[u8],
    ) -> Result<Vec<u8>, HelperError> {
        let verifier = self.task(task).await?;
        let job: Job = parse(bytes, "a job")?;
        let right = (1..=BATCHES).contains(&job.batch) && (1..=JOBS).contains(&number);
        if !right || job.reports.is_empty() || job.reports.len() > JOB_REPORTS {
            let what = "a batch and number within their limits, and some reports but not too many";
            return Err(ApiError::Malformed { what }.into());
        }
        let now = self.clock.now();
        let new = NewJob { task, job: number, batch: job.batch, body: body_digest(bytes), now };
        if let Some(kept) = self.store.job(&new).await? {
            return done(kept, number);
        }
        let opened = self.store.is_opened(task, job.batch).await?;
        let seen = self.store.used(task).await?;
        let sealing = Arc::clone(&self.sealing);
        let (verifier, looked) = tokio::task::spawn_blocking(move || {
            // An opened batch takes nothing, so that nothing of these reports need be opened.
            let looked = if opened {
                job.reports.iter().map(|_| Looked::Refused(Rejection::Opened)).collect()
            } else {
                verifier.look(&sealing, job.reports, seen)
            };
            (verifier, looked)
        })
        .await?;
        let kept = self.store.add_job(&new, looked, &verifier.vdaf).await?;
        done(kept, number)
    }

    /// Opens a batch, if both servers hold the same reports and enough of them.
    pub(super) async fn open(
        &self,
        task: Digest,
        batch: u32,
        bytes: &[u8],
    ) -> Result<Vec<u8>, HelperError> {
        let verifier = self.task(task).await?;
        let claim: BatchClaim = parse(bytes, "a claim")?;
        let checksum = Checksum::try_from(&claim.checksum);
        let checksum = checksum.map_err(|_| ApiError::Malformed { what: "a checksum" })?;
        if !(1..=BATCHES).contains(&batch) {
            return Err(ApiError::Malformed { what: "a batch within its limits" }.into());
        }
        let minimum = verifier.task.document().minimum;
        let (count, now) = (claim.count, self.clock.now());
        let claim = Opening { task, batch, count, checksum, minimum, now };
        let opened = self.store.open_batch(&claim, &verifier.vdaf, &self.signing_key).await;
        if matches!(opened, Err(HelperError::BatchConflict)) {
            tracing::warn!(task = %task.short(), batch, "ALARM: the coordinator claims other reports of a batch");
        }
        opened
    }

    /// A task that was accepted, checked anew.
    async fn task(&self, task: Digest) -> Result<Verifier, HelperError> {
        let stored = self.store.task(task).await?;
        let stored =
            stored.ok_or(ApiError::NotFound { what: "task that this helper takes part in" })?;
        self.read_task(&stored.documents)
    }

    fn read_task(&self, bytes: &[u8]) -> Result<Verifier, HelperError> {
        let new: NewTask = parse(bytes, "a task with its study, round and key")?;
        let wrong = ApiError::Malformed { what: "a key of 32 bytes" };
        let verify_key: [u8; VERIFY_KEY_BYTES] =
            new.verify_key.0.as_slice().try_into().map_err(|_| wrong)?;
        let study = self.verify::<StudyDocument>(new.study, "study")?;
        let study = Study::new(&study, self.catalogue).map_err(HelperError::Study)?;
        let round = self.verify::<RoundDocument>(new.round, "round")?;
        let round = Round::new(&round, study).map_err(HelperError::Round)?;
        let task = self.verify::<TaskDocument>(new.task, "task")?;
        let task = Task::new(&task, &round)?;
        let named = round.study().document().aggregation.as_ref();
        let ours = named.is_some_and(|named| {
            named.helper.signing_key == self.signing_key.verifying_key()
                && named.helper.sealing_key == self.sealing.public()
        });
        if !ours {
            return Err(HelperError::OtherHelper);
        }
        let layout = round.study().layout().ok_or(TaskError::NotShared)?;
        let vdaf = Vdaf::of(layout)?;
        Ok(Verifier { task, round, vdaf, verify_key })
    }

    fn verify<T: Document>(
        &self,
        envelope: Envelope,
        what: &'static str,
    ) -> Result<Verified<T>, HelperError> {
        envelope.verify(&self.leader).map_err(|source| HelperError::Signature { what, source })
    }
}

fn done(kept: Kept, number: u32) -> Result<Vec<u8>, HelperError> {
    match kept {
        Kept::Answer(answer) => Ok(answer),
        Kept::Conflict => {
            tracing::warn!(
                job = number,
                "ALARM: another job came under the number of one that is done"
            );
            Err(HelperError::JobConflict)
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    what: &'static str,
) -> Result<T, HelperError> {
    Ok(serde_json::from_slice(bytes).map_err(|_| ApiError::Malformed { what })?)
}

fn body_digest(bytes: &[u8]) -> Digest {
    Digest::of("fellestall/helper-body/1", bytes)
}
