//! The pages, one file each.
//!
//! **Invariant:** a page gathers its facts where blocking is allowed, shows what the node's files
//! hold, and changes nothing when it is read.

use super::asked::{Asked, Refusal};
use crate::config::Config;
use crate::engine;
use crate::kernel::{Kernel, LedgerEntry};
use crate::state::{Membership, State};
use axum::response::{IntoResponse, Response};
use http::header;

pub(super) mod budget;
pub(super) mod data;
pub(super) mod decide;
pub(super) mod evidence;
pub(super) mod log;
pub(super) mod overview;
pub(super) mod register;
pub(super) mod releases;
pub(super) mod sign_in;
pub(super) mod studies;

/// `GET /style.css`.
pub(super) async fn style() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("../../templates/console/style.css")).into_response()
}

/// What there is not.
pub(super) async fn missing(asked: Asked) -> Response {
    asked.refuse(Refusal::Missing).await
}

/// A node that is enrolled, with its configuration.
struct Enrolled {
    config: Config,
    membership: Membership,
    state: State,
}

impl Enrolled {
    fn open(asked: &Asked) -> Result<Self, Refusal> {
        let config = Config::read(&asked.desk.directory)?;
        let state = State::open(&asked.desk.directory)?;
        let membership = state.membership()?.ok_or(Refusal::NotEnrolled)?;
        Ok(Self { config, membership, state })
    }

    /// The verified ledger.
    fn ledger(&self) -> Result<(Kernel, Vec<LedgerEntry>), Refusal> {
        let kernel = engine::open(&self.config, &self.membership)?;
        let history = kernel.history()?;
        Ok((kernel, history))
    }
}
