//! A report: the noised values of all shared tables as one vector, split so that neither server sees it.
//!
//! **Invariant:** the vector and its two halves are never printed, cloned or written anywhere but into
//! the report, and are wiped from memory when it is made. What a report shows of them is the leader's
//! half, which is uniformly random by itself, and the helper's, which only the helper can open.

use super::release::MakeError;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, ReleaseId};
use fellestall_shared::round::Round;
use fellestall_shared::secure::seal::seal;
use fellestall_shared::secure::vdaf::{Vdaf, leader_share_digest};
use fellestall_shared::secure::{AcceptedReport, Bytes, Layout, Task, report_id};
use fellestall_shared::signed::{SignatureError, SigningKey};
use fellestall_shared::wire::v1::{Report, ReportDocument};
use zeroize::{Zeroize, Zeroizing};

/// The entries of a report, in the order of the study's layout; wiped when dropped.
#[must_use]
pub(super) struct Vector {
    layout: Layout,
    entries: Zeroizing<Vec<u128>>,
}

/// A report as it is stored and sent.
pub(super) struct Made {
    /// The signed report and the leader's share, in JSON.
    pub(super) body: Bytes,
    /// The digest of the signed payload, by which the release names it.
    pub(super) digest: Digest,
}

impl Vector {
    /// A vector without entries.
    pub(super) fn new(layout: &Layout) -> Self {
        // With room for all of them: growing would leave copies behind.
        Self { layout: *layout, entries: Zeroizing::new(Vec::with_capacity(layout.length())) }
    }

    /// Adds the scaled and noised values of the next table, and wipes them.
    ///
    /// # Errors
    /// [`MakeError::Room`] if one of them does not fit.
    ///
    /// # Privacy
    /// P2: looks at values with noise alone.
    pub(super) fn extend(&mut self, values: Vec<i64>) -> Result<(), MakeError> {
        for value in Zeroizing::new(values).iter() {
            self.entries.push(self.layout.entry(*value).ok_or(MakeError::Room)?);
        }
        Ok(())
    }

    /// Splits the vector, seals the helper's half and signs.
    ///
    /// # Errors
    /// [`MakeError`].
    ///
    /// # Privacy
    /// P2: each server alone sees uniformly random field elements (Prio3, in the IETF draft VDAF), and
    /// both together no more than the noised values. The size follows from the layout alone.
    pub(super) fn into_report(
        self,
        question: ReleaseId,
        (round, task): (&Round, &Task),
        (node, municipality): (&NodeId, &MunicipalityNumber),
        key: &SigningKey,
    ) -> Result<Made, MakeError> {
        let study = round.study().document();
        let aggregation = study.aggregation.as_ref().ok_or(MakeError::Tables)?;
        let (task, id) = (task, report_id(question));
        let shares = Vdaf::of(&self.layout)?.split(task.digest(), &id, &self.entries)?;
        let (public, leader) = (shares.public, Zeroizing::new(shares.leader));
        let helper = Zeroizing::new(shares.helper);
        let sealing_key = &aggregation.helper.sealing_key;
        let helper_share = seal(sealing_key, task.digest(), &id, &public, &helper)?;
        let report = key.sign(&ReportDocument {
            release: question,
            node: node.clone(),
            municipality: municipality.clone(),
            round: round.id().clone(),
            task: task.digest(),
            public_share: Bytes(public),
            leader_share: leader_share_digest(&leader),
            helper_share,
        })?;
        // As both servers will check it.
        AcceptedReport::new(report.clone(), task, round).map_err(MakeError::Report)?;
        let digest = report.payload_digest();
        let mut sent = Report { report, leader_share: Bytes(leader.to_vec()) };
        let body = serde_json::to_vec(&sent).map_err(|_| SignatureError::NotSigned)?;
        sent.leader_share.0.zeroize();
        Ok(Made { body: Bytes(body), digest })
    }
}
