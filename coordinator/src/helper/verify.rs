//! Verifying one report at the helper: signature, seal, proof.
//!
//! **Invariant:** a function of the report, the task and the helper's keys: no store, no clock. The
//! opened share lives in this function and its result alone.

use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::round::Round;
use fellestall_shared::secure::seal::{self, SealingSecret};
use fellestall_shared::secure::vdaf::{OutputShare, VERIFY_KEY_BYTES, Vdaf};
use fellestall_shared::secure::{AcceptedReport, Task};
use fellestall_shared::wire::v1::{JobReport, Rejection};
use std::collections::BTreeSet;

/// What the reports of one task are verified with.
pub struct Verifier {
    /// The task.
    pub task: Task,
    /// Its round.
    pub round: Round,
    /// How its vectors are shared.
    pub vdaf: Vdaf,
    /// The key that both servers verify with.
    pub verify_key: [u8; VERIFY_KEY_BYTES],
}

/// A report that was looked at.
pub enum Looked {
    /// It is nobody's, or for something else: nothing of it was opened, and it is not used up.
    Refused(Rejection),
    /// It is its participant's one report for this task, and used up by this look.
    Used {
        /// Whose it is.
        municipality: MunicipalityNumber,
        /// Its id.
        id: [u8; 16],
        /// Its half and the message for the leader, or why it has none.
        verified: Result<(OutputShare, Vec<u8>), Rejection>,
    },
}

impl Verifier {
    /// Looks at the reports of a job in their order. Those of `seen`, and every second one of a
    /// municipality, are not opened.
    #[must_use]
    pub fn look(
        &self,
        sealing: &SealingSecret,
        reports: Vec<JobReport>,
        mut seen: BTreeSet<MunicipalityNumber>,
    ) -> Vec<Looked> {
        let looked = reports.into_iter().map(|report| {
            let accepted = match AcceptedReport::new(report.report, &self.task, &self.round) {
                Ok(accepted) => accepted,
                Err(why) => return Looked::Refused(why),
            };
            let municipality = accepted.document().municipality.clone();
            if !seen.insert(municipality.clone()) {
                return Looked::Refused(Rejection::Replayed);
            }
            let verified = self.verify(sealing, &accepted, &report.verifier_share.0);
            Looked::Used { municipality, id: accepted.id(), verified }
        });
        looked.collect()
    }

    fn verify(
        &self,
        sealing: &SealingSecret,
        report: &AcceptedReport,
        leaders: &[u8],
    ) -> Result<(OutputShare, Vec<u8>), Rejection> {
        let (task, id) = (self.task.digest(), report.id());
        let public = &report.document().public_share.0;
        let share = seal::open(sealing, task, &id, public, &report.document().helper_share.0)
            .map_err(|_| Rejection::Sealed)?;
        self.vdaf.helper_finish(&self.verify_key, task, &id, public, &share, leaders)
    }
}
