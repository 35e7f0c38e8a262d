//! What a verification has shown, and what it could not show.
//!
//! **Invariant:** nothing is called checked that was only read.

use super::super::Certificate;
use super::{Digest, Publication, RoundId};
use fellestall_shared::wire::v1::Residence;
use serde::Serialize;
use std::fmt;

/// Something that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// The seal, the study and the round are signed by one key.
    CoordinatorSignatures,
    /// That key is the trusted one.
    TrustedKey,
    /// The loss, sensitivity, scale and epsilon of every table follow from the study.
    Certificate,
    /// The ledger heads follow from the releases' digests.
    LedgerHeads,
    /// Intervals, rates and the survival curve follow from the sums.
    Intervals,
    /// Each release is signed by the key in the certificate and answers the round.
    Releases,
    /// Every sum is that of the signed releases.
    Sums,
    /// Each opened batch is signed by the study's helper, is of the round's task, and holds exactly the
    /// reports of the nodes in the certificate.
    Batches,
    /// Every opened sum is that of its two halves, and the figures of shared tables follow from it.
    OpenedSums,
}

/// Something that a file can't show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotChecked {
    /// Whose key it is: none was given to compare with.
    WhoseKey,
    /// That the sums are those of the releases: these are not in the file.
    Sums,
    /// That each key in the certificate is that of its municipality: ask the municipality.
    ReleaseKeys,
    /// Who else was asked, declined or came late: the coordinator's word.
    Coverage,
    /// That the two servers did not join their halves of a single report.
    Collusion,
}

/// The outcome of a verification that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The round.
    pub round: RoundId,
    /// The version.
    pub version: u32,
    /// The fingerprint of the coordinator's key in the file.
    pub coordinator_key: Digest,
    /// Nodes in the figures.
    pub nodes: usize,
    /// Releases that were in the file and were checked.
    pub releases: usize,
    /// Opened batches that were joined anew from their two halves.
    pub batches: usize,
    /// Figures that were recomputed.
    pub figures: usize,
    /// In words: the loss of one participant in one municipality, and of a person in as many as the
    /// study allows for.
    pub guarantee: String,
    /// What was checked.
    pub checked: Vec<Checked>,
    /// What was not, and can't be with this file.
    pub not_checked: Vec<NotChecked>,
}

impl VerifyReport {
    pub(super) fn new(
        publication: &Publication,
        trusted: bool,
        releases: usize,
        batches: usize,
    ) -> Self {
        let mut checked = vec![
            Checked::CoordinatorSignatures,
            Checked::Certificate,
            Checked::LedgerHeads,
            Checked::Intervals,
        ];
        let mut not_checked = Vec::new();
        if trusted {
            checked.push(Checked::TrustedKey);
        } else {
            not_checked.push(NotChecked::WhoseKey);
        }
        if releases > 0 {
            checked.extend([Checked::Releases, Checked::Sums]);
        } else {
            not_checked.push(NotChecked::Sums);
        }
        if batches > 0 {
            checked.extend([Checked::Batches, Checked::OpenedSums]);
            not_checked.push(NotChecked::Collusion);
        }
        not_checked.extend([NotChecked::ReleaseKeys, NotChecked::Coverage]);
        Self {
            round: publication.round.clone(),
            version: publication.version,
            coordinator_key: publication.certificate.coordinator_key.fingerprint(),
            nodes: publication.certificate.releases.len(),
            releases,
            batches,
            guarantee: guarantee(&publication.certificate),
            figures: publication.tables.iter().map(|table| table.cells.len()).sum(),
            checked,
            not_checked,
        }
    }

    /// Whether every sum was recomputed from signed releases, under a trusted key.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        [Checked::TrustedKey, Checked::Sums].iter().all(|check| self.checked.contains(check))
    }
}

/// The guarantee that a certificate states.
fn guarantee(certificate: &Certificate) -> String {
    let Certificate { unit, epsilon, person_epsilon, municipalities_per_person, .. } = certificate;
    let counted = match certificate.residence {
        Residence::Anywhere => "",
        Residence::OnCensusDate => "; counted where the person lives on the last day of the period",
    };
    let condition = certificate.condition().map_or_else(String::new, |(tolerated, minimum)| {
        format!(
            "; in shared tables as long as at most {tolerated} of {minimum} nodes collude or add no \
             noise"
        )
    });
    format!(
        "epsilon {epsilon} for {unit}; {person_epsilon} for a person held in \
         {municipalities_per_person} municipalities; at delta {}{counted}{condition}",
        certificate.delta_exponent
    )
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CoordinatorSignatures => "seal, study and round are signed by one key",
            Self::TrustedKey => "that key is the trusted one",
            Self::Certificate => "losses, sensitivities and noise scales follow from the study",
            Self::LedgerHeads => "ledger heads follow from the releases' digests",
            Self::Intervals => "intervals, rates and curves follow from the sums",
            Self::Releases => "every release is signed by its node and answers the round",
            Self::Sums => "every sum is that of the signed releases",
            Self::Batches => {
                "opened batches are signed by the helper and hold these nodes' reports"
            }
            Self::OpenedSums => "every opened sum is that of its two halves",
        })
    }
}

impl fmt::Display for NotChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WhoseKey => "whose key it is: no trusted key was given",
            Self::Sums => "that the sums are those of the releases: verify the bundle for that",
            Self::ReleaseKeys => "that each release key is its municipality's: ask there",
            Self::Collusion => "that the two servers kept their halves of single reports apart",
            Self::Coverage => "who else was asked, declined or came late: the coordinator's word",
        })
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} version {}: {} figures over {} nodes, sealed by {}",
            self.round,
            self.version,
            self.figures,
            self.nodes,
            self.coordinator_key.short()
        )?;
        writeln!(f, "{}", self.guarantee)?;
        for checked in &self.checked {
            writeln!(f, "  checked      {checked}")?;
        }
        for not_checked in &self.not_checked {
            writeln!(f, "  not checked  {not_checked}")?;
        }
        Ok(())
    }
}
