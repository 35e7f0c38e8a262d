//! The privacy kernel: from records to a signed release on disk.
//!
//! **Invariant:** exact values live and die in here.

pub mod person;
pub mod raw;
pub mod records;
