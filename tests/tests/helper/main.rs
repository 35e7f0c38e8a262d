//! The helper of secure aggregation, over real TLS on loopback.
//!
//! **Invariant:** the helper's part is what a running helper does; the coordinator's part is played by
//! its own client, or by a liar.
#![cfg(test)]

mod access;
mod batches;
mod operator;
mod postgres;
mod rejected;
mod repeated;
mod stage;
mod stored;
