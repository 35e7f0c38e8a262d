//! The pages of the coordinator's staff.
