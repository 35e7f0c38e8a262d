//! The report for the network: the same figures as were presented, in every form and language, and
//! what may and may not be said about changes and municipalities.

#![cfg(test)]

mod figures;
mod looks;
mod scene;
mod telling;
