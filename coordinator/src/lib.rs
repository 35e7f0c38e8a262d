//! The network's side of Fellestall.
//!
//! **Invariant:** no code here can read a record of a person.

pub mod publish;
pub mod template;
