//! Records in PostgreSQL: counted where they are.
//!
//! **Invariant:** what leaves the database is the count of each cell, each participant held to the
//! bound, and a keyed digest of the cohort; no row, no identifier.

mod config;

pub use config::{PostgresConfig, Tls};
