//! Enrolment: from an invitation to a certificate.
//!
//! **Invariant:** asking twice with one invitation asks for the same enrolment, because the keys are
//! the same; a node that is enrolled does not become another one.

use crate::audit::{Actor, AuditError, AuditLog, Event};
use crate::client::{Client, ClientError, Endpoint, Route, SetupError};
use crate::config::Config;
use crate::keys::{KeyError, KeyStore};
use crate::state::{Enrolment, Membership, State, StateError};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use fellestall_shared::clock::Clock;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::limits::DOCUMENT_BYTES;
use fellestall_shared::wire::v1::{EnrolmentQuery, EnrolmentRequest, EnrolmentState, Invitation};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::PathBuf;
use std::sync::Arc;

/// What stands before the rest of an invitation.
const PREFIX: &str = "fellestall1.";

/// Why the node is not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The text is no invitation.
    #[error(
        "this is not an invitation: it is one line that starts with {PREFIX}; was it copied whole?"
    )]
    NotAnInvitation,
    /// Another municipality's invitation.
    #[error(
        "the invitation is for municipality {invited}, this node is configured for {configured}: ask for another invitation, or correct the configuration"
    )]
    OtherMunicipality {
        /// The invitation's.
        invited: MunicipalityNumber,
        /// The configuration's.
        configured: MunicipalityNumber,
    },
    /// The node is enrolled at another coordinator.
    #[error(
        "this node is enrolled at {url} already; make another directory (--dir) for another coordinator"
    )]
    OtherCoordinator {
        /// Where it is enrolled.
        url: String,
    },
    /// The authority is none.
    #[error("the invitation's certificate authority cannot be read; ask for a new invitation")]
    Authority,
    /// The operator's file of authorities cannot be read.
    #[error("coordinator.ca_file: {} has no certificate in PEM", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
    },
    /// A node that was not enrolled is to do what only an enrolled one can.
    #[error("this node is not enrolled yet; run: fellestall-node enrol --invitation FILE")]
    NotEnrolled,
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The audit log cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The client cannot be made.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The coordinator did not take it.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// How an enrolment stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The coordinator's operator has not decided.
    Pending {
        /// The fingerprint of the release key, as this node computes it.
        fingerprint: Digest,
    },
    /// Enrolled.
    Approved(Membership),
    /// The coordinator's operator said no.
    Refused,
}

/// Reads an invitation from its text.
///
/// # Errors
/// [`EnrolError::NotAnInvitation`].
pub fn parse_invitation(text: &str) -> Result<Invitation, EnrolError> {
    let text = text.trim();
    let coded = text.strip_prefix(PREFIX).filter(|_| text.len() <= DOCUMENT_BYTES);
    let bytes = coded.and_then(|coded| BASE64URL_NOPAD.decode(coded.as_bytes()).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(EnrolError::NotAnInvitation)
}

/// Where the coordinator of this address and authority is dialled, by this configuration.
///
/// # Errors
/// [`EnrolError::Authority`] or [`EnrolError::CaFile`].
pub fn endpoint(
    url: &str,
    authority: &str,
    config: &Config,
    proxy: Option<Route>,
) -> Result<Endpoint, EnrolError> {
    let authority = BASE64.decode(authority.as_bytes()).map_err(|_| EnrolError::Authority)?;
    let mut authorities = vec![CertificateDer::from(authority)];
    if let Some(path) = &config.ca_file {
        let bad = || EnrolError::CaFile { path: path.clone() };
        let more: Vec<_> = CertificateDer::pem_file_iter(path)
            .map_err(|_| bad())?
            .collect::<Result<_, _>>()
            .map_err(|_| bad())?;
        if more.is_empty() {
            return Err(bad());
        }
        authorities.extend(more);
    }
    Ok(Endpoint { url: url.to_owned(), authorities, proxy })
}

/// One node's enrolment under way.
pub struct Enroller {
    client: Client,
    invitation: Invitation,
    keys: KeyStore,
    clock: Arc<dyn Clock>,
    by: Actor,
}

impl Enroller {
    /// Prepares an enrolment; nothing is sent yet.
    ///
    /// # Errors
    /// [`EnrolError`]: another municipality's invitation, or one that cannot be used.
    pub fn new(
        invitation: Invitation,
        config: &Config,
        proxy: Option<Route>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, EnrolError> {
        if invitation.municipality != config.municipality {
            return Err(EnrolError::OtherMunicipality {
                invited: invitation.municipality,
                configured: config.municipality.clone(),
            });
        }
        let keys = KeyStore::new(&config.directory);
        keys.refuse_open().map_err(KeyError::File)?;
        let endpoint = endpoint(&invitation.url, &invitation.authority, config, proxy)?;
        let client = Client::new(&endpoint, None, Arc::clone(&clock))?;
        Ok(Self { client, invitation, keys, clock, by: Actor::node() })
    }

    /// The same, on behalf of a person: the audit log names them.
    #[must_use]
    pub fn on_behalf_of(mut self, by: Actor) -> Self {
        self.by = by;
        self
    }

    /// The fingerprint of the release key, to be compared by telephone.
    ///
    /// # Errors
    /// [`EnrolError::Key`].
    pub fn fingerprint(&self) -> Result<Digest, EnrolError> {
        Ok(self.keys.release_public()?.fingerprint())
    }

    /// Asks to be enrolled. The same keys give the same enrolment, however often it is asked.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn request(&self, directory: &std::path::Path) -> Result<Standing, EnrolError> {
        let mut state = State::open(directory)?;
        if let Some(membership) = state.membership()? {
            if membership.url != self.invitation.url {
                return Err(EnrolError::OtherCoordinator { url: membership.url });
            }
            // A certificate that still works is not asked for again.
            let works =
                self.clock.now() < membership.certificate_expires && self.keys.identity().is_ok();
            if works && !self.is_new(&state)? {
                drop(state);
                return self.confirm(membership).await;
            }
        }
        let request = EnrolmentRequest {
            secret: self.invitation.secret.clone(),
            municipality: self.invitation.municipality.clone(),
            certificate_request: self.keys.first_request()?.request().to_owned(),
            release_key: self.keys.release_public()?,
        };
        drop(state);
        let answer = self.client.enrol(&request).await?;
        state = State::open(directory)?;
        if state.membership()?.is_none() {
            state.set_enrolment(&Enrolment::Pending { invitation: self.invitation.clone() })?;
        }
        self.take(&mut state, answer)
    }

    /// Asks how the enrolment stands.
    ///
    /// # Errors
    /// [`EnrolError`].
    pub async fn poll(&self, directory: &std::path::Path) -> Result<Standing, EnrolError> {
        let query = EnrolmentQuery {
            secret: self.invitation.secret.clone(),
            release_key: self.keys.release_public()?,
        };
        let answer = self.client.enrolment(&query).await?;
        self.take(&mut State::open(directory)?, answer)
    }

    /// Asks whether an enrolment still stands; the certificate in use is left as it is.
    async fn confirm(&self, membership: Membership) -> Result<Standing, EnrolError> {
        let query = EnrolmentQuery {
            secret: self.invitation.secret.clone(),
            release_key: self.keys.release_public()?,
        };
        Ok(match self.client.enrolment(&query).await? {
            EnrolmentState::Refused => Standing::Refused,
            EnrolmentState::Pending { .. } | EnrolmentState::Approved { .. } => {
                Standing::Approved(membership)
            }
        })
    }

    /// Whether this invitation is another than the one the node was enrolled with: then the
    /// operator asks for a new certificate, as after a long time off.
    fn is_new(&self, state: &State) -> Result<bool, EnrolError> {
        Ok(state.last_invitation()?.is_some_and(|used| used != self.invitation_digest()))
    }

    fn invitation_digest(&self) -> Digest {
        Digest::of("fellestall/invitation/1", self.invitation.secret.as_bytes())
    }

    fn take(&self, state: &mut State, answer: EnrolmentState) -> Result<Standing, EnrolError> {
        match answer {
            EnrolmentState::Pending { .. } => {
                // Shown is what this node computes, not what the other side says about it.
                Ok(Standing::Pending { fingerprint: self.fingerprint()? })
            }
            EnrolmentState::Refused => {
                if state.membership()?.is_none() {
                    state.set_enrolment(&Enrolment::Refused)?;
                }
                Ok(Standing::Refused)
            }
            EnrolmentState::Approved { node, certificate, coordinator_key } => {
                let membership = Membership {
                    node,
                    municipality: self.invitation.municipality.clone(),
                    url: self.invitation.url.clone(),
                    authority: self.invitation.authority.clone(),
                    coordinator_key,
                    certificate_expires: certificate.expires,
                };
                if state.membership()?.is_none_or(|earlier| earlier.node != membership.node) {
                    let what = Event::Enrolled { node: membership.node.clone() };
                    let mut log = AuditLog::open(state.directory())?;
                    log.append_once(self.clock.now(), &self.by, what)?;
                }
                self.keys.install(&self.keys.first_request()?, &certificate.certificate)?;
                state.set_last_invitation(self.invitation_digest())?;
                state.set_enrolment(&Enrolment::Approved(membership.clone()))?;
                Ok(Standing::Approved(membership))
            }
        }
    }
}

#[cfg(test)]
mod tests;
