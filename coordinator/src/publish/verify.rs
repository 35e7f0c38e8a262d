//! Checks a publication offline: who signed it, and whether its figures follow from what it says.
//!
//! With a bundle, every figure is recomputed from the signed releases. With the public document,
//! which has no releases unless the study publishes municipal figures, everything that follows from
//! the published sums is recomputed, and the report says what could not be checked.
//!
//! **Invariant:** a file in which any one byte was changed is refused.

use super::shared::Opened;
use super::{
    Certificate, CoverageState, FORMAT, OpenedError, OpenedSum, Publication, PublicationFile,
    PublishError, PublishedTable, ReleaseCertificate, Seal, certificate, combine, compose,
    coverage, file, opened,
};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{NodeId, RoundId};
use fellestall_shared::labels::Labels;
use fellestall_shared::round::{AcceptedRelease, ReleaseError, Round, RoundError, ledger_head};
use fellestall_shared::signed::{Envelope, SignatureError, VerifyingKey};
use fellestall_shared::study::{Study, StudyError, Table};
use fellestall_shared::wire::v1::{ReleaseDocument, RoundDocument, StudyDocument};

mod report;
pub use report::{Checked, NotChecked, VerifyReport};

/// Bytes of a file that is verified, at the most: a bundle of every municipality fits many times.
pub const FILE_BYTES: usize = 512 * 1024 * 1024;

/// Why a publication is not what it says.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Too large to be a publication.
    #[error("the file is larger than {FILE_BYTES} bytes")]
    TooLarge,
    /// Not a publication of a format known here.
    #[error("the file is not a {FORMAT} document")]
    NotAPublication(#[source] Option<serde_json::Error>),
    /// Not the bytes that the coordinator writes.
    #[error("the file was altered: it is not in the exact form in which publications are written")]
    NotCanonical,
    /// Signed by another key than the trusted one.
    #[error("the publication names the coordinator key {found}, the trusted key is {expected}")]
    OtherKey {
        /// The fingerprint in the file, shortened.
        found: String,
        /// The trusted fingerprint, shortened.
        expected: String,
    },
    /// A signature that does not hold.
    #[error("the signature of {what} does not hold")]
    Signature {
        /// Of what.
        what: String,
        /// Why.
        #[source]
        source: SignatureError,
    },
    /// The seal is on another publication.
    #[error("the seal is not for this publication: its contents were altered")]
    Sealed,
    /// A study that this program can't recompute.
    #[error("the study in the certificate cannot be used")]
    Study(#[source] StudyError),
    /// A round that is not the study's.
    #[error("the round in the certificate does not belong to its study")]
    Round(#[source] RoundError),
    /// A release that does not answer the round.
    #[error("the release of node {node} does not answer the round")]
    Release {
        /// The node.
        node: NodeId,
        /// Why.
        #[source]
        source: ReleaseError,
    },
    /// Opened batches that are not those of the releases, or not signed by the helper.
    #[error("the opened batches do not hold")]
    Opened(#[source] OpenedError),
    /// Parts that do not fit each other.
    #[error("{what} does not follow from the rest of the file")]
    Differs {
        /// Which part.
        what: &'static str,
    },
    /// Fewer nodes than the study's minimum.
    #[error("the publication has fewer nodes than its study demands")]
    TooFewNodes,
    /// Figures that can't be recomputed at all.
    #[error("the figures cannot be recomputed")]
    Compose(#[source] PublishError),
}

/// Verifies the bytes of a publication or bundle with the catalogue of this version of the program.
///
/// Without a trusted key the file is only shown to agree with itself: anyone could have made it.
///
/// # Errors
/// [`VerifyError`]: the first thing that does not hold.
pub fn verify(
    bytes: &[u8],
    trusted: Option<&VerifyingKey>,
    catalogue: &'static Catalogue,
) -> Result<VerifyReport, VerifyError> {
    let file = read(bytes)?;
    let publication = &file.publication;
    let certified = &publication.certificate;
    let key = &certified.coordinator_key;
    if let Some(trusted) = trusted.filter(|trusted| *trusted != key) {
        let (found, expected) = (key.fingerprint().short(), trusted.fingerprint().short());
        return Err(VerifyError::OtherKey { found, expected });
    }
    check_seal(&file, key)?;
    let round = round(certified, key, catalogue)?;
    check_coverage(publication, &round)?;
    let releases = releases(&file, &round)?;
    let batches = opened(certified, &round)?;
    let recomputed = recompute(publication, &round, &releases, Opened::of(&batches))?;
    compare(publication, &recomputed)?;
    Ok(VerifyReport::new(publication, trusted.is_some(), releases.len(), batches.len()))
}

fn read(bytes: &[u8]) -> Result<PublicationFile, VerifyError> {
    if bytes.len() > FILE_BYTES {
        return Err(VerifyError::TooLarge);
    }
    let file: PublicationFile =
        serde_json::from_slice(bytes).map_err(|error| VerifyError::NotAPublication(Some(error)))?;
    if file.format != FORMAT {
        return Err(VerifyError::NotAPublication(None));
    }
    if file::bytes(&file).as_deref() == Some(bytes) {
        Ok(file)
    } else {
        Err(VerifyError::NotCanonical)
    }
}

fn signature(what: impl Into<String>) -> impl FnOnce(SignatureError) -> VerifyError {
    let what = what.into();
    move |source| VerifyError::Signature { what, source }
}

fn check_seal(file: &PublicationFile, key: &VerifyingKey) -> Result<(), VerifyError> {
    let seal =
        file.seal.clone().verify::<Seal>(key).map_err(signature("the coordinator's seal"))?;
    let publication = &file.publication;
    let same = Some(seal.publication) == file::digest(publication)
        && seal.round == publication.round
        && seal.version == publication.version;
    if same { Ok(()) } else { Err(VerifyError::Sealed) }
}

fn round(
    certified: &Certificate,
    key: &VerifyingKey,
    catalogue: &'static Catalogue,
) -> Result<Round, VerifyError> {
    let study = certified.study_document.clone().verify::<StudyDocument>(key);
    let study = study.map_err(signature("the study"))?;
    let study = Study::new(&study, catalogue).map_err(VerifyError::Study)?;
    let document = certified.round_document.clone().verify::<RoundDocument>(key);
    let document = document.map_err(signature("the round"))?;
    Round::new(&document, study).map_err(VerifyError::Round)
}

fn differs<T>(what: &'static str) -> Result<T, VerifyError> {
    Err(VerifyError::Differs { what })
}

/// The numbers of the coverage, and that exactly its reporting nodes are in the certificate.
fn check_coverage(publication: &Publication, round: &Round) -> Result<(), VerifyError> {
    let nodes = &publication.coverage.nodes;
    let minimum = round.study().document().minimum_nodes;
    if coverage::tally(nodes.clone(), minimum) != publication.coverage {
        return differs("the coverage");
    }
    let order = |pair: &[super::NodeCoverage]| match pair {
        [a, b] => (&a.municipality, &a.node) < (&b.municipality, &b.node),
        _ => false,
    };
    if !nodes.windows(2).all(order) {
        return differs("the order of the nodes");
    }
    let is_counted = |node: &super::NodeCoverage| {
        matches!(node.state, CoverageState::Reported | CoverageState::Late)
    };
    let is_shared = round.study().layout().is_some();
    let mut rejected = nodes.iter().filter(|node| node.rejected.is_some());
    if rejected.any(|node| !is_shared || is_counted(node)) {
        return differs("the coverage");
    }
    let reported: Vec<_> = nodes
        .iter()
        .filter(|node| is_counted(node))
        .map(|node| (&node.municipality, &node.node))
        .collect();
    let releases = &publication.certificate.releases;
    let listed: Vec<_> =
        releases.iter().map(|release| (&release.municipality, &release.node)).collect();
    if reported != listed {
        return differs("the list of releases");
    }
    let once = reported.windows(2).all(|pair| match pair {
        [a, b] => a.0 != b.0,
        _ => false,
    });
    if !once {
        return differs("the list of releases");
    }
    let head = |release: &ReleaseCertificate| {
        ledger_head(release.ledger_previous, release.release_digest) == release.ledger_head
    };
    if !releases.iter().all(head) {
        return differs("the head of a ledger");
    }
    let enough = usize::try_from(minimum).is_ok_and(|minimum| reported.len() >= minimum);
    if enough { Ok(()) } else { Err(VerifyError::TooFewNodes) }
}

/// The opened batches, each joined anew from its two halves.
fn opened(certified: &Certificate, round: &Round) -> Result<Vec<OpenedSum>, VerifyError> {
    let Certificate { task_document, batches, releases, coordinator_key, .. } = certified;
    opened::open(round, task_document.as_ref(), batches, releases, coordinator_key)
        .map_err(VerifyError::Opened)
}

/// The releases in the file, each checked as the coordinator checked it; none in a public document.
fn releases(file: &PublicationFile, round: &Round) -> Result<Vec<AcceptedRelease>, VerifyError> {
    let certified = &file.publication.certificate.releases;
    if file.releases.is_empty() {
        let needed = round.study().document().municipal_figures;
        return if needed { differs("the absence of releases") } else { Ok(Vec::new()) };
    }
    if file.releases.len() != certified.len() {
        return differs("the number of releases");
    }
    certified
        .iter()
        .zip(&file.releases)
        .map(|(one, envelope)| release(one, envelope, round))
        .collect()
}

fn release(
    certified: &ReleaseCertificate,
    envelope: &Envelope,
    round: &Round,
) -> Result<AcceptedRelease, VerifyError> {
    let node = &certified.node;
    let release = envelope
        .clone()
        .verify::<ReleaseDocument>(&certified.release_key)
        .map_err(signature(format!("the release of node {node}")))?;
    let accepted = AcceptedRelease::new(release, round, node, &certified.municipality)
        .map_err(|source| VerifyError::Release { node: node.clone(), source })?;
    if certificate::release(&accepted, &certified.release_key) != *certified {
        return differs("the certificate of a release");
    }
    Ok(accepted)
}

/// Composes the publication anew: from the releases, or from the published sums without them.
fn recompute(
    publication: &Publication,
    round: &Round,
    releases: &[AcceptedRelease],
    opened: Option<Opened>,
) -> Result<Publication, VerifyError> {
    let tables = round.study().tables();
    let sums = if releases.is_empty() {
        let sums: Vec<_> = publication.tables.iter().map(local_sums).collect();
        let cells = |table: &Table| table.local.map_or(0, |_| table.statistic.cells());
        let fits = sums.len() == tables.len()
            && sums.iter().zip(tables).all(|(sum, table)| sum.len() == cells(table));
        if !fits {
            return differs("the set of tables");
        }
        sums
    } else {
        combine::sums(tables, releases.iter()).map_err(VerifyError::Compose)?
    };
    let certified = &publication.certificate;
    let signed = certificate::Signed {
        study: certified.study_document.clone(),
        round: certified.round_document.clone(),
        task: certified.task_document.clone(),
        batches: certified.batches.clone(),
        key: certified.coordinator_key.clone(),
    };
    let parts = compose::Parts {
        version: publication.version,
        published: publication.published,
        coverage: publication.coverage.clone(),
        sums,
        opened,
        municipal: compose::municipal(round, &releases.iter().collect::<Vec<_>>())
            .map_err(VerifyError::Compose)?,
        certificate: certificate::certificate(round, signed, certified.releases.clone())
            .map_err(VerifyError::Compose)?,
    };
    compose::compose(round, parts).map_err(VerifyError::Compose)
}

/// The local sums that a published table tells of: its figures, or what they were combined from.
fn local_sums(table: &PublishedTable) -> Vec<i64> {
    match &table.shared {
        None => table.cells.iter().map(|cell| cell.value).collect(),
        Some(shared) => shared.combined.as_ref().map(|own| own.local.clone()).unwrap_or_default(),
    }
}

/// Compares everything but labels, which a later version of the program may word otherwise; they
/// are under the seal.
fn compare(published: &Publication, recomputed: &Publication) -> Result<(), VerifyError> {
    let (published, recomputed) = (without_labels(published), without_labels(recomputed));
    let parts = [
        ("the certificate", published.certificate == recomputed.certificate),
        ("a figure", published.tables == recomputed.tables),
        ("a rate", published.rates == recomputed.rates),
        ("the survival curve", published.survival == recomputed.survival),
        ("a municipal figure", published.municipal == recomputed.municipal),
        ("the publication", published == recomputed),
    ];
    match parts.into_iter().find(|(_, same)| !same) {
        Some((what, _)) => differs(what),
        None => Ok(()),
    }
}

fn without_labels(publication: &Publication) -> Publication {
    let none = || Labels { nb: String::new(), nn: String::new(), en: String::new() };
    let mut bare = publication.clone();
    (bare.title, bare.about) = (none(), none());
    for table in &mut bare.tables {
        (table.title, table.description) = (none(), none());
        for dimension in &mut table.dimensions {
            dimension.label = none();
            dimension.categories.iter_mut().for_each(|category| category.label = none());
        }
    }
    bare.rates.iter_mut().for_each(|rate| rate.label = none());
    bare.survival.iter_mut().for_each(|curve| curve.label = none());
    bare
}

#[cfg(test)]
mod tests;
