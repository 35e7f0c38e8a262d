//! The kernel through its own door: replays, budgets, damage, crashes, and what must not exist.
//!
//! **Invariant:** every test has its own folder, and no test needs another.

use super::ledger::{BudgetGrant, TableGrant};
use super::mechanism::{Local, Noised};
use super::person::PersonId;
use super::raw::Raw;
use super::records::Records;
use super::{Kernel, Planned, Recorded, Release, Secrets, Sent};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use std::fmt::{Debug, Display};

mod budget;
mod crash;
mod damage;
mod difference;
mod files;
mod replay;
mod shared;
pub(super) mod support;
mod versions;

// An exact table cannot be copied, compared, shown or written.
assert_not_impl_any!(Raw: Clone, Copy, Debug, Display, PartialEq, PartialOrd, serde::Serialize, AsRef<[i64]>);
// A person cannot be shown or written; records not even copied.
assert_not_impl_any!(PersonId: Debug, Display, serde::Serialize, AsRef<str>);
assert_not_impl_any!(Records: Clone, Debug, Display, PartialEq, serde::Serialize, IntoIterator);
// A power is spent by move, and made in one place.
assert_not_impl_any!(BudgetGrant: Clone, Copy, Default, Debug, serde::Serialize, serde::de::DeserializeOwned);
assert_not_impl_any!(TableGrant: Clone, Copy, Default, Debug, serde::Serialize, serde::de::DeserializeOwned);
assert_not_impl_any!(Noised: Clone, Debug, serde::Serialize);
assert_not_impl_any!(Local: Clone, Debug, serde::Serialize);
assert_not_impl_any!(Secrets: Clone, Debug, Display, serde::Serialize);
// A release in any state is one thing: it cannot be doubled.
assert_not_impl_any!(Release<Planned>: Clone, Debug, serde::Serialize);
assert_not_impl_any!(Release<Recorded>: Clone, serde::Serialize);
assert_not_impl_any!(Release<Sent>: Clone, serde::Serialize);
// The node's daemon moves the kernel to a thread for blocking work.
assert_impl_all!(Kernel: Send);
