//! Sealing the helper's shares: the leader carries them and cannot read them.
//!
//! HPKE in base mode (RFC 9180): X25519, HKDF-SHA256, `ChaCha20Poly1305`. What a share belongs to (its
//! task, report and public share) is authenticated with it, so that it opens nowhere else.
//!
//! **Invariant:** the secret is never cloned, shown or serialised; every sealing draws a key of its
//! own from the operating system.

use super::{Bytes, SealingKey};
use crate::digest::Digest;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};

/// What every key is derived for.
const INFO: &[u8] = b"fellestall helper share 1";
/// Bytes of the key that travels before the sealed share.
const ENCAPSULATED: usize = 32;

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;

/// The key that opens what was sealed to its public half.
pub struct SealingSecret(PrivateKey);

/// Why a share was not sealed or opened; it says nothing about the share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not 32 bytes, or a public key with which nothing can be kept secret.
    #[error("this is not a sealing key")]
    Key,
    /// Sealed to another key or for another report, cut short or altered.
    #[error("the sealed share cannot be opened with this key for this report")]
    Sealed,
}

impl SealingSecret {
    /// Makes a new secret and gives its bytes, to be stored with mode 0600.
    ///
    /// A system that gives no random numbers ends the process.
    #[must_use]
    pub fn generate() -> (Self, Vec<u8>) {
        let (secret, _) = X25519HkdfSha256::gen_keypair();
        let bytes = secret.to_bytes().to_vec();
        (Self(secret), bytes)
    }

    /// Reads a secret from its 32 bytes.
    ///
    /// # Errors
    /// [`SealError::Key`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        PrivateKey::from_bytes(bytes).map(Self).map_err(|_| SealError::Key)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> SealingKey {
        let public = X25519HkdfSha256::sk_to_pk(&self.0);
        SealingKey(Bytes(public.to_bytes().to_vec()))
    }
}

/// Seals the helper's share of a report.
///
/// # Errors
/// [`SealError::Key`].
pub fn seal(
    key: &SealingKey,
    task: Digest,
    id: &[u8; 16],
    public_share: &[u8],
    share: &[u8],
) -> Result<Bytes, SealError> {
    let key = PublicKey::from_bytes(key.as_bytes()).map_err(|_| SealError::Key)?;
    let (encapsulated, sealed) =
        hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &key,
            INFO,
            share,
            &bound_to(task, id, public_share),
        )
        .map_err(|_| SealError::Key)?;
    Ok(Bytes([encapsulated.to_bytes().as_slice(), &sealed].concat()))
}

/// Opens the helper's share of a report.
///
/// # Errors
/// [`SealError::Sealed`].
pub fn open(
    secret: &SealingSecret,
    task: Digest,
    id: &[u8; 16],
    public_share: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, SealError> {
    open_with(secret, INFO, &bound_to(task, id, public_share), sealed)
}

fn open_with(
    secret: &SealingSecret,
    info: &[u8],
    bound: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, SealError> {
    let (encapsulated, sealed) = sealed.split_at_checked(ENCAPSULATED).ok_or(SealError::Sealed)?;
    let encapsulated = EncappedKey::from_bytes(encapsulated).map_err(|_| SealError::Sealed)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret.0,
        &encapsulated,
        info,
        sealed,
        bound,
    )
    .map_err(|_| SealError::Sealed)
}

/// Task and report id have one length each, so that no two lists of parts give the same bytes.
fn bound_to(task: Digest, id: &[u8; 16], public_share: &[u8]) -> Vec<u8> {
    [task.as_bytes(), id.as_slice(), public_share].concat()
}

#[cfg(test)]
mod tests;
