//! Putting a version together from what a round holds.
//!
//! **Invariant:** what is counted, what stands in the guard against differences and what is printed are
//! the same releases; of a study with shared tables, those whose reports are in an opened sum.

use super::publication::{FiguresError, Printer, PublicationError};
use super::{LoadedRound, status};
use crate::databank;
use crate::publish::{
    self, EarlierPublication, OpenedSum, Participant, PublishInput, Published, Reported,
};
use crate::store::Store;
use crate::store::nodes::{Node, NodeStatus};
use crate::store::publications::Head;
use crate::store::releases::StoredRelease;
use crate::store::reports::ReportState;
use crate::store::rounds::{NewPublication, RoundContents};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, StatisticId};
use fellestall_shared::period::Period;
use fellestall_shared::round::{AcceptedRelease, Round};
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::{Answer, Rejection, ReleaseDocument};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the store keeps of a publication for the guard against differences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Summary {
    period: Period,
    statistics: BTreeSet<StatisticId>,
    municipalities: BTreeSet<MunicipalityNumber>,
    minimum_difference: u32,
}

/// All that a publication is made from but the releases, read before the round is held.
pub(super) struct Press<'a> {
    loaded: &'a LoadedRound,
    nodes: Vec<Node>,
    answers: BTreeMap<NodeId, Answer>,
    printer: &'a Printer<'a>,
    now: Timestamp,
}

impl<'a> Press<'a> {
    pub(super) async fn new(
        store: &Store,
        printer: &'a Printer<'a>,
        loaded: &'a LoadedRound,
        now: Timestamp,
    ) -> Result<Self, PublicationError> {
        let nodes = store.nodes().await?;
        let answers = status::decisions(store, loaded, &nodes).await?;
        Ok(Self { loaded, nodes, answers, printer, now })
    }

    fn round(&self) -> &Round {
        &self.loaded.round
    }

    pub(super) fn next_version(&self, contents: &RoundContents) -> u32 {
        let newest = contents.published.iter().rfind(|head| head.round == *self.round().id());
        newest.map_or(1, |newest| newest.version.saturating_add(1))
    }

    /// Everything that figures, coverage and the guard against differences follow from, but the moment.
    pub(super) fn basis(&self, contents: &RoundContents) -> Result<Digest, FiguresError> {
        let releases = contents.releases.iter().map(|r| (r.release, r.digest, r.late));
        let rejected = contents.reports.iter().filter(|report| is_rejected(report.state));
        let rejected: Vec<_> = rejected.map(|report| report.release).collect();
        let heads = contents.published.iter().map(|head| (&head.round, head.version));
        let nodes = self.nodes.iter().map(|node| {
            let is_enrolled = node.status == NodeStatus::Enrolled;
            (&node.node, is_enrolled, self.answers.get(&node.node))
        });
        let facts = serde_json::to_vec(&(
            self.round().id(),
            releases.collect::<Vec<_>>(),
            heads.collect::<Vec<_>>(),
            nodes.collect::<Vec<_>>(),
            self.printer.policy,
            rejected,
        ))?;
        Ok(Digest::of("fellestall/preview/1", &facts))
    }

    pub(super) fn print_as_seen(
        &self,
        contents: &RoundContents,
        seen: Digest,
    ) -> Result<NewPublication, FiguresError> {
        if self.basis(contents)? != seen {
            return Err(FiguresError::Changed);
        }
        self.print_if_new(contents)?.ok_or(FiguresError::Changed)
    }

    pub(super) fn print_if_new(
        &self,
        contents: &RoundContents,
    ) -> Result<Option<NewPublication>, FiguresError> {
        let newest = contents.published.iter().rfind(|head| head.round == *self.round().id());
        let Some(newest) = newest else {
            return self.print(contents, 1).map(Some);
        };
        let counted = self.counted(contents);
        let reported: BTreeSet<_> = counted.iter().map(|r| r.municipality.clone()).collect();
        let summary: Summary = serde_json::from_str(&newest.summary)?;
        if summary.municipalities == reported {
            return Ok(None);
        }
        self.print(contents, newest.version.saturating_add(1)).map(Some)
    }

    pub(super) fn print(
        &self,
        contents: &RoundContents,
        version: u32,
    ) -> Result<NewPublication, FiguresError> {
        let counted = self.counted(contents);
        let participants = self.participants(contents, &counted)?;
        let task = contents.task.as_ref().map(|task| Envelope::from_json(&task.envelope));
        let task = task.transpose().map_err(FiguresError::Task)?;
        let summary = Summary {
            period: self.round().period(),
            statistics: statistics(self.round()),
            municipalities: counted.iter().map(|r| r.municipality.clone()).collect(),
            minimum_difference: self.round().study().document().minimum_difference,
        };
        let Published { publication, document, digest, bundle } = publish::publish(PublishInput {
            round: self.round(),
            study_envelope: &self.loaded.study_envelope,
            round_envelope: &self.loaded.round_envelope,
            version,
            published: self.now,
            participants,
            earlier: contents.published.iter().map(earlier).collect::<Result<_, _>>()?,
            task_envelope: task.as_ref(),
            shared: opened(contents)?,
            key: self.printer.key,
        })?;
        let presentation = databank::presentation(&publication, digest, self.printer.policy)?;
        let summary = serde_json::to_string(&summary)?;
        Ok(NewPublication { digest, document, bundle, summary, presentation })
    }

    /// The releases that are counted: all of them; with shared tables, those whose report is in an
    /// opened sum.
    pub(super) fn counted<'c>(&self, contents: &'c RoundContents) -> Vec<&'c StoredRelease> {
        if self.round().study().layout().is_none() {
            return contents.releases.iter().collect();
        }
        let opened = contents.batches.iter().filter(|batch| batch.opened.is_some());
        let opened: BTreeSet<u32> = opened.map(|batch| batch.batch).collect();
        let is_opened =
            |state| matches!(state, ReportState::Verified { batch } if opened.contains(&batch));
        let reports = contents.reports.iter().filter(|report| is_opened(report.state));
        let counted: BTreeSet<_> = reports.map(|report| report.release).collect();
        contents.releases.iter().filter(|release| counted.contains(&release.release)).collect()
    }

    /// Whether the next version has shared tables that are not opened.
    pub(super) fn is_sealed(&self, contents: &RoundContents) -> Result<bool, FiguresError> {
        if self.round().study().layout().is_none() {
            return Ok(false);
        }
        let counted = self.counted(contents);
        let counted: BTreeSet<_> = counted.iter().map(|r| r.municipality.clone()).collect();
        let newest = contents.published.iter().rfind(|head| head.round == *self.round().id());
        let published = match newest {
            None => BTreeSet::new(),
            Some(newest) => serde_json::from_str::<Summary>(&newest.summary)?.municipalities,
        };
        Ok(counted == published)
    }

    /// How many reports would be in the next version, if they all hold; `None` if a revision would have
    /// nothing to open.
    pub(super) fn sealed(&self, contents: &RoundContents) -> Result<Option<usize>, FiguresError> {
        let released: BTreeSet<_> = contents.releases.iter().map(|r| r.release).collect();
        let counted = self.counted(contents);
        let counted: BTreeSet<_> = counted.iter().map(|release| &release.municipality).collect();
        let is_new = |municipality: &MunicipalityNumber| !counted.contains(municipality);
        let reports = contents.reports.iter();
        let hopeful = reports.filter(|r| !is_rejected(r.state) && released.contains(&r.release));
        let all: BTreeSet<_> = hopeful.map(|report| report.municipality.clone()).collect();
        let new = all.iter().filter(|municipality| is_new(municipality)).count();
        let minimum = self.round().study().document().minimum_nodes;
        let enough = u32::try_from(new).is_ok_and(|new| new >= minimum);
        if !enough && self.next_version(contents) > 1 {
            return Ok(None);
        }
        let earlier: Vec<_> = contents.published.iter().map(earlier).collect::<Result<_, _>>()?;
        publish::check_municipalities(self.round(), &all, &earlier)?;
        Ok(Some(all.len()))
    }

    /// Every node that is counted, and every enrolled node of a municipality that is not.
    fn participants(
        &self,
        contents: &RoundContents,
        releases: &[&StoredRelease],
    ) -> Result<Vec<Participant>, FiguresError> {
        let known: BTreeSet<&NodeId> = self.nodes.iter().map(|node| &node.node).collect();
        if let Some(release) = releases.iter().find(|release| !known.contains(&release.node)) {
            return Err(FiguresError::JustEnrolled { node: release.node.clone() });
        }
        let by_municipality: BTreeMap<_, _> =
            releases.iter().map(|release| (&release.municipality, *release)).collect();
        let rejected = rejections(contents);
        let mut participants = Vec::new();
        for node in &self.nodes {
            let of_municipality = by_municipality.get(&node.municipality).copied();
            let own = of_municipality.filter(|release| release.node == node.node);
            let awaited = node.status == NodeStatus::Enrolled && of_municipality.is_none();
            if own.is_none() && !awaited {
                continue;
            }
            participants.push(Participant {
                node: node.node.clone(),
                municipality: node.municipality.clone(),
                release_key: node.release_key.clone(),
                decision: self.answers.get(&node.node).copied(),
                reported: own.map(|release| self.reported(node, release)).transpose()?,
                rejected: rejected.get(&node.node).copied(),
            });
        }
        Ok(participants)
    }

    fn reported(&self, node: &Node, stored: &StoredRelease) -> Result<Reported, FiguresError> {
        let damaged = |source| FiguresError::Damaged { node: node.node.clone(), source };
        let verified = Envelope::from_json(&stored.envelope)
            .and_then(|envelope| envelope.verify::<ReleaseDocument>(&node.release_key))
            .map_err(damaged)?;
        let release = AcceptedRelease::new(verified, self.round(), &node.node, &node.municipality)
            .map_err(|source| FiguresError::Foreign { node: node.node.clone(), source })?;
        Ok(Reported { release, late: stored.late })
    }
}

fn statistics(round: &Round) -> BTreeSet<StatisticId> {
    round.study().tables().iter().map(|table| table.statistic.id().clone()).collect()
}

fn is_rejected(state: ReportState) -> bool {
    matches!(state, ReportState::Rejected { .. })
}

/// Why the reports of nodes are in no sum, of those that were rejected.
fn rejections(contents: &RoundContents) -> BTreeMap<&NodeId, Rejection> {
    let rejected = contents.reports.iter().filter_map(|report| match report.state {
        ReportState::Rejected { reason } => Some((&report.node, reason)),
        ReportState::Waiting | ReportState::Verified { .. } => None,
    });
    rejected.collect()
}

/// What was opened, as a publication takes it.
fn opened(contents: &RoundContents) -> Result<Vec<OpenedSum>, FiguresError> {
    let mut sums = Vec::new();
    for batch in &contents.batches {
        let Some(opened) = &batch.opened else { continue };
        sums.push(OpenedSum {
            batch: batch.batch,
            reports: batch.count,
            values: opened.values.clone(),
            leader_share: batch.share.clone(),
            helper: Envelope::from_json(&opened.helper).map_err(FiguresError::Task)?,
        });
    }
    Ok(sums)
}

/// What an earlier publication means to the guard against differences.
///
/// # Errors
/// If what is stored of it cannot be read.
pub(crate) fn earlier(head: &Head) -> Result<EarlierPublication, serde_json::Error> {
    let Summary { period, statistics, municipalities, minimum_difference } =
        serde_json::from_str(&head.summary)?;
    let (round, version) = (head.round.clone(), head.version);
    Ok(EarlierPublication {
        round,
        version,
        period,
        statistics,
        municipalities,
        minimum_difference,
    })
}
