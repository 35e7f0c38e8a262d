//! The municipality's side of Fellestall.
//!
//! **Invariant:** everything that sees a record is in [`kernel`].

pub mod kernel;
