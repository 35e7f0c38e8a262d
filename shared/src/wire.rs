//! What travels: dumb transfer types, one module for each version of the protocol.
//!
//! **Invariant:** no message has a field for a person, a free text about one, a row count or an
//! exact value.

pub mod v1;
