//! The network's side of Fellestall.
//!
//! **Invariant:** no code here can read a record of a person.

pub mod admin;
pub mod aggregation;
pub mod api;
pub mod authority;
pub mod cli;
pub mod config;
pub mod databank;
pub mod formats;
pub mod helper;
pub mod home;
pub mod instance;
pub mod invitation;
pub mod lease;
pub mod present;
pub mod public;
pub mod publish;
pub mod pxweb;
pub mod report;
pub mod rounds;
pub mod server;
pub mod simulate;
pub mod store;
pub mod template;
pub mod versions;
pub mod web;
