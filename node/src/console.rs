//! The console: pages on this machine for operators and the data protection officer. What waits for
//! a decision, what it would send and cost, what was spent, what has left, and who decided.
//!
//! **Invariant:** served on loopback alone, without scripts, and without dialling anybody; nothing is
//! shown or done before somebody is signed in, and nothing is decided without a form of that
//! person's own session. No page shows a record; exact numbers only where a page says that they
//! stay on this machine.

use crate::console::desk::Desk;
use crate::console::words::{AllWords, BadWords};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use fellestall_shared::clock::Clock;
use fellestall_shared::limits::REQUEST_TIMEOUT;
use http::StatusCode;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

mod asked;
mod connection;
mod desk;
mod frame;
mod guard;
mod notice;
mod pages;
mod sessions;
mod show;
mod throttle;
mod users;
mod words;

pub use users::{UserError, add_user, remove_user};

/// Bytes of one form, at the most.
const FORM_BYTES: usize = 64 * 1024;

/// Why the console is not served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address that others can reach.
    #[error("the console is for this machine alone: {address} is not on loopback")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// An address that cannot be listened on.
    #[error("the console cannot listen on {address}; is another program using it?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The texts that the program was built with.
    #[error("the texts of the console cannot be used; reinstall the program")]
    Words(#[from] &'static BadWords),
}

/// A console that is served until it is shut down or dropped.
#[derive(Debug)]
pub struct Console {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Console {
    /// Serves the console of the node in `directory`. Port 0 takes any free port.
    ///
    /// # Errors
    /// [`StartError`]: nothing is served.
    pub async fn start(
        directory: &Path,
        address: SocketAddr,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        if !address.ip().is_loopback() {
            return Err(StartError::NotLoopback { address });
        }
        let words = AllWords::builtin()?;
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let desk = Arc::new(Desk::new(directory, address, clock, words));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(connection::run(listener, router(desk), stopped));
        tracing::info!(%address, "the console is served");
        Ok(Self { address, stop, tasks })
    }

    /// Where it is, as `http://127.0.0.1:8475/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Takes no more connections and lets requests under way finish.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Every page and form. Who may ask for which is the guard's, and nobody's by default.
fn router(desk: Arc<Desk>) -> Router {
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT);
    Router::new()
        .route("/", get(pages::overview::page))
        .route("/sign-in", get(pages::sign_in::page).post(pages::sign_in::sign_in))
        .route("/sign-out", post(pages::sign_in::sign_out))
        .route("/studies", get(pages::studies::list))
        .route("/studies/{digest}", get(pages::studies::page))
        .route("/studies/{digest}/approve", post(pages::decide::approve))
        .route("/studies/{digest}/refuse", post(pages::decide::refuse))
        .route("/budget", get(pages::budget::page))
        .route("/data", get(pages::data::page))
        .route("/data/check", post(pages::data::check))
        .route("/releases", get(pages::releases::list))
        .route("/releases/{release}", get(pages::releases::page))
        .route("/releases/{release}/bytes", get(pages::releases::bytes))
        .route("/log", get(pages::log::page))
        .route("/log/export", get(pages::log::export))
        .route("/register", get(pages::register::page))
        .route("/evidence", get(pages::evidence::page))
        .route("/evidence/pack", get(pages::evidence::pack))
        .route("/style.css", get(pages::style))
        .fallback(pages::missing)
        .method_not_allowed_fallback(pages::missing)
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(RequestBodyLimitLayer::new(FORM_BYTES))
        .layer(timeout)
        .layer(from_fn_with_state(desk, guard::guard))
}
