//! Who a round waits for.
//!
//! **Invariant:** shows who answered and when, never a figure.

use super::{LoadError, LoadedRound};
use crate::store::nodes::{Node, NodeStatus};
use crate::store::reports::ReportState;
use crate::store::{Store, StoreError};
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::municipality;
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::{Answer, Decision, Rejection};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How one node stands in a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The node.
    pub node: NodeId,
    /// Its municipality.
    pub municipality: MunicipalityNumber,
    /// The municipality's name.
    pub name: &'static str,
    /// What it answered to the study; `None` while it has not.
    pub decision: Option<Answer>,
    /// When its release came (RFC 3339), if it did.
    pub received: Option<String>,
    /// Whether the release came after the round was closed.
    pub late: bool,
    /// What became of the report of its shared tables, if one came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportStanding>,
}

/// What became of a node's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportStanding {
    /// It waits to be verified, or for its release.
    Waiting,
    /// It is in the sum of a batch.
    Verified {
        /// The batch, from 1.
        batch: u32,
    },
    /// It is in no sum, and the node is not counted.
    Rejected {
        /// Why.
        reason: Rejection,
    },
}

impl From<ReportState> for ReportStanding {
    fn from(state: ReportState) -> Self {
        match state {
            ReportState::Waiting => Self::Waiting,
            ReportState::Verified { batch } => Self::Verified { batch },
            ReportState::Rejected { reason } => Self::Rejected { reason },
        }
    }
}

/// How a round stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoundStatus {
    /// The round.
    pub round: String,
    /// Whether it takes releases.
    pub open: bool,
    /// When it is due to close (RFC 3339).
    pub closes: String,
    /// Releases that came.
    pub reported: usize,
    /// The study's minimum of nodes for a publication.
    pub minimum_nodes: u32,
    /// Each enrolled node, and each that reported, by municipality.
    pub nodes: Vec<Standing>,
}

/// Reports that came and are in no opened sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unopened {
    /// How many.
    pub reports: usize,
    /// So many are opened together, and no fewer.
    pub minimum: u32,
}

/// The reports of a round that wait to be opened, with their releases; `None` if none do. Those that
/// came after a batch was opened wait until there are enough of them for another.
///
/// # Errors
/// [`StoreError`] if the database fails.
pub async fn unopened(store: &Store, round: &LoadedRound) -> Result<Option<Unopened>, StoreError> {
    let study = round.round.study();
    if study.layout().is_none() {
        return Ok(None);
    }
    let id = round.round.id();
    let batches = store.batches(id).await?;
    let opened = batches.iter().filter(|batch| batch.opened.is_some());
    let opened: BTreeSet<u32> = opened.map(|batch| batch.batch).collect();
    let released = store.releases(id).await?;
    let released: BTreeSet<_> = released.iter().map(|release| release.release).collect();
    let reports = store.reports(id).await?;
    let waits = reports.iter().filter(|report| match report.state {
        ReportState::Waiting => released.contains(&report.release),
        ReportState::Verified { batch } => !opened.contains(&batch),
        ReportState::Rejected { .. } => false,
    });
    let (reports, minimum) = (waits.count(), study.document().minimum_nodes);
    Ok((reports > 0).then_some(Unopened { reports, minimum }))
}

/// What each node decided about the round's study, as far as its signature holds.
///
/// # Errors
/// [`LoadError`] if the store fails or holds a decision that is not its node's.
pub async fn decisions(
    store: &Store,
    round: &LoadedRound,
    nodes: &[Node],
) -> Result<BTreeMap<NodeId, Answer>, LoadError> {
    let by_id: BTreeMap<_, _> = nodes.iter().map(|node| (&node.node, node)).collect();
    let mut answers = BTreeMap::new();
    for stored in store.decisions(round.round.study().digest()).await? {
        let Some(node) = by_id.get(&stored.node) else {
            continue;
        };
        let decision =
            Envelope::from_json(&stored.envelope)?.verify::<Decision>(&node.release_key)?;
        answers.insert(stored.node, decision.answer);
    }
    Ok(answers)
}

/// How a round stands.
///
/// # Errors
/// [`LoadError`].
pub async fn status(store: &Store, round: &LoadedRound) -> Result<RoundStatus, LoadError> {
    let all = store.nodes().await?;
    let releases = store.releases(round.round.id()).await?;
    let reports = store.reports(round.round.id()).await?;
    let answers = decisions(store, round, &all).await?;
    let by_node: BTreeMap<_, _> = releases.iter().map(|release| (&release.node, release)).collect();
    let reported: BTreeMap<_, _> = reports.iter().map(|report| (&report.node, report)).collect();
    let mut nodes = Vec::new();
    for node in &all {
        let release = by_node.get(&node.node);
        if node.status != NodeStatus::Enrolled && release.is_none() {
            continue;
        }
        nodes.push(Standing {
            node: node.node.clone(),
            municipality: node.municipality.clone(),
            name: municipality::find(&node.municipality).map_or("", |known| known.name),
            decision: answers.get(&node.node).copied(),
            received: release.map(|release| release.received.to_string()),
            late: release.is_some_and(|release| release.late),
            report: reported.get(&node.node).map(|report| report.state.into()),
        });
    }
    Ok(RoundStatus {
        round: round.round.id().to_string(),
        open: round.closed.is_none(),
        closes: round.round.document().closes.to_string(),
        reported: releases.len(),
        minimum_nodes: round.round.study().document().minimum_nodes,
        nodes,
    })
}
