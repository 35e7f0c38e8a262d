//! The municipality's side of Fellestall.
//!
//! **Invariant:** everything that sees a record is in [`kernel`].

pub mod agent;
pub mod audit;
pub mod cli;
pub mod client;
pub mod config;
pub mod console;
pub mod daemon;
pub mod decisions;
pub mod engine;
pub mod enrol;
pub mod evidence;
pub mod files;
pub mod forecast;
pub mod kernel;
pub mod keys;
pub mod register;
pub mod retention;
pub mod rights;
pub mod state;
mod text;
mod waiting;
pub mod witness;
pub mod work;
