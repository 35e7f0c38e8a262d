//! Dials out to the coordinator: HTTPS with this node's certificate, and nothing comes in.
//!
//! **Invariant:** only the invitation's authority (and the operator's own file of authorities) is
//! trusted; every request has a time limit and every answer a size limit; a failure says which of
//! the operator's worries it is.

use crate::keys::Identity;
use fellestall_shared::clock::Clock;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::ReleaseId;
use fellestall_shared::limits::{CLIENT_TIMEOUT, DOCUMENT_BYTES, JOB_BYTES, WORK_BYTES};
use fellestall_shared::signed::Envelope;
use fellestall_shared::tls;
use fellestall_shared::wire::v1::{
    AcceptedTask, EnrolmentQuery, EnrolmentRequest, EnrolmentState, Health, IssuedCertificate,
    OwnReleases, Receipt, RenewalRequest, Work,
};
use reqwest::{Method, NoProxy, Proxy, Response, StatusCode, Url, header, redirect};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

mod error;
pub use error::{ClientError, Meaning, SetupError};

/// Where the coordinator answers and how to get there.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// As `https://tall.example.no:8443`.
    pub url: String,
    /// The certificate authorities that are trusted, and no others.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The proxy to dial out through.
    pub proxy: Option<Route>,
}

/// A proxy, and what is dialled without it.
#[derive(Debug, Clone)]
pub struct Route {
    /// As `http://proxy.example.no:3128`.
    pub proxy: String,
    /// Hosts that are dialled without it, separated by commas, as in `NO_PROXY`.
    pub except: String,
}

/// A connection to the coordinator, with or without this node's certificate.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    clock: Arc<dyn Clock>,
}

/// TLS checks certificates by the clock that the node is given.
struct TlsClock(Arc<dyn Clock>);

impl fmt::Debug for TlsClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsClock")
    }
}

impl TimeProvider for TlsClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().unix()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl Client {
    /// A client of the coordinator at `endpoint`; nothing is sent yet.
    ///
    /// # Errors
    /// [`SetupError`]: an address, authority or certificate that cannot be used.
    pub fn new(
        endpoint: &Endpoint,
        identity: Option<Identity>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let base = Url::parse(&endpoint.url)
            .ok()
            .filter(|url| url.scheme() == "https" && url.has_host())
            .ok_or(SetupError::Url)?;
        let mut tls = tls::client(&endpoint.authorities, identity)?;
        tls.time_provider = Arc::new(TlsClock(Arc::clone(&clock)));
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            .timeout(CLIENT_TIMEOUT)
            .connect_timeout(CLIENT_TIMEOUT)
            .pool_max_idle_per_host(1)
            .user_agent(concat!("fellestall-node/", env!("CARGO_PKG_VERSION")))
            // The environment is read in main, and only there.
            .no_proxy();
        if let Some(route) = &endpoint.proxy {
            let proxy = Proxy::all(&route.proxy).map_err(|_| SetupError::Proxy)?;
            builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(&route.except)));
        }
        let http = builder.build().map_err(|source| SetupError::Client { source })?;
        Ok(Self { http, base, clock })
    }

    /// Whether the coordinator answers, and its time.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn health(&self) -> Result<Health, ClientError> {
        let answer = self.send(Method::GET, "/v1/health", None).await?;
        self.read(answer, DOCUMENT_BYTES).await
    }

    /// Asks to be enrolled; the same request may be sent again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn enrol(&self, request: &EnrolmentRequest) -> Result<EnrolmentState, ClientError> {
        self.post("/v1/enrolments", request).await
    }

    /// Asks how the enrolment stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn enrolment(&self, query: &EnrolmentQuery) -> Result<EnrolmentState, ClientError> {
        self.post("/v1/enrolments/state", query).await
    }

    /// Asks for a new certificate.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn renew(&self, request: &RenewalRequest) -> Result<IssuedCertificate, ClientError> {
        self.post("/v1/certificates", request).await
    }

    /// Asks for everything that the coordinator has for this node.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn work(&self) -> Result<Work, ClientError> {
        let answer = self.send(Method::GET, "/v1/work", None).await?;
        self.read(answer, WORK_BYTES).await
    }

    /// Sends a signed decision about a study; the same bytes may be sent again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn put_decision(&self, study: Digest, bytes: Vec<u8>) -> Result<(), ClientError> {
        let path = format!("/v1/decisions/{study}");
        self.send(Method::PUT, &path, Some(bytes)).await.map(drop)
    }

    /// Asks for a task that the coordinator offered, with the helper's acceptance of it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn task(&self, task: Digest) -> Result<AcceptedTask, ClientError> {
        let answer = self.send(Method::GET, &format!("/v1/tasks/{task}"), None).await?;
        self.read(answer, JOB_BYTES).await
    }

    /// Sends a report, which goes before its release; the same bytes may be sent again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn put_report(&self, id: ReleaseId, bytes: Vec<u8>) -> Result<Receipt, ClientError> {
        let answer = self.send(Method::PUT, &format!("/v1/reports/{id}"), Some(bytes)).await?;
        let receipt: Receipt = self.read(answer, DOCUMENT_BYTES).await?;
        if receipt.release == id { Ok(receipt) } else { Err(ClientError::Answer) }
    }

    /// Sends a signed release; the same bytes may be sent again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn put_release(&self, id: ReleaseId, bytes: Vec<u8>) -> Result<Receipt, ClientError> {
        let answer = self.send(Method::PUT, &format!("/v1/releases/{id}"), Some(bytes)).await?;
        let receipt: Receipt = self.read(answer, DOCUMENT_BYTES).await?;
        if receipt.release == id { Ok(receipt) } else { Err(ClientError::Answer) }
    }

    /// Sends a signed statement of where this node stands, and gets the signed witness; the same bytes
    /// may be sent again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn witness(&self, bytes: Vec<u8>) -> Result<Envelope, ClientError> {
        let answer = self.send(Method::POST, "/v1/witness", Some(bytes)).await?;
        self.read(answer, DOCUMENT_BYTES).await
    }

    /// Asks for the last witness of this node.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn last_witness(&self) -> Result<Envelope, ClientError> {
        let answer = self.send(Method::GET, "/v1/witness", None).await?;
        self.read(answer, DOCUMENT_BYTES).await
    }

    /// Asks for this node's own releases after a place in its ledger: some, if there are many.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn own_releases(&self, after: u64) -> Result<Vec<Envelope>, ClientError> {
        let answer = self.send(Method::GET, &format!("/v1/releases?after={after}"), None).await?;
        Ok(self.read::<OwnReleases>(answer, WORK_BYTES).await?.releases)
    }

    async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|_| ClientError::Answer)?;
        let answer = self.send(Method::POST, path, Some(body)).await?;
        self.read(answer, DOCUMENT_BYTES).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response, ClientError> {
        let url = self.base.join(path).map_err(|_| ClientError::Answer)?;
        let mut request = self.http.request(method, url).header(header::ACCEPT, "application/json");
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let answer = request.send().await.map_err(|error| self.failed(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let bytes = self.body(answer, DOCUMENT_BYTES).await.unwrap_or_default();
        Err(ClientError::of_refusal(status.as_u16(), &bytes))
    }

    async fn read<T: DeserializeOwned>(
        &self,
        answer: Response,
        limit: usize,
    ) -> Result<T, ClientError> {
        if answer.status() == StatusCode::NO_CONTENT {
            return Err(ClientError::Answer);
        }
        let bytes = self.body(answer, limit).await?;
        serde_json::from_slice(&bytes).map_err(|_| ClientError::Answer)
    }

    async fn body(&self, mut answer: Response, limit: usize) -> Result<Vec<u8>, ClientError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failed(&error))? {
            if bytes.len().saturating_add(chunk.len()) > limit {
                return Err(ClientError::AnswerTooLarge { limit });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn failed(&self, error: &reqwest::Error) -> ClientError {
        let host = self.base.host_str().unwrap_or_default().to_owned();
        ClientError::of_transport(error, host, self.clock.now())
    }
}

#[cfg(test)]
mod tests;
