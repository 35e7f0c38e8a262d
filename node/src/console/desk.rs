//! What every page works with: where the node is, who is signed in, and what was checked last.
//!
//! **Invariant:** nothing here is written to a disk.

use super::sessions::Sessions;
use super::throttle::Throttle;
use super::words::AllWords;
use crate::kernel::insight::ConsentCoverage;
use crate::kernel::source::QualityReport;
use fellestall_shared::clock::{Clock, Timestamp};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// What a check of the records found.
pub(super) struct Checked {
    /// When.
    pub at: Timestamp,
    /// How the consents stand for each registered purpose; none if the records cannot be used.
    pub coverage: Vec<ConsentCoverage>,
    /// What is wrong with the export; or why it could not be read.
    pub quality: Result<QualityReport, String>,
}

/// The console's own state.
pub(super) struct Desk {
    /// The node's directory.
    pub directory: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The texts.
    pub words: &'static AllWords,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Who fails to.
    pub throttle: Throttle,
    /// The names under which a browser may ask, with the port.
    pub hosts: [String; 3],
    /// The cookie of a session; browsers share cookies between ports, so it names the port.
    pub session_cookie: String,
    /// The cookie of the chosen language.
    pub language_cookie: String,
    /// One check of the records at a time.
    pub checking: Arc<Semaphore>,
    checked: Mutex<Option<Arc<Checked>>>,
}

impl Desk {
    pub(super) fn new(
        directory: &Path,
        address: SocketAddr,
        clock: Arc<dyn Clock>,
        words: &'static AllWords,
    ) -> Self {
        let port = address.port();
        Self {
            directory: directory.to_owned(),
            clock,
            words,
            sessions: Sessions::default(),
            throttle: Throttle::default(),
            hosts: [address.to_string(), format!("localhost:{port}"), own_loopback(address)],
            session_cookie: format!("fellestall-session-{port}"),
            language_cookie: format!("fellestall-language-{port}"),
            checking: Arc::new(Semaphore::new(1)),
            checked: Mutex::default(),
        }
    }

    /// The last check of the records.
    pub(super) fn checked(&self) -> Option<Arc<Checked>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a check of the records for the page, in place of the last.
    pub(super) fn keep(&self, checked: Checked) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(checked));
    }
}

fn own_loopback(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(_) => format!("127.0.0.1:{}", address.port()),
        SocketAddr::V6(_) => format!("[::1]:{}", address.port()),
    }
}
