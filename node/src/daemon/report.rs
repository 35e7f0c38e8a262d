//! How a cycle went, for the operator.
//!
//! **Invariant:** rounds and reasons, never a value.

use crate::agent::Cycle;
use crate::client::ClientError;
use fellestall_shared::ids::RoundId;
use std::collections::{BTreeMap, BTreeSet};

/// How the last cycle went.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// As the agent saw it.
    pub cycle: Cycle,
    /// Why rounds were not answered, in words.
    pub not_released: BTreeMap<RoundId, String>,
    /// Rounds that wait for the helper to accept their task. No error: it comes by itself.
    pub waiting: BTreeSet<RoundId>,
    /// Whether the budget or the policy said no to one of them.
    pub refused: bool,
    /// The last failure of the network, if the cycle had one.
    pub failure: Option<ClientError>,
}
