//! The `fellestall-node` command.

fn main() {}
