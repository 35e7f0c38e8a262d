//! Countersigning: a node says where its ledger and its log stand, and the coordinator signs that it
//! was told.
//!
//! A node that says less than it said before, or something else, is an older copy or a second one.
//!
//! **Invariant:** what the coordinator learns of the log is one digest that it cannot open: neither
//! the head nor the number of entries, which hang on what happens at the municipality.

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::ids::NodeId;
use crate::round::ledger_head;
use crate::signed::{Document, Envelope};
use serde::{Deserialize, Serialize};

/// How far a node's ledger reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerHead {
    /// The number of charges.
    pub sequence: u64,
    /// The head of the chain after the last; zero without one.
    pub head: Digest,
}

/// Where a node stands, to be countersigned. The same one is sent until it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The node.
    pub node: NodeId,
    /// The number of the last witness that it holds; 0 without one.
    pub number: u64,
    /// The digest of that witness's payload; zero without one.
    pub previous: Digest,
    /// 32 random bytes, so that no two statements are alike.
    pub nonce: Digest,
    /// Its ledger.
    pub ledger: LedgerHead,
    /// The digests of the payloads of its releases since that witness, in order: the ledger's head
    /// follows from the one that was witnessed and from these. Empty for the first statement.
    pub since: Vec<Digest>,
    /// A commitment to its log: the digest of a secret, the number of entries and the head.
    pub log: Digest,
}

impl Standing {
    /// The heads of the ledger from a witnessed one to the one that is stated, each with its place;
    /// `None` if the one does not follow from the other.
    #[must_use]
    pub fn heads_after(&self, witnessed: LedgerHead) -> Option<Vec<LedgerHead>> {
        let mut last = witnessed;
        let mut heads = Vec::with_capacity(self.since.len());
        for payload in &self.since {
            let sequence = last.sequence.checked_add(1)?;
            last = LedgerHead { sequence, head: ledger_head(last.head, *payload) };
            heads.push(last);
        }
        (last == self.ledger).then_some(heads)
    }
}

impl Document for Standing {
    const KIND: &'static str = "standing/1";
}

/// The coordinator was told where a node stands, durably, and nothing else before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The node.
    pub node: NodeId,
    /// The number of this witness, from 1.
    pub number: u64,
    /// The digest of the payload of the witness before it; zero for the first.
    pub previous: Digest,
    /// The ledger that was stated.
    pub ledger: LedgerHead,
    /// The log that was stated.
    pub log: Digest,
    /// The digest of the statement's payload.
    pub statement: Digest,
    /// When.
    pub at: Timestamp,
}

impl Document for Witness {
    const KIND: &'static str = "witness/1";
}

/// A node's own releases, in the order of its ledger: for a node that lost them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnReleases {
    /// As they were sent; not all at once, if there are many.
    pub releases: Vec<Envelope>,
}
