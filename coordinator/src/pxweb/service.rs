//! What every route of the interface works on.
//!
//! **Invariant:** a bounded number of answers is written at once, and a bounded number of bytes kept.

use super::json_stat::About;
use super::problem::{Refusal, shorten};
use crate::databank::Cube;
use crate::public::Site;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Answers with data that are written at once, at the most.
const WRITERS: usize = 4;
/// Bytes of answers that are kept, at the most.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// The interface.
pub struct Service {
    /// The site that it belongs to.
    pub site: Arc<Site>,
    writers: Semaphore,
    kept: Mutex<Kept>,
}

/// The id in an address.
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| Refusal::Address)
    }
}

#[derive(Default)]
struct Kept {
    answers: HashMap<String, Bytes>,
    bytes: usize,
}

impl Service {
    /// The interface of a site.
    #[must_use]
    pub fn new(site: Arc<Site>) -> Self {
        Self { site, writers: Semaphore::new(WRITERS), kept: Mutex::default() }
    }

    /// What documents say of the service.
    #[must_use]
    pub fn about(&self) -> About<'_> {
        About { web: &self.site.web, url: &self.site.url }
    }

    /// A table.
    ///
    /// # Errors
    /// [`Refusal::Table`]: there is none by that id.
    pub async fn cube(&self, id: &str) -> Result<Arc<Cube>, Refusal> {
        let found = self.site.databank.cube(id).await?;
        found.ok_or_else(|| Refusal::Table { id: shorten(id) })
    }

    /// Waits for its turn to write an answer.
    ///
    /// # Errors
    /// Never, as long as the service runs.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        self.writers.acquire().await.map_err(|_| Refusal::Internal)
    }

    /// An answer that was written before.
    #[must_use]
    pub fn kept(&self, tag: &str) -> Option<Bytes> {
        self.lock().answers.get(tag).cloned()
    }

    /// Keeps an answer for the next who asks the same.
    pub fn keep(&self, tag: &str, body: &Bytes) {
        if body.len() > KEPT_BYTES / 8 {
            return;
        }
        let mut kept = self.lock();
        if kept.bytes.saturating_add(body.len()) > KEPT_BYTES {
            *kept = Kept::default();
        }
        if kept.answers.insert(tag.to_owned(), body.clone()).is_none() {
            kept.bytes += body.len();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
