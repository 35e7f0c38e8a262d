//! The `fellestall-coordinator` command.

fn main() {}
