//! The network's side of Fellestall.
//!
//! **Invariant:** no code here can read a record of a person.

pub mod api;
pub mod authority;
pub mod cli;
pub mod config;
pub mod home;
pub mod invitation;
mod pages;
pub mod publish;
pub mod rounds;
pub mod server;
pub mod store;
pub mod template;
