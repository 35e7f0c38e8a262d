//! Driving a round: the helper's acceptance, then job after job until nothing waits.
//!
//! **Invariant:** a job is durable before it is sent, is sent in the same bytes each time, and enters
//! the sum in the transaction that ends it.

use super::verifying::{Begun, Started};
use super::{Aggregated, AggregationError, Leader};
use crate::api::error::chain;
use crate::rounds::LoadedRound;
use crate::store::jobs::{BatchSum, NewJob, StoredJob};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::ReleaseId;
use fellestall_shared::limits::{JOB_REPORTS, JOB_SHARE_BYTES};
use fellestall_shared::secure::vdaf::{AggregateShare, Vdaf};
use fellestall_shared::secure::{Bytes, Checksum};
use fellestall_shared::wire::v1::{Job, JobResult, NewTask, Outcome, Rejection, TaskAcceptance};

/// What the reports of a job come to.
struct JobSum {
    share: AggregateShare,
    count: u32,
    checksum: Checksum,
    outcomes: Vec<(ReleaseId, Option<Rejection>)>,
}

impl Leader {
    /// Brings a round's shared tables as far as they can come without being opened: asks the helper to
    /// take part until it does, ends every job that was begun, and verifies every report that waits
    /// and whose release is stored. Does nothing for a round without shared tables.
    ///
    /// # Errors
    /// [`AggregationError`]: what was done until then stands, and the rest is done next time.
    pub async fn drive(&self, loaded: &LoadedRound) -> Result<(), AggregationError> {
        let Some(of) = self.aggregated(loaded).await? else { return Ok(()) };
        self.accept(&of).await?;
        for job in self.store.open_jobs(of.task.digest()).await? {
            self.resume(&of, &job).await?;
        }
        while self.next_job(&of).await? {}
        Ok(())
    }

    /// Asks the helper to take part in the task, unless it does.
    async fn accept(&self, of: &Aggregated) -> Result<(), AggregationError> {
        if of.stored.acceptance.is_some() {
            return Ok(());
        }
        let id = of.task.digest();
        let new = NewTask {
            task: of.task_envelope.clone(),
            study: of.study_envelope.clone(),
            round: of.round_envelope.clone(),
            verify_key: Bytes(self.verify_key(id).await?.to_vec()),
        };
        let answer = self.helper()?.task(id, &new).await;
        let what = "acceptance of the task";
        let answer = answer.map_err(|source| AggregationError::Helper { what, source })?;
        let verified = answer.verify::<TaskAcceptance>(&of.helper.signing_key);
        let held = verified.ok().filter(|held| of.task.check_acceptance(held).is_ok());
        let Some(acceptance) = held else { return Err(self.fault(&of.round, what).await) };
        let bytes = acceptance.envelope().to_json()?;
        self.store.accept_task(id, &bytes, self.clock.now()).await?;
        tracing::info!(round = %of.round.id(), "the helper takes part");
        Ok(())
    }

    /// Makes a job of the next reports and ends it; `false` if none wait.
    async fn next_job(&self, of: &Aggregated) -> Result<bool, AggregationError> {
        let task = of.task.digest();
        let most = u32::try_from(JOB_REPORTS).unwrap_or(u32::MAX);
        let (batch, releases) = self.store.next_reports(task, most, JOB_SHARE_BYTES).await?;
        if releases.is_empty() {
            return Ok(false);
        }
        let Some(Begun { started, rejected }) = self.begin(of, &releases).await? else {
            return Ok(true);
        };
        if !rejected.is_empty() {
            self.store.reject_reports(task, &rejected, self.clock.now()).await?;
            for (_, reason) in rejected {
                tracing::warn!(round = %of.round.id(), ?reason, "ALARM: a report does not hold");
            }
        }
        if started.is_empty() {
            return Ok(true);
        }
        let body = body(batch, &started);
        let reports = started.iter().map(|one| one.release).collect();
        let new = NewJob { task, batch, request: digest(&body)?, reports };
        // Somebody else has taken some of them, or the batch was claimed: look again.
        let Some(job) = self.store.add_job(&new, self.clock.now()).await? else {
            return Ok(true);
        };
        self.finish(of, &job, started, &body).await?;
        Ok(true)
    }

    /// Ends a job that was written down before.
    async fn resume(&self, of: &Aggregated, job: &StoredJob) -> Result<(), AggregationError> {
        let releases = self.store.reports_of_job(job).await?;
        // Somebody else has ended it.
        let Some(begun) = self.begin(of, &releases).await? else { return Ok(()) };
        let body = body(job.batch, &begun.started);
        if !begun.rejected.is_empty() || digest(&body)? != job.request {
            let round = of.round.id().to_string();
            return Err(AggregationError::OtherBytes { job: job.job, round });
        }
        self.finish(of, job, begun.started, &body).await
    }

    /// Sends a job and stores what came of it.
    async fn finish(
        &self,
        of: &Aggregated,
        job: &StoredJob,
        started: Vec<Started>,
        body: &Job,
    ) -> Result<(), AggregationError> {
        let what = "verification of a job";
        let answer = self.helper()?.job(job.task, job.job, body).await;
        let answer = answer.map_err(|source| AggregationError::Helper { what, source })?;
        let Some(sum) = add_up(&of.vdaf, started, answer) else {
            return Err(self.fault(&of.round, what).await);
        };
        let (vdaf, count, checksum, share) = (&of.vdaf, sum.count, sum.checksum, &sum.share);
        let add = |stands: BatchSum| merge(vdaf, &stands, share, count, checksum);
        let now = self.clock.now();
        let is_ours = self.store.finish_job(job, &sum.outcomes, now, add).await?;
        if is_ours {
            let rejected = sum.outcomes.iter().filter_map(|(_, reason)| *reason);
            for reason in rejected {
                tracing::warn!(round = %of.round.id(), ?reason, "ALARM: a report does not hold");
            }
            tracing::info!(round = %of.round.id(), job = job.job, "reports verified");
            self.forget_shares().await;
        }
        Ok(())
    }

    /// Lets shares that are in a sum leave the database's log. What is counted does not hang on it, so a
    /// failure is told and no more; it is done again before a batch is opened.
    pub(super) async fn forget_shares(&self) {
        if let Err(error) = self.store.empty_log().await {
            tracing::warn!(error = %chain(&error), "shares that are in a sum stay in the database's log for now");
        }
    }
}

fn body(batch: u32, started: &[Started]) -> Job {
    Job { batch, reports: started.iter().map(|one| one.message.clone()).collect() }
}

fn digest(body: &Job) -> Result<Digest, AggregationError> {
    Ok(Digest::of("fellestall/job/1", &serde_json::to_vec(body)?))
}

/// Ends the verification of each report with the helper's answer. `None` if the answer cannot be: then
/// the job stays, for a report that the helper has added must not be missing here.
fn add_up(vdaf: &Vdaf, started: Vec<Started>, answer: JobResult) -> Option<JobSum> {
    if answer.outcomes.len() != started.len() {
        return None;
    }
    let (mut share, mut count, mut checksum) = (vdaf.nothing(), 0_u32, Checksum::NONE);
    let mut outcomes = Vec::with_capacity(started.len());
    for (Started { release, id, state, .. }, outcome) in started.into_iter().zip(answer.outcomes) {
        let rejected = match outcome {
            Outcome::Rejected { reason } => Some(reason),
            Outcome::Accepted { message } => {
                share.add(&state.finish(&message.0).ok()?).ok()?;
                count = count.checked_add(1)?;
                checksum = checksum.with(&id);
                None
            }
        };
        outcomes.push((release, rejected));
    }
    Some(JobSum { share, count, checksum, outcomes })
}

/// The sum of a batch with a job's reports in it.
fn merge(
    vdaf: &Vdaf,
    stands: &BatchSum,
    share: &AggregateShare,
    count: u32,
    checksum: Checksum,
) -> Result<BatchSum, AggregationError> {
    let is_first = stands.count == 0 && stands.share.0.is_empty();
    let (mut sum, mut of) = (vdaf.nothing(), Checksum::NONE);
    if !is_first {
        sum = vdaf.aggregate(&stands.share.0)?;
        of = Checksum::try_from(&stands.checksum)?;
    }
    sum.merge(share)?;
    Ok(BatchSum {
        share: Bytes(sum.to_bytes()),
        count: stands.count.saturating_add(count),
        checksum: of.and(checksum).into(),
    })
}
