//! From a round's stored releases to its next publication.
//!
//! **Invariant:** the releases are read, merged and published in the one transaction that holds the
//! round, and every publication before it, of any study, is known to the guard against differences.
//! Of a study with shared tables, exactly the nodes whose reports are in an opened sum are counted.

use super::press::Press;
use super::{LoadError, LoadedRound};
use crate::aggregation::{AggregationError, Leader};
use crate::databank;
use crate::present::{Policy, Presentation};
use crate::publish::PublishError;
use crate::store::publications::StoredPublication;
use crate::store::rounds::{PublishRoundError, RoundContents};
use crate::store::{Store, StoreError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::NodeId;
use fellestall_shared::round::ReleaseError;
use fellestall_shared::signed::{SignatureError, SigningKey};

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
    /// A stored task or opened sum that is no signed document.
    #[error("what is stored of the shared tables is damaged")]
    Task(#[source] SignatureError),
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
    /// The shared tables were not opened.
    #[error("the shared tables were not opened, and the round stays as it was")]
    Aggregation(#[from] AggregationError),
    /// The round, or its figures.
    #[error(transparent)]
    Round(#[from] PublishRoundError<FiguresError>),
}

/// What every publication is signed with and shown by.
#[derive(Debug, Clone, Copy)]
pub struct Printer<'a> {
    /// The coordinator's key.
    pub key: &'a SigningKey,
    /// The presentation rule.
    pub policy: &'a Policy,
}

/// Closes a round and publishes its first version; a closed round gives what it closed with. Shared
/// tables are opened before: see [`Leader::open`].
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
/// Of a study with shared tables, with what was opened since: see [`Leader::open`].
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
    /// How it would be shown; `None` while its shared tables are sealed: nobody can see their sums
    /// before they are opened, and what was opened is not sealed again.
    pub presentation: Option<Presentation>,
}

/// Computes what [`close`] or [`revise`] would publish, exactly as they would, and stores nothing;
/// `None` if nothing is new since the newest version. Of shared tables that are sealed it says how many
/// reports would be opened, and refuses what would not be opened.
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
        let basis = press.basis(&contents)?;
        if press.is_sealed(&contents)? {
            let Some(releases) = press.sealed(&contents)? else { return Ok(None) };
            return Ok(Some(Preview { version, basis, releases, presentation: None }));
        }
        let Some(made) = press.print_if_new(&contents)? else { return Ok(None) };
        Ok(Some(Preview {
            version,
            basis,
            releases: press.counted(&contents).len(),
            presentation: Some(serde_json::from_slice(&made.presentation.document)?),
        }))
    };
    Ok(print().map_err(PublishRoundError::Compute)?)
}

/// Opens the shared tables of a round that was looked at, then closes or revises it: with exactly the
/// reports that a preview spoke of, but those that turn out not to hold.
///
/// # Errors
/// [`PublicationError`]; [`FiguresError::Changed`] if something came in between. What was opened stays
/// opened.
pub async fn open_and_publish(
    store: &Store,
    printer: Printer<'_>,
    leader: &Leader,
    loaded: &LoadedRound,
    seen: Digest,
    now: Timestamp,
) -> Result<StoredPublication, PublicationError> {
    let changed = || PublishRoundError::Compute(FiguresError::Changed);
    let press = Press::new(store, &printer, loaded, now).await?;
    let contents = store.round_contents(loaded.round.id()).await?;
    if press.basis(&contents).map_err(PublishRoundError::Compute)? != seen {
        return Err(changed().into());
    }
    leader.open(loaded).await?;
    if loaded.closed.is_none() {
        return close(store, printer, loaded, now).await;
    }
    Ok(revise(store, printer, loaded, now).await?.ok_or_else(changed)?)
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
