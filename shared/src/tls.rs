//! TLS settings that both sides share: rustls with ring, TLS 1.3 and nothing else.
//!
//! **Invariant:** the provider is named explicitly, so that a feature of another crate cannot
//! change it; sessions are never resumed at the server, because a resumed session skips the check of
//! the client's certificate.

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientCertVerifierBuilder, NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;

/// A TLS setting that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate that cannot be a trust anchor, or no trust anchor at all.
    #[error("the certificate authority cannot be used as a trust anchor")]
    Authority,
    /// A certificate and key that rustls refuses.
    #[error("the certificate and private key do not fit or cannot be used")]
    Certificate(#[source] rustls::Error),
    /// The verifier of client certificates could not be made.
    #[error("the verifier of client certificates could not be made")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
}

/// The cryptography provider: ring.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots(authorities: &[CertificateDer<'static>]) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for authority in authorities {
        store.add(authority.clone()).map_err(|_| TlsError::Authority)?;
    }
    if store.is_empty() { Err(TlsError::Authority) } else { Ok(store) }
}

/// A node's side: trusts only `authorities`; shows `identity` (certificate chain and key), if it has
/// one yet.
///
/// # Errors
/// [`TlsError`]: what cannot be used.
pub fn client(
    authorities: &[CertificateDer<'static>],
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Certificate)?
        .with_root_certificates(roots(authorities)?);
    let mut config = match identity {
        Some((chain, key)) => {
            builder.with_client_auth_cert(chain, key).map_err(TlsError::Certificate)?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The coordinator's side: asks for a client certificate by `authority`, but lets a connection
/// without one in, for enrolment; every other route refuses it.
///
/// # Errors
/// [`TlsError`]: what cannot be used.
pub fn server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authority: &CertificateDer<'static>,
) -> Result<ServerConfig, TlsError> {
    server_with(verifier(authority)?.allow_unauthenticated(), chain, key)
}

/// A server for other servers: who shows no client certificate by `authority` is refused in the
/// handshake.
///
/// # Errors
/// [`TlsError`]: what cannot be used.
pub fn closed_server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    authority: &CertificateDer<'static>,
) -> Result<ServerConfig, TlsError> {
    server_with(verifier(authority)?, chain, key)
}

fn verifier(authority: &CertificateDer<'static>) -> Result<ClientCertVerifierBuilder, TlsError> {
    let roots = Arc::new(roots(std::slice::from_ref(authority))?);
    Ok(WebPkiClientVerifier::builder_with_provider(roots, provider()))
}

fn server_with(
    verifier: ClientCertVerifierBuilder,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    let verifier = verifier.build().map_err(TlsError::Verifier)?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Certificate)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(TlsError::Certificate)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
