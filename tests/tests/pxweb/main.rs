//! PxWebApi v2 as its clients see it: a running service over a databank whose every cell is known.
#![cfg(test)]

mod clients;
mod fixture;
mod fuzz;
mod headers;
mod large;
mod limits;
mod reader;
mod refusals;
mod saved;
mod tables;
mod values;
