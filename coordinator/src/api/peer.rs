//! Who calls: the client certificate of the connection, looked up anew for every request.
//!
//! **Invariant:** a `Caller` exists only for a certificate that the store knows, that has not
//! ended by the coordinator's clock, and whose node is enrolled at this moment: so a connection
//! that is open when its node is denied is cut off at its next request.

use super::Service;
use super::error::ApiError;
use crate::authority::serial_text;
use crate::store::nodes::Node;
use axum::extract::FromRequestParts;
use fellestall_shared::ids::NodeId;
use http::request::Parts;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What the client certificate of a connection says; rustls has checked its chain, dates and usage.
#[derive(Debug, Clone)]
pub struct Peer {
    serial: String,
    name: NodeId,
}

impl Peer {
    /// Reads a client certificate; `None` if it is not one of ours.
    #[must_use]
    pub fn from_certificate(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
        Some(Self { serial: serial_text(certificate.raw_serial()), name: name.parse().ok()? })
    }

    /// The name in the certificate.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }
}

/// Whether the connection has a client certificate, as an extension of each of its requests.
#[derive(Debug, Clone)]
pub enum Shown {
    /// None was shown.
    Nothing,
    /// One was shown that cannot be a node's.
    Foreign,
    /// One was shown.
    Certificate(Peer),
}

/// An enrolled node that calls.
pub(super) struct Caller(pub Node);

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, ApiError> {
        let peer = match parts.extensions.get::<Shown>() {
            None | Some(Shown::Nothing) => return Err(ApiError::CertificateRequired),
            Some(Shown::Foreign) => return Err(ApiError::Denied),
            Some(Shown::Certificate(peer)) => peer,
        };
        let node = service.store.node_by_serial(&peer.serial, service.clock.now()).await?;
        node.filter(|node| node.node == peer.name).map(Self).ok_or(ApiError::Denied)
    }
}
