//! Exports through the boundary: files in, records or a message out.
//!
//! **Invariant:** what records hold is looked at only here, under test.

mod bad_input;
mod export;
mod fixtures;
mod foreign;
mod limits;
mod people;
mod report;
