//! Secure aggregation: the sum is seen, no municipality is.
//!
//! Two servers that do not collude each hold half of every report, and open one sum of a batch. Each
//! node adds a share of the noise before it splits its counts, so that the sum carries the noise that
//! one trusted curator would have added.
//!
//! **Invariant:** everything here is a function of public documents and of what is passed in: no
//! clock, no network, no store. What splits and seals a report draws random bytes, and never noise.

use crate::digest::Digest;
use crate::ids::ReleaseId;
use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

mod checksum;
mod layout;
pub mod noise;
pub mod seal;
mod task;
pub mod vdaf;
pub use checksum::{BadChecksum, Checksum};
pub use layout::{BadLayout, Layout, SharedTable};
pub use task::{AcceptedReport, Task, TaskError};

/// Bytes that travel as base64 (RFC 4648), and are never shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text.as_bytes()).map(Self).map_err(de::Error::custom)
    }
}

/// A public key that shares are sealed to: 32 bytes, X25519.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bytes", into = "Bytes")]
pub struct SealingKey(Bytes);

/// A sealing key that is not 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealing key has 32 bytes")]
pub struct BadSealingKey;

impl SealingKey {
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.0
    }
}

impl TryFrom<Bytes> for SealingKey {
    type Error = BadSealingKey;
    fn try_from(bytes: Bytes) -> Result<Self, BadSealingKey> {
        if bytes.0.len() == 32 { Ok(Self(bytes)) } else { Err(BadSealingKey) }
    }
}

impl From<SealingKey> for Bytes {
    fn from(key: SealingKey) -> Self {
        key.0
    }
}

/// The id of a report, which is also the nonce of its proof: the first 16 bytes of the question's
/// digest. One question has one report.
#[must_use]
pub fn report_id(release: ReleaseId) -> [u8; 16] {
    let mut id = [0; 16];
    let digest: Digest = release.digest();
    for (to, from) in id.iter_mut().zip(digest.as_bytes()) {
        *to = *from;
    }
    id
}
