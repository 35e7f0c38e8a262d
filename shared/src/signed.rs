//! Signatures over exact bytes: Ed25519 (RFC 8032, through ring) with the kind of document signed in.
//!
//! A document travels as an [`Envelope`]: the payload's bytes as they were signed, the key's
//! fingerprint and the signature. [`Verified`] can be made only by [`Envelope::verify`], and is the
//! only form in which a state machine takes a document from outside.
//!
//! **Invariant:** bytes are parsed after their signature held, never before.

use crate::digest::Digest;
use crate::limits::RELEASE_BYTES;
use data_encoding::BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;

/// A document that can be signed.
pub trait Document: Serialize + DeserializeOwned {
    /// The kind, signed with the payload, so that no signature serves for two kinds.
    const KIND: &'static str;
}

/// A signed document as it travels and as it is stored: JSON with base64 (RFC 4648).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The signed bytes: the document in JSON, UTF-8.
    #[serde(with = "base64")]
    payload: Vec<u8>,
    /// The fingerprint of the key.
    key: Digest,
    /// The Ed25519 signature, 64 bytes.
    #[serde(with = "base64")]
    signature: Vec<u8>,
}

/// A document whose signature held, with the bytes that were signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Verified<T> {
    document: T,
    envelope: Envelope,
}

/// Why a signed document is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not an envelope.
    #[error("this is not a signed document")]
    NotAnEnvelope,
    /// Larger than any document may be.
    #[error("the signed document is larger than {RELEASE_BYTES} bytes")]
    TooLarge,
    /// Signed by another key than the expected one.
    #[error("the document is signed by the key {found}, expected was {expected}")]
    OtherKey {
        /// The fingerprint that the document names, shortened.
        found: String,
        /// The expected fingerprint, shortened.
        expected: String,
    },
    /// The signature does not hold.
    #[error(
        "the signature does not hold for these bytes: they were altered, or signed as another kind"
    )]
    Invalid,
    /// The signature holds, but the payload is not this kind of document.
    #[error("the signed payload is not a {kind} of a version known here")]
    Payload {
        /// The expected kind.
        kind: &'static str,
    },
    /// A key that is not 32 bytes, or a private key that is not PKCS#8.
    #[error("this is not an Ed25519 key")]
    NotAKey,
    /// The system gave no random numbers, or the document cannot be written.
    #[error("the document could not be signed")]
    NotSigned,
}

/// A public key that checks signatures: 32 bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VerifyingKey(#[serde(with = "base64")] Vec<u8>);

/// A private key that signs; never cloned, shown or serialised.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Makes a new key and gives its PKCS#8 bytes, to be stored with mode 0600.
    ///
    /// # Errors
    /// [`SignatureError::NotSigned`] if the system gives no random numbers.
    pub fn generate() -> Result<(Self, Vec<u8>), SignatureError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| SignatureError::NotSigned)?;
        Ok((Self::from_pkcs8(document.as_ref())?, document.as_ref().to_vec()))
    }

    /// Reads a key from its PKCS#8 bytes.
    ///
    /// # Errors
    /// [`SignatureError::NotAKey`].
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, SignatureError> {
        Ed25519KeyPair::from_pkcs8(bytes).map(Self).map_err(|_| SignatureError::NotAKey)
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.public_key().as_ref().to_vec())
    }

    /// Signs a document. Ed25519 is deterministic: the same document gives the same envelope.
    ///
    /// # Errors
    /// [`SignatureError::NotSigned`] if the document cannot be written as JSON, or is too large.
    pub fn sign<T: Document>(&self, document: &T) -> Result<Envelope, SignatureError> {
        let payload = serde_json::to_vec(document).map_err(|_| SignatureError::NotSigned)?;
        if payload.len() > RELEASE_BYTES {
            return Err(SignatureError::TooLarge);
        }
        let signature = self.0.sign(&signing_input(T::KIND, &payload)).as_ref().to_vec();
        Ok(Envelope { payload, key: self.verifying_key().fingerprint(), signature })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifying_key().fingerprint().short())
    }
}

impl VerifyingKey {
    /// A key from its 32 bytes.
    ///
    /// # Errors
    /// [`SignatureError::NotAKey`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        if bytes.len() == 32 { Ok(Self(bytes.to_vec())) } else { Err(SignatureError::NotAKey) }
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key's fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of("fellestall/key/1", &self.0)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.fingerprint().short())
    }
}

impl Envelope {
    /// Reads an envelope from JSON.
    ///
    /// # Errors
    /// [`SignatureError::TooLarge`] or [`SignatureError::NotAnEnvelope`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, SignatureError> {
        // Base64 takes four bytes for three.
        if bytes.len() > RELEASE_BYTES.saturating_mul(2) {
            return Err(SignatureError::TooLarge);
        }
        serde_json::from_slice(bytes).map_err(|_| SignatureError::NotAnEnvelope)
    }

    /// Writes the envelope as JSON: the exact bytes that are sent and stored.
    ///
    /// # Errors
    /// [`SignatureError::NotSigned`] if memory for it cannot be had.
    pub fn to_json(&self) -> Result<Vec<u8>, SignatureError> {
        serde_json::to_vec(self).map_err(|_| SignatureError::NotSigned)
    }

    /// The size in bytes of the envelope's JSON, if its payload were longer by so many bytes.
    ///
    /// # Errors
    /// As [`Self::to_json`].
    pub fn size_with(&self, more: usize) -> Result<usize, SignatureError> {
        let payload = self.payload.len();
        let others = self.to_json()?.len().saturating_sub(BASE64.encode_len(payload));
        Ok(others.saturating_add(BASE64.encode_len(payload.saturating_add(more))))
    }

    /// Whether this names a key as its signer; whether the signature holds is another question.
    #[must_use]
    pub fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        self.key == key.fingerprint()
    }

    /// The fingerprint of the key that this names as its signer.
    #[must_use]
    pub fn signer(&self) -> Digest {
        self.key
    }

    /// The digest of the payload: the name of this document in every other document.
    #[must_use]
    pub fn payload_digest(&self) -> Digest {
        Digest::of("fellestall/payload/1", &self.payload)
    }

    /// Checks the signature, then reads the document.
    ///
    /// # Errors
    /// [`SignatureError`]: which check failed.
    pub fn verify<T: Document>(self, key: &VerifyingKey) -> Result<Verified<T>, SignatureError> {
        if self.key != key.fingerprint() {
            let (found, expected) = (self.key.short(), key.fingerprint().short());
            return Err(SignatureError::OtherKey { found, expected });
        }
        UnparsedPublicKey::new(&ED25519, key.as_bytes())
            .verify(&signing_input(T::KIND, &self.payload), &self.signature)
            .map_err(|_| SignatureError::Invalid)?;
        let document = serde_json::from_slice(&self.payload)
            .map_err(|_| SignatureError::Payload { kind: T::KIND })?;
        Ok(Verified { document, envelope: self })
    }
}

impl<T> Verified<T> {
    /// The envelope that was verified.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The digest of the payload.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.envelope.payload_digest()
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.document
    }
}

fn signing_input(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut input = Vec::with_capacity(kind.len() + payload.len() + 32);
    input.extend_from_slice(b"fellestall signed document\0");
    input.extend_from_slice(kind.as_bytes());
    input.push(0);
    input.extend_from_slice(payload);
    input
}

mod base64 {
    use super::BASE64;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}
