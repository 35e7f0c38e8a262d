//! The node's console: the real program over a real coordinator, in a real browser; and asked in
//! ways that no browser would.

#![cfg(test)]

mod access;
mod flow;
mod limits;
mod looks;
mod scene;
#[expect(dead_code, reason = "the stage has more than the console needs")]
#[path = "../programs/stage.rs"]
mod stage;
mod two;
