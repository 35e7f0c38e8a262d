//! Municipalities, counties and the country that tell the same: the nodes' own noisy tables and the
//! opened sum of one table, reconciled.
//!
//! The tables `l_c` of parts c have independent noise of variances `v_c`, and the opened sum tells their
//! total with variance `v_s`. The best of all unbiased estimates (generalised least squares) moves each
//! part by `v_c / (sum v + v_s)` of the difference between the opened sum and the sum of the parts. The
//! estimates add up to the inverse-variance mean of both sums, and
//! `Cov(c, d) = [c = d] v_c - v_c v_d / (sum v + v_s)`.
//!
//! **Invariant:** figures of parts add up to the national figure exactly, also once they are whole
//! numbers: sums from the first part on are rounded, so that every run of parts is off by less than 1.

use crate::publish::PublishedShared;
use crate::publish::shared::running;

/// Whole consistent figures of each municipality, in their order, from their own tables and the opened
/// sum; `None` if the table has no figures of municipalities, or one does not fit.
pub(super) fn consistent(
    municipal: &[Vec<i64>],
    shared: &PublishedShared,
) -> Option<Vec<Vec<i64>>> {
    let combined = shared.combined.as_ref()?;
    let all = shared.reports;
    let sums = || shared.opened.iter().zip(&combined.local);
    let mut parts = vec![0_i64; combined.local.len()];
    let mut before = parts.clone();
    let mut found = Vec::with_capacity(municipal.len());
    for (nodes, own) in (1_u32..).zip(municipal) {
        let mut figures = Vec::with_capacity(own.len());
        let sums = sums().zip(own).zip(parts.iter_mut().zip(&mut before));
        for (((opened, local), own), (part, before)) in sums {
            *part = part.checked_add(*own)?;
            let weight = combined.weight;
            let reached = running(*opened, shared.factor, *local, weight, (*part, nodes), all)?;
            figures.push(reached.checked_sub(*before)?);
            *before = reached;
        }
        found.push(figures);
    }
    Some(found)
}

#[cfg(test)]
mod tests;
