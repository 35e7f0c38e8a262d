//! The coordinator's service over real TLS on loopback: who is let in, what is stored, what is
//! refused, what is published.
#![cfg(test)]

mod access;
mod harness;
mod limits;
mod publishing;
mod reports;
mod uploads;
mod versions;
