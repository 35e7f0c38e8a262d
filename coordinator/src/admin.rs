//! The pages of the coordinator's staff: nodes, invitations, studies, rounds, publications, the log
//! and the staff themselves.
//!
//! **Invariant:** on a listener of their own; closed by default: a route that `guard::ROUTES` does
//! not name is nobody's; nothing is changed without a form of the visitor's own session, and nothing
//! without a line in the audit log that says who did it. No scripts, and nothing from elsewhere.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use fellestall_shared::limits::REQUEST_TIMEOUT;
use http::StatusCode;
use std::sync::Arc;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

mod asked;
mod desk;
mod frame;
mod guard;
mod notice;
mod oidc;
mod pages;
pub mod password;
mod show;
mod throttle;
mod words;

pub use desk::{Desk, Setting, SetupError};
pub use oidc::OidcSetupError;

/// Bytes of one form, at the most: a study is pasted into one.
const FORM_BYTES: usize = 1024 * 1024;
/// Bytes of the form of whoever is not signed in yet.
const SIGN_IN_BYTES: usize = 8 * 1024;

/// Every page and form. Who may ask for which is the guard's, and nobody's by default.
pub fn router(desk: Arc<Desk>) -> Router {
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT);
    let small = DefaultBodyLimit::max(SIGN_IN_BYTES);
    Router::new()
        .route("/", get(pages::overview::page))
        .route("/sign-in", get(pages::sign_in::page).post(pages::sign_in::sign_in).layer(small))
        .route("/sign-in/provider", get(pages::provider::leave))
        .route("/sign-in/return", get(pages::provider::back))
        .route("/sign-out", post(pages::sign_in::sign_out))
        .route("/session", get(pages::session::page))
        .route("/nodes", get(pages::nodes::list))
        .route("/nodes/{node}", get(pages::nodes::page))
        .route("/nodes/{node}/approve", post(pages::nodes::approve))
        .route("/nodes/{node}/refuse", post(pages::nodes::refuse))
        .route("/nodes/{node}/deny", post(pages::nodes::deny))
        .route("/invitations", get(pages::invitations::page).post(pages::invitations::make))
        .route("/studies", get(pages::studies::list))
        .route("/studies/new", get(pages::studies::draft).post(pages::studies::publish))
        .route("/studies/{digest}", get(pages::studies::page))
        .route("/rounds", get(pages::rounds::list).post(pages::rounds::open))
        .route("/rounds/{round}", get(pages::rounds::page))
        .route("/rounds/{round}/preview", get(pages::preview::page))
        .route("/rounds/{round}/publish", post(pages::preview::publish))
        .route("/publications", get(pages::publications::page))
        .route("/report", get(pages::report::page))
        .route("/staff", get(pages::staff::page).post(pages::staff::add))
        .route("/staff/remove", post(pages::staff::remove))
        .route("/log", get(pages::log::page))
        .route("/style.css", get(pages::style))
        .fallback(pages::missing)
        .method_not_allowed_fallback(pages::missing)
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(RequestBodyLimitLayer::new(FORM_BYTES))
        .layer(timeout)
        .layer(from_fn_with_state(desk, guard::guard))
}
