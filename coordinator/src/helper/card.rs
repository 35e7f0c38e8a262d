//! Cards: what two servers hand each other, by a trusted way, so that they know each other.
//!
//! **Invariant:** a card holds nothing secret, and its fingerprint covers every field: two people who
//! read the same fingerprint to each other hold the same card.

use crate::config::host_and_port;
use data_encoding::BASE64;
use fellestall_shared::digest::Digest;
use fellestall_shared::limits::{DOCUMENT_BYTES, TEXT_CHARS};
use fellestall_shared::secure::{Bytes, SealingKey};
use fellestall_shared::signed::VerifyingKey;
use fellestall_shared::wire::v1::{HelperIdentity, TaskParticipant};
use rustls::pki_types::CertificateDer;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Who a helper is: what the coordinator reaches and recognises it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelperCard {
    /// Who runs it, in words.
    pub name: String,
    /// The address that the coordinator dials.
    pub url: String,
    /// The key that it signs with.
    pub signing_key: VerifyingKey,
    /// The key that nodes seal its shares to.
    pub sealing_key: SealingKey,
    /// The authority of its server certificate (DER).
    pub authority: Bytes,
}

/// Who a coordinator is: what a helper recognises it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaderCard {
    /// The address that nodes dial: for people, to know whose card it is.
    pub url: String,
    /// The key that studies, rounds and tasks are signed with.
    pub signing_key: VerifyingKey,
    /// The authority of its client certificate (DER).
    pub authority: Bytes,
}

/// The nodes that a coordinator has enrolled, for a helper's operator to check and admit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// By node.
    pub participants: Vec<TaskParticipant>,
}

/// Why a file is no card or roster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCard {
    /// Not JSON, an unknown or missing field, or too long.
    #[error("this is not a {what}: {why}")]
    Form {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// An address that cannot be dialled.
    #[error("its url must be https://HOST or https://HOST:PORT")]
    Url,
    /// A name of nothing, or a story.
    #[error("its name must have 1 to {TEXT_CHARS} characters")]
    Name,
    /// Not a certificate.
    #[error("its authority is not a certificate")]
    Authority,
}

impl HelperCard {
    /// Reads a card.
    ///
    /// # Errors
    /// [`BadCard`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, BadCard> {
        let card: Self = read("helper's card", bytes)?;
        host_and_port(&card.url).ok_or(BadCard::Url)?;
        check_name(&card.name)?;
        check_authority(&card.authority)?;
        Ok(card)
    }

    /// What people compare.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let parts = [
            self.name.as_bytes(),
            self.url.as_bytes(),
            self.signing_key.as_bytes(),
            self.sealing_key.as_bytes(),
            &self.authority.0,
        ];
        Digest::of_parts("fellestall/helper-card/1", &parts)
    }

    /// The helper as a study names it.
    #[must_use]
    pub fn identity(&self) -> HelperIdentity {
        HelperIdentity {
            name: self.name.clone(),
            signing_key: self.signing_key.clone(),
            sealing_key: self.sealing_key.clone(),
        }
    }

    /// The authority of its server certificate.
    #[must_use]
    pub fn authority(&self) -> CertificateDer<'static> {
        CertificateDer::from(self.authority.0.clone())
    }

    /// The lines that a study's file says it with.
    #[must_use]
    pub fn study_lines(&self) -> String {
        format!(
            "[aggregation.helper]\nname = {:?}\nsigning_key = \"{}\"\nsealing_key = \"{}\"",
            self.name,
            BASE64.encode(self.signing_key.as_bytes()),
            BASE64.encode(self.sealing_key.as_bytes())
        )
    }
}

impl LeaderCard {
    /// Reads a card.
    ///
    /// # Errors
    /// [`BadCard`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, BadCard> {
        let card: Self = read("coordinator's card", bytes)?;
        host_and_port(&card.url).ok_or(BadCard::Url)?;
        check_authority(&card.authority)?;
        Ok(card)
    }

    /// What people compare.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let parts = [self.url.as_bytes(), self.signing_key.as_bytes(), &self.authority.0];
        Digest::of_parts("fellestall/leader-card/1", &parts)
    }

    /// The authority of its client certificate.
    #[must_use]
    pub fn authority(&self) -> CertificateDer<'static> {
        CertificateDer::from(self.authority.0.clone())
    }
}

impl Roster {
    /// Reads a roster.
    ///
    /// # Errors
    /// [`BadCard`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, BadCard> {
        read("roster", bytes)
    }
}

fn read<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, BadCard> {
    if bytes.len() > DOCUMENT_BYTES.saturating_mul(64) {
        return Err(BadCard::Form { what, why: "it is too long".to_owned() });
    }
    serde_json::from_slice(bytes).map_err(|error| BadCard::Form { what, why: error.to_string() })
}

pub(super) fn check_name(name: &str) -> Result<(), BadCard> {
    let plain = !name.chars().any(char::is_control) && !name.trim().is_empty();
    if plain && name.chars().count() <= TEXT_CHARS { Ok(()) } else { Err(BadCard::Name) }
}

fn check_authority(bytes: &Bytes) -> Result<(), BadCard> {
    X509Certificate::from_der(&bytes.0).map(drop).map_err(|_| BadCard::Authority)
}

#[cfg(test)]
mod tests;
