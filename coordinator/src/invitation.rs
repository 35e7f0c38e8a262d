//! Invitations: how a municipality comes in.
//!
//! **Invariant:** the secret exists in the text that is handed over and nowhere else.

use crate::authority::Authority;
use crate::store::{Store, StoreError};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::limits::INVITATION_LIFETIME;
use fellestall_shared::municipality;
use fellestall_shared::wire::v1::Invitation;
use ring::rand::{SecureRandom, SystemRandom};

/// What the text of an invitation starts with.
pub const PREFIX: &str = "fellestall1.";

/// Why there is no invitation.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// A number that no municipality has.
    #[error("there is no municipality {number} in the list valid from {valid_from}", valid_from = municipality::VALID_FROM)]
    Unknown {
        /// The number asked for.
        number: MunicipalityNumber,
    },
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random,
    /// The invitation could not be written.
    #[error("the invitation could not be written")]
    Encoding(#[from] serde_json::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An invitation to hand over.
pub struct Invited {
    /// The text, to be handed over by a trusted way.
    pub text: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// Invites a municipality to enrol one node at `url`.
///
/// # Errors
/// [`InviteError`].
pub async fn invite(
    store: &Store,
    authority: &Authority,
    url: &str,
    number: &MunicipalityNumber,
    now: Timestamp,
) -> Result<Invited, InviteError> {
    if municipality::find(number).is_none() {
        return Err(InviteError::Unknown { number: number.clone() });
    }
    let mut secret = [0_u8; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| InviteError::Random)?;
    let invitation = Invitation {
        url: url.to_owned(),
        authority: BASE64.encode(authority.certificate()),
        municipality: number.clone(),
        secret: BASE64URL_NOPAD.encode(&secret),
    };
    let json = serde_json::to_vec(&invitation)?;
    let expires = now.plus(INVITATION_LIFETIME);
    store.add_invitation(digest(&invitation.secret), number, now, expires).await?;
    Ok(Invited { text: format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&json)), expires })
}

/// The digest under which a secret is known to the store.
#[must_use]
pub fn digest(secret: &str) -> Digest {
    Digest::of("fellestall/invitation/1", secret.as_bytes())
}
