//! A signed attestation of what was destroyed after a project's end, and of what is kept and why.
//!
//! **Invariant:** an attestation holds closed codes, dates, the purpose and the ledger's head; nothing
//! in it follows from a record. Once written it is not changed.

use super::{Item, RetentionError, Why};
use crate::files::{self, FileError};
use crate::keys::KeyStore;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, Purpose};
use fellestall_shared::signed::{Document, Envelope, Verified, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the attestations.
const FOLDER: &str = "attestations";
/// Attestations of one purpose: one for each time that its project was registered with a later end.
const MOST: u32 = 100;

/// What the node attests after a purge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The node.
    pub node: NodeId,
    /// The municipality.
    pub municipality: MunicipalityNumber,
    /// The purpose that was purged.
    pub purpose: Purpose,
    /// The last day of its project.
    pub ended: String,
    /// When the purge was done.
    pub purged_at: Timestamp,
    /// What this node holds no more of for this purpose.
    pub removed: Vec<Item>,
    /// What is kept, and why.
    pub kept: Vec<KeptItem>,
    /// The number of releases in the ledger, which stand.
    pub ledger_sequence: u64,
    /// The ledger's head.
    pub ledger_head: Digest,
}

/// One thing that is kept after a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptItem {
    /// What.
    pub item: Item,
    /// Why.
    pub why: Why,
}

impl Document for Attestation {
    const KIND: &'static str = "attestation/1";
}

/// The attestations of a purpose, oldest first, each verified with the node's own key.
///
/// # Errors
/// [`RetentionError`].
pub fn attestations(
    directory: &Path,
    purpose: &Purpose,
) -> Result<Vec<Verified<Attestation>>, RetentionError> {
    let paths = (1..=MOST).map(|number| path(directory, purpose, number));
    let paths: Vec<_> = paths.take_while(|path| path.exists()).collect();
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let key = KeyStore::new(directory).release_public()?;
    paths.iter().map(|path| verify(path, &key)).collect()
}

/// An attestation from a file, if a key signed it.
///
/// # Errors
/// [`RetentionError::Attestation`] or [`RetentionError::File`].
pub fn verify(path: &Path, key: &VerifyingKey) -> Result<Verified<Attestation>, RetentionError> {
    let bytes = fs::read(path).map_err(|source| {
        let (action, path) = ("read", path.to_owned());
        FileError::Io { action, path, source }
    })?;
    Envelope::from_json(&bytes)
        .and_then(|envelope| envelope.verify(key))
        .map_err(|source| RetentionError::Attestation { path: path.to_owned(), source })
}

/// Writes a new attestation beside the earlier ones.
pub(super) fn write(
    directory: &Path,
    purpose: &Purpose,
    earlier: usize,
    envelope: &Envelope,
) -> Result<(), RetentionError> {
    let number = u32::try_from(earlier).unwrap_or(MOST).saturating_add(1);
    let path = path(directory, purpose, number);
    files::create_directory(&directory.join(FOLDER))?;
    let bytes = envelope.to_json().map_err(|source| {
        let path = path.clone();
        RetentionError::Attestation { path, source }
    })?;
    files::create(&path, &bytes)?;
    Ok(())
}

/// Where the attestation of this number lies: `attestations/PURPOSE.json`, then `PURPOSE.2.json`.
fn path(directory: &Path, purpose: &Purpose, number: u32) -> PathBuf {
    let name = match number {
        1 => format!("{purpose}.json"),
        _ => format!("{purpose}.{number}.json"),
    };
    directory.join(FOLDER).join(name)
}
