//! The half-yearly report for the network.
