//! From a round's stored releases to its next publication.
//!
//! **Invariant:** the releases are read, merged and published in the one transaction that holds the
//! round, and every publication before it, of any study, is known to the guard against differences.

use super::LoadError;
use super::LoadedRound;
use super::status;
use crate::databank;
use crate::present::{Policy, Presentation};
use crate::publish::{
    self, EarlierPublication, Participant, PublishError, PublishInput, Published, Reported,
};
use crate::store::nodes::{Node, NodeStatus};
use crate::store::publications::{Head, StoredPublication};
use crate::store::releases::StoredRelease;
use crate::store::rounds::{NewPublication, PublishRoundError, RoundContents};
use crate::store::{Store, StoreError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, StatisticId};
use fellestall_shared::period::Period;
use fellestall_shared::round::{AcceptedRelease, ReleaseError, Round};
use fellestall_shared::signed::{Envelope, SignatureError, SigningKey};
use fellestall_shared::wire::v1::{Answer, ReleaseDocument};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Why no figures could be made.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    /// The merge refused.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A stored release whose signature does not hold.
    #[error("the stored release of {node} is damaged")]
    Damaged {
        /// The node.
        node: NodeId,
        /// What does not hold.
        #[source]
        source: SignatureError,
    },
    /// A stored release that does not answer its round.
    #[error("the stored release of {node} does not answer its round")]
    Foreign {
        /// The node.
        node: NodeId,
        /// What differs.
        #[source]
        source: ReleaseError,
    },
    /// A node that enrolled and reported in this very moment.
    #[error("{node} has only just enrolled; try again")]
    JustEnrolled {
        /// The node.
        node: NodeId,
    },
    /// What would be published is no longer what was looked at.
    #[error("what would be published has changed since the preview; look at it again")]
    Changed,
    /// A stored publication whose summary cannot be read.
    #[error("what is stored of an earlier publication cannot be read or written")]
    Summary(#[from] serde_json::Error),
    /// Figures that cannot be presented.
    #[error(transparent)]
    Presentation(#[from] databank::DatabankError),
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// The round, or what nodes decided, cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The round, or its figures.
    #[error(transparent)]
    Round(#[from] PublishRoundError<FiguresError>),
}

/// What the store keeps of a publication for the guard against differences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Summary {
    period: Period,
    statistics: BTreeSet<StatisticId>,
    municipalities: BTreeSet<MunicipalityNumber>,
    minimum_difference: u32,
}

/// All that a publication is made from but the releases, read before the round is held.
struct Press<'a> {
    loaded: &'a LoadedRound,
    nodes: Vec<Node>,
    answers: BTreeMap<NodeId, Answer>,
    printer: &'a Printer<'a>,
    now: Timestamp,
}

/// What every publication is signed with and shown by.
#[derive(Debug, Clone, Copy)]
pub struct Printer<'a> {
    /// The coordinator's key.
    pub key: &'a SigningKey,
    /// The presentation rule.
    pub policy: &'a Policy,
}

/// Closes a round and publishes its first version; a closed round gives what it closed with.
///
/// # Errors
/// [`PublicationError`]: the round stays open.
pub async fn close(
    store: &Store,
    printer: Printer<'_>,
    loaded: &LoadedRound,
    now: Timestamp,
) -> Result<StoredPublication, PublicationError> {
    let press = Press::new(store, &printer, loaded, now).await?;
    let first = |contents: RoundContents| press.print(&contents, 1);
    Ok(store.close_round(loaded.round.id(), now, first).await?)
}

/// Publishes the next version of a closed round with the releases that came late; `None` if none did.
///
/// # Errors
/// [`PublicationError`]: nothing changed.
pub async fn revise(
    store: &Store,
    printer: Printer<'_>,
    loaded: &LoadedRound,
    now: Timestamp,
) -> Result<Option<StoredPublication>, PublicationError> {
    let press = Press::new(store, &printer, loaded, now).await?;
    let next = |contents: RoundContents| press.print_if_new(&contents);
    Ok(store.revise_round(loaded.round.id(), now, next).await?)
}

/// What would be published now, and nothing that is stored.
#[derive(Debug)]
pub struct Preview {
    /// The version that it would be.
    pub version: u32,
    /// Stands for everything that it was made from: publishing with it publishes this or nothing.
    pub basis: Digest,
    /// The releases in it.
    pub releases: usize,
    /// How it would be shown.
    pub presentation: Presentation,
}

/// Computes what [`close`] or [`revise`] would publish, exactly as they would, and stores nothing;
/// `None` if nothing is new since the newest version.
///
/// # Errors
/// [`PublicationError`]: why nothing could be published.
pub async fn preview(
    store: &Store,
    printer: Printer<'_>,
    loaded: &LoadedRound,
    now: Timestamp,
) -> Result<Option<Preview>, PublicationError> {
    let press = Press::new(store, &printer, loaded, now).await?;
    let contents = store.round_contents(loaded.round.id()).await?;
    let version = press.next_version(&contents);
    let print = || -> Result<Option<Preview>, FiguresError> {
        let Some(made) = press.print_if_new(&contents)? else { return Ok(None) };
        Ok(Some(Preview {
            version,
            basis: press.basis(&contents)?,
            releases: contents.releases.len(),
            presentation: serde_json::from_slice(&made.presentation.document)?,
        }))
    };
    Ok(print().map_err(PublishRoundError::Compute)?)
}

/// Closes a round, or revises a closed one, with exactly what a preview showed.
///
/// # Errors
/// [`PublicationError`]: nothing changed; [`FiguresError::Changed`] if something came in between.
pub async fn publish_previewed(
    store: &Store,
    printer: Printer<'_>,
    loaded: &LoadedRound,
    seen: Digest,
    now: Timestamp,
) -> Result<StoredPublication, PublicationError> {
    let press = Press::new(store, &printer, loaded, now).await?;
    let round = loaded.round.id();
    let changed = || PublishRoundError::Compute(FiguresError::Changed);
    if loaded.closed.is_some() {
        let next = |contents: RoundContents| press.print_as_seen(&contents, seen).map(Some);
        return Ok(store.revise_round(round, now, next).await?.ok_or_else(changed)?);
    }
    let mut is_ours = false;
    let first = |contents: RoundContents| {
        is_ours = true;
        press.print_as_seen(&contents, seen)
    };
    let published = store.close_round(round, now, first).await?;
    // Somebody else closed it first: with other releases, or with these.
    if is_ours { Ok(published) } else { Err(changed().into()) }
}

impl<'a> Press<'a> {
    async fn new(
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

    fn next_version(&self, contents: &RoundContents) -> u32 {
        let newest = contents.published.iter().rfind(|head| head.round == *self.round().id());
        newest.map_or(1, |newest| newest.version.saturating_add(1))
    }

    /// Everything that figures, coverage and the guard against differences follow from, but the moment.
    fn basis(&self, contents: &RoundContents) -> Result<Digest, FiguresError> {
        let releases = contents.releases.iter().map(|r| (r.release, r.digest, r.late));
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
        ))?;
        Ok(Digest::of("fellestall/preview/1", &facts))
    }

    fn print_as_seen(
        &self,
        contents: &RoundContents,
        seen: Digest,
    ) -> Result<NewPublication, FiguresError> {
        if self.basis(contents)? != seen {
            return Err(FiguresError::Changed);
        }
        self.print_if_new(contents)?.ok_or(FiguresError::Changed)
    }

    fn print_if_new(
        &self,
        contents: &RoundContents,
    ) -> Result<Option<NewPublication>, FiguresError> {
        let newest = contents.published.iter().rfind(|head| head.round == *self.round().id());
        let Some(newest) = newest else {
            return self.print(contents, 1).map(Some);
        };
        let reported: BTreeSet<_> =
            contents.releases.iter().map(|release| release.municipality.clone()).collect();
        let summary: Summary = serde_json::from_str(&newest.summary)?;
        if summary.municipalities == reported {
            return Ok(None);
        }
        self.print(contents, newest.version.saturating_add(1)).map(Some)
    }

    fn print(
        &self,
        contents: &RoundContents,
        version: u32,
    ) -> Result<NewPublication, FiguresError> {
        let participants = self.participants(&contents.releases)?;
        let summary = Summary {
            period: self.round().period(),
            statistics: statistics(self.round()),
            municipalities: contents.releases.iter().map(|r| r.municipality.clone()).collect(),
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
            task_envelope: None,
            shared: Vec::new(),
            key: self.printer.key,
        })?;
        let presentation = databank::presentation(&publication, digest, self.printer.policy)?;
        let summary = serde_json::to_string(&summary)?;
        Ok(NewPublication { digest, document, bundle, summary, presentation })
    }

    /// Every node that reported, and every enrolled node of a municipality that did not.
    fn participants(&self, releases: &[StoredRelease]) -> Result<Vec<Participant>, FiguresError> {
        let known = |id: &NodeId| self.nodes.iter().any(|node| node.node == *id);
        if let Some(release) = releases.iter().find(|release| !known(&release.node)) {
            return Err(FiguresError::JustEnrolled { node: release.node.clone() });
        }
        let mut participants = Vec::new();
        for node in &self.nodes {
            let of_municipality =
                releases.iter().find(|release| release.municipality == node.municipality);
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

fn earlier(head: &Head) -> Result<EarlierPublication, FiguresError> {
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
