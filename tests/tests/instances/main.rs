//! Several instances of the coordinator over one PostgreSQL, each the real program in a copy of one
//! directory: killed, paused, raced and started at once.
#![cfg(test)]

mod closing;
mod gate;
mod killed;
mod repeated;
mod scene;
mod starting;
mod uploads;
mod work;

#[path = "../programs/pair.rs"]
#[expect(dead_code, reason = "it is of the tests of the programs, which use more of it")]
mod pair;
#[path = "../programs/stage.rs"]
#[expect(dead_code, reason = "it is of the tests of the programs, which use more of it")]
mod stage;
