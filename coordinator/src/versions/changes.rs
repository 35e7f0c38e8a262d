//! What one version changed from the one before it.
//!
//! **Invariant:** says who came and who left, which is published anyway, and nothing about how much
//! any of them added.

use super::words::Words;
use crate::publish::{Coverage, CoverageState, NodeCoverage, Publication};
use std::collections::BTreeSet;

/// The changes from one version to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changes {
    /// Municipalities that came into the figures, by number.
    pub came: Vec<String>,
    /// Municipalities that are no longer in them.
    pub left: Vec<String>,
    /// Municipalities in the figures, before and after.
    pub reported: (usize, usize),
    /// Municipalities that were asked, before and after.
    pub asked: (usize, usize),
}

/// What changed between two versions of one round.
pub(super) fn between(before: &Publication, after: &Publication) -> Changes {
    let (before, after) = (&before.coverage, &after.coverage);
    Changes {
        came: beyond(after, before),
        left: beyond(before, after),
        reported: (before.reported, after.reported),
        asked: (before.asked, after.asked),
    }
}

/// The municipalities in the figures of one and not of the other.
fn beyond(one: &Coverage, other: &Coverage) -> Vec<String> {
    let known: BTreeSet<_> =
        other.nodes.iter().filter(|node| is_in(node)).map(|node| &node.municipality).collect();
    one.nodes
        .iter()
        .filter(|node| is_in(node) && !known.contains(&node.municipality))
        .map(name)
        .collect()
}

/// Whether the municipality is in the figures.
pub(super) fn is_in(node: &NodeCoverage) -> bool {
    matches!(node.state, CoverageState::Reported | CoverageState::Late)
}

/// What a municipality is called: its name, or its number if that is all there is.
pub(super) fn name(node: &NodeCoverage) -> String {
    if node.name.is_empty() { node.municipality.to_string() } else { node.name.clone() }
}

impl Changes {
    /// The changes in words, a sentence each.
    pub fn sentences(&self, words: &Words) -> Vec<String> {
        let mut sentences = Vec::new();
        if !self.came.is_empty() {
            sentences.push(format!("{} {}.", words.came, self.came.join(", ")));
        }
        if !self.left.is_empty() {
            sentences.push(format!("{} {}.", words.left, self.left.join(", ")));
        }
        let (before, after) = self.reported;
        if before != after {
            let change = format!("{} {before} {} {after}.", words.in_figures_from, words.to);
            sentences.push(change);
        }
        let (before, after) = self.asked;
        if before != after {
            sentences.push(format!("{} {before} {} {after}.", words.asked_from, words.to));
        }
        if sentences.is_empty() {
            sentences.push(words.same_coverage.clone());
        }
        sentences
    }
}
