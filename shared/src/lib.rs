//! What nodes and the coordinator say to each other: identifiers, the closed language of tables,
//! the catalogue, studies, rounds, releases, signatures and privacy arithmetic.
//!
//! **Invariant:** no input or output, no runtime, no clock of its own, and no type that can hold a
//! record of a person. Both binaries depend on this crate; it depends on neither.

pub mod catalogue;
pub mod clock;
pub mod digest;
pub mod ids;
pub mod labels;
pub mod limits;
pub mod municipality;
pub mod period;
pub mod privacy;
pub mod problem;
pub mod round;
pub mod secure;
pub mod signed;
pub mod statistic;
pub mod study;
pub mod tls;
pub mod wire;
