//! Dials the provider: HTTPS with the system's authorities, no redirects, in bounded time and size.
//!
//! **Invariant:** plain HTTP only where the issuer itself is on this machine; at most [`AT_ONCE`]
//! requests, so that a stranger cannot make this program knock without end.

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Response, redirect};
use rustls::RootCertStore;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Bytes of one answer, at the most.
const ANSWER_BYTES: usize = 256 * 1024;
/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Requests at once, at the most.
const AT_ONCE: usize = 8;

/// Why connections cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The client.
    #[error("the client cannot be made")]
    Client(#[from] reqwest::Error),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// The provider does not answer in time, or its certificate does not hold.
    #[error("the provider does not answer")]
    Request(#[from] reqwest::Error),
    /// The answer does not end.
    #[error("the provider's answer is too large")]
    TooLarge,
    /// The program stops.
    #[error("the program stops")]
    Stopped,
    /// The answer could not be handed on.
    #[error("the provider's answer cannot be read")]
    Answer(#[from] http::Error),
}

/// Connections to the provider.
pub(super) struct Client {
    client: reqwest::Client,
    places: Semaphore,
}

impl Client {
    /// A client that has not dialled yet.
    pub(super) fn new(https_only: bool) -> Result<Self, ClientError> {
        let mut roots = RootCertStore::empty();
        // Authorities that cannot be read are missing, and are missed when they are needed.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = rustls::ClientConfig::builder_with_provider(fellestall_shared::tls::provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(https_only)
            .redirect(redirect::Policy::none())
            .referer(false)
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .user_agent(concat!("fellestall-coordinator/", env!("CARGO_PKG_VERSION")))
            // The environment is read in main, and only there.
            .no_proxy()
            .build()?;
        Ok(Self { client, places: Semaphore::new(AT_ONCE) })
    }

    /// Sends a request and reads the answer.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, DialError> {
        let _place = self.places.acquire().await.map_err(|_| DialError::Stopped)?;
        let answer = self.client.execute(request.try_into()?).await?;
        let mut built = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            built = built.header(name, value);
        }
        Ok(built.body(body(answer).await?)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Client {
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, DialError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

async fn body(mut answer: Response) -> Result<Vec<u8>, DialError> {
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await? {
        if bytes.len().saturating_add(part.len()) > ANSWER_BYTES {
            return Err(DialError::TooLarge);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}
