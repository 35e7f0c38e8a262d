//! The counts of a real PostgreSQL against those of the file kernel.

// Dead code: each of the crates that include it leaves out another part.
#[path = "../../../../tests/src/postgres.rs"]
#[expect(dead_code, reason = "these tests connect by themselves")]
mod cluster;
mod drawn;
mod plans;
mod reached;
mod refused;
mod rules;
mod same;
mod store;
