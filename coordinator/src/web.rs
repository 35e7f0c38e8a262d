//! The public pages, for reading.
//!
//! **Invariant:** read only, without identity, without scripts; nothing is fetched from elsewhere.

use crate::public::Site;
use axum::Router;
use axum::routing::get;
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
