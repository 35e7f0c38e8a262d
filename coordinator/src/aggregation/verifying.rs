//! The leader's own look at reports, away from the threads that answer requests.
//!
//! **Invariant:** the same stored reports give the same message to the helper, byte for byte.

use super::{Aggregated, AggregationError, Leader};
use crate::store::jobs::WaitingReport;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::ReleaseId;
use fellestall_shared::round::Round;
use fellestall_shared::secure::vdaf::{LeaderState, VERIFY_KEY_BYTES, Vdaf, leader_share_digest};
use fellestall_shared::secure::{AcceptedReport, Bytes, Task};
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::{JobReport, Rejection};
use std::sync::Arc;

/// A report that the leader has begun to verify.
pub(super) struct Started {
    /// The digest of the question.
    pub release: ReleaseId,
    /// The report's id.
    pub id: [u8; 16],
    /// What the leader ends with.
    pub state: LeaderState,
    /// What the helper is sent.
    pub message: JobReport,
}

/// What came of reports.
pub(super) struct Begun {
    /// Those that hold so far, in the order in which they were given.
    pub started: Vec<Started>,
    /// The others.
    pub rejected: Vec<(ReleaseId, Rejection)>,
}

/// What one report is verified by, owned, for a thread of its own.
struct Verifier {
    round: Arc<Round>,
    task: Arc<Task>,
    vdaf: Arc<Vdaf>,
    verify_key: [u8; VERIFY_KEY_BYTES],
}

impl Verifier {
    fn start(&self, waiting: &WaitingReport) -> Result<Started, Rejection> {
        let envelope = Envelope::from_json(&waiting.envelope).map_err(|_| Rejection::Malformed)?;
        let report = AcceptedReport::new(envelope.clone(), &self.task, &self.round)?;
        let document = report.document();
        let share = &waiting.leader_share.0;
        let is_bound = document.release == waiting.release
            && document.leader_share == leader_share_digest(share);
        if !is_bound {
            return Err(Rejection::Binding);
        }
        let (id, task): (_, Digest) = (report.id(), self.task.digest());
        let public = &document.public_share.0;
        let (state, verifier) =
            self.vdaf.leader_start(&self.verify_key, task, &id, public, share)?;
        let message = JobReport { report: envelope, verifier_share: Bytes(verifier) };
        Ok(Started { release: waiting.release, id, state, message })
    }
}

impl Leader {
    /// Begins to verify stored reports; `None` if what became of one of them is decided by now.
    pub(super) async fn begin(
        &self,
        of: &Aggregated,
        releases: &[ReleaseId],
    ) -> Result<Option<Begun>, AggregationError> {
        let mut reports = Vec::with_capacity(releases.len());
        for release in releases {
            let Some(report) = self.store.waiting_report(*release).await? else {
                return Ok(None);
            };
            reports.push(report);
        }
        let verifier = Verifier {
            round: Arc::clone(&of.round),
            task: Arc::clone(&of.task),
            vdaf: Arc::clone(&of.vdaf),
            verify_key: self.verify_key(of.task.digest()).await?,
        };
        let work = move || {
            let mut begun = Begun { started: Vec::new(), rejected: Vec::new() };
            for report in &reports {
                match verifier.start(report) {
                    Ok(started) => begun.started.push(started),
                    Err(reason) => begun.rejected.push((report.release, reason)),
                }
            }
            begun
        };
        let begun = tokio::task::spawn_blocking(work).await;
        begun.map(Some).map_err(|_| AggregationError::Ending)
    }
}
