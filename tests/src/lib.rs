//! The whole federation in one place: synthetic records, World, and what the demo needs.
//!
//! **Invariant:** nothing here is part of a shipped binary.

pub mod browser;
pub mod fleet;
pub mod http;
pub mod instances;
pub mod offline;
pub mod postgres;
pub mod process;
pub mod synthetic;
pub mod world;
