//! The municipality's side of Fellestall.
//!
//! **Invariant:** everything that sees a record is in [`kernel`].

pub mod client;
pub mod config;
pub mod files;
pub mod kernel;
pub mod keys;
pub mod state;
