//! The two real programs, driven as operators drive them: nothing of a record is left anywhere,
//! every failure says what to mend, the help is whole, proxies serve, certificates are renewed.

#![cfg(test)]

mod canary;
mod database;
mod dump;
mod extremes;
mod help;
mod killed;
mod log;
mod lost;
mod memory;
mod operator;
mod pair;
mod proxy;
mod renewal;
mod rights;
mod stage;
mod way;
