//! The coordinator's side of the connection to its helper.
//!
//! **Invariant:** only the authority on the trusted card is believed, over TLS 1.3, with a client
//! certificate whose key exists in memory alone; no answer is read beyond its limit.

use super::card::HelperCard;
use crate::authority::AuthorityError;
use crate::home::Home;
use crate::server::identity::TlsClock;
use fellestall_shared::clock::Clock;
use fellestall_shared::digest::Digest;
use fellestall_shared::limits::{DOCUMENT_BYTES, HANDSHAKE_TIMEOUT, JOB_BYTES, JOB_TIMEOUT};
use fellestall_shared::problem::{Problem, ProblemKind};
use fellestall_shared::signed::{Document, Envelope, SignatureError};
use fellestall_shared::tls::{self, TlsError};
use fellestall_shared::wire::v1::{
    BatchClaim, Job, JobResult, NewTask, OpenedBatch, TaskAcceptance,
};
use http::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Response, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientSetupError {
    /// The client certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The card's authority.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The HTTP client.
    #[error("the client of the helper could not be made")]
    Client(#[source] reqwest::Error),
}

/// Why a call of the helper gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum HelperCallError {
    /// It cannot be reached, is not the trusted one, or broke off.
    #[error("the helper at {url} cannot be reached, or is not the one that is trusted")]
    Unreachable {
        /// Its address.
        url: String,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// It refuses.
    #[error("the helper refuses: {detail}")]
    Refused {
        /// The kind, if this version of the program knows it.
        kind: Option<ProblemKind>,
        /// The HTTP status code.
        status: u16,
        /// What it says.
        detail: String,
    },
    /// What it answered is not what was asked for.
    #[error("the helper's answer cannot be read; does it run another version?")]
    Answer,
    /// An answer that the trusted helper did not sign, or not for this.
    #[error("the helper's answer is not signed by the helper that is trusted")]
    Signature(#[source] SignatureError),
    /// What was to be sent is larger than the helper takes.
    #[error("the message is larger than {JOB_BYTES} bytes")]
    TooLarge,
}

impl HelperCallError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { kind, status, .. } => {
                kind.map_or(*status >= 500, ProblemKind::is_transient)
            }
            Self::Answer | Self::Signature(_) | Self::TooLarge => false,
        }
    }
}

/// A connection to the helper. Its certificate is good for thirty days: make a client for each piece
/// of work.
pub struct HelperClient {
    http: reqwest::Client,
    card: HelperCard,
}

impl HelperClient {
    /// A client of the helper that the home trusts, if there is one; nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientSetupError`].
    pub fn new(home: &Home, clock: Arc<dyn Clock>) -> Result<Option<Self>, ClientSetupError> {
        let Some(card) = &home.helper else { return Ok(None) };
        let identity = home.authority.issue_leader(clock.now())?;
        let mut tls = tls::client(&[card.authority()], Some((identity.chain, identity.key)))?;
        tls.time_provider = Arc::new(TlsClock(clock));
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            .timeout(JOB_TIMEOUT)
            .connect_timeout(HANDSHAKE_TIMEOUT)
            .pool_max_idle_per_host(1)
            .user_agent(concat!("fellestall-coordinator/", env!("CARGO_PKG_VERSION")))
            // The environment is read in main, and only there.
            .no_proxy()
            .build()
            .map_err(ClientSetupError::Client)?;
        Ok(Some(Self { http, card: card.clone() }))
    }

    /// The card of the helper that is called.
    #[must_use]
    pub fn card(&self) -> &HelperCard {
        &self.card
    }

    /// Tells the helper of a task: its signed acceptance. The same may be sent again.
    ///
    /// # Errors
    /// [`HelperCallError`].
    pub async fn task(&self, task: Digest, new: &NewTask) -> Result<Envelope, HelperCallError> {
        let bytes = self.put(&format!("/v1/helper/tasks/{task}"), new, DOCUMENT_BYTES).await?;
        self.signed::<TaskAcceptance>(&bytes, |acceptance| acceptance.task == task)
    }

    /// Has reports verified: what became of each, in their order. The same may be sent again.
    ///
    /// # Errors
    /// [`HelperCallError`].
    pub async fn job(
        &self,
        task: Digest,
        job: u32,
        body: &Job,
    ) -> Result<JobResult, HelperCallError> {
        let path = format!("/v1/helper/jobs/{task}/{job}");
        let result: JobResult = read(&self.put(&path, body, JOB_BYTES).await?)?;
        let whole = result.outcomes.len() == body.reports.len();
        if whole { Ok(result) } else { Err(HelperCallError::Answer) }
    }

    /// Asks for the helper's half of a sum, signed. The same may be sent again.
    ///
    /// # Errors
    /// [`HelperCallError`].
    pub async fn batch(
        &self,
        task: Digest,
        batch: u32,
        claim: &BatchClaim,
    ) -> Result<Envelope, HelperCallError> {
        let path = format!("/v1/helper/batches/{task}/{batch}");
        let bytes = self.put(&path, claim, JOB_BYTES).await?;
        self.signed::<OpenedBatch>(&bytes, |opened| {
            opened.task == task
                && opened.batch == batch
                && opened.count == claim.count
                && opened.checksum == claim.checksum
        })
    }

    /// An envelope whose signature holds under the card's key, about what was asked.
    fn signed<T: Document>(
        &self,
        bytes: &[u8],
        about: impl FnOnce(&T) -> bool,
    ) -> Result<Envelope, HelperCallError> {
        let envelope = Envelope::from_json(bytes).map_err(HelperCallError::Signature)?;
        let verified =
            envelope.verify::<T>(&self.card.signing_key).map_err(HelperCallError::Signature)?;
        if about(&verified) {
            Ok(verified.envelope().clone())
        } else {
            Err(HelperCallError::Answer)
        }
    }

    async fn put<B: Serialize>(
        &self,
        path: &str,
        body: &B,
        limit: usize,
    ) -> Result<Vec<u8>, HelperCallError> {
        let body = serde_json::to_vec(body).map_err(|_| HelperCallError::Answer)?;
        if body.len() > JOB_BYTES {
            return Err(HelperCallError::TooLarge);
        }
        let url = format!("{}{path}", self.card.url.trim_end_matches('/'));
        let request = self.http.put(url).header(ACCEPT, "application/json");
        let sent = request.header(CONTENT_TYPE, "application/json").body(body).send().await;
        let answer = sent.map_err(|source| self.failed(source))?;
        let status = answer.status();
        if status.is_success() {
            return self.body(answer, limit).await;
        }
        let bytes = self.body(answer, DOCUMENT_BYTES).await.unwrap_or_default();
        let problem: Option<Problem> = serde_json::from_slice(&bytes).ok();
        Err(HelperCallError::Refused {
            kind: problem.as_ref().and_then(Problem::known_kind),
            status: status.as_u16(),
            detail: problem.map_or_else(|| status.to_string(), |problem| problem.detail),
        })
    }

    async fn body(&self, mut answer: Response, limit: usize) -> Result<Vec<u8>, HelperCallError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|source| self.failed(source))? {
            if bytes.len().saturating_add(chunk.len()) > limit {
                return Err(HelperCallError::Answer);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn failed(&self, source: reqwest::Error) -> HelperCallError {
        HelperCallError::Unreachable { url: self.card.url.clone(), source }
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, HelperCallError> {
    serde_json::from_slice(bytes).map_err(|_| HelperCallError::Answer)
}
