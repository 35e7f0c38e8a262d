//! The databank's interface for statistical tools: PxWebApi v2.

use crate::public::Site;
use axum::Router;
use std::sync::Arc;

/// The routes.
pub fn router(_site: &Arc<Site>) -> Router<Arc<Site>> {
    Router::new()
}
