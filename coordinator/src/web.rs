//! The public pages, for reading.
//!
//! **Invariant:** read only, without identity, without scripts; nothing is fetched from elsewhere.

use crate::api::error::chain;
use crate::public::Site;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use std::sync::Arc;

mod answer;
mod assets;
mod chart;
mod difference;
pub(crate) mod frame;
mod pages;
pub(crate) mod say;
mod selection;
mod snippets;
pub(crate) mod words;

pub(crate) use answer::{Trouble, answer};
pub(crate) use pages::preferred;

/// The routes.
pub fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/", get(pages::choose_language))
        .route("/healthz", get(health))
        .route("/style.css", get(assets::style))
        .route("/favicon.svg", get(assets::icon))
        .route("/{language}", get(pages::front::bare))
        .route("/{language}/", get(pages::front::page))
        .route("/{language}/tables", get(pages::tables::page))
        .route("/{language}/tables/{id}", get(pages::table::page))
        .route("/{language}/tables/{id}/difference", get(pages::difference::page))
        .route("/{language}/method", get(pages::method::page))
        .route("/{language}/api", get(pages::interface::page))
        .fallback(pages::missing)
}

/// `GET /healthz`, for a balancer: an instance is well while its database answers.
async fn health(State(site): State<Arc<Site>>) -> Response {
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    match site.databank.store().answers().await {
        Ok(()) => (no_store, "ok\n").into_response(),
        Err(error) => {
            tracing::error!(error = %chain(&error), "the database does not answer");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            (status, no_store, "the database does not answer\n").into_response()
        }
    }
}
