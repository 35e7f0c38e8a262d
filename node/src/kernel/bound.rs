//! Holds one participant to the contribution bound of a table.
//!
//! **Invariant:** what is kept depends on the participant's own amounts, the identifier, the table
//! and the key; never on another participant or on the order of rows.

use super::count::CountKey;
use super::person::PersonId;
use fellestall_shared::ids::StatisticId;
use fellestall_shared::privacy::Bound;

/// Between the parts that are hashed.
const SEPARATOR: &[u8] = &[0x1f];

/// Leaves of the cells and amounts of one participant those that count: each clipped to `per_cell`; if they
/// are too many, the first `cells` in the order of a keyed hash, filled until `total` is reached.
///
/// # Privacy
/// P1: at most `bound.cells()` cells, each at most `bound.per_cell()`, together at most
/// `bound.l1()`; so the sum of squares is at most `bound.l2_squared()`.
pub(super) fn hold(
    cells: &mut Vec<(usize, u64)>,
    bound: Bound,
    key: &CountKey,
    person: &PersonId,
    statistic: &StatisticId,
) {
    cells.retain(|(_, amount)| *amount > 0);
    for (_, amount) in &mut *cells {
        *amount = (*amount).min(bound.per_cell().into());
    }
    // What is within the bound already is kept whole, in whatever order.
    let most = usize::try_from(bound.cells()).unwrap_or(usize::MAX);
    let total = cells.iter().fold(0_u64, |sum, (_, amount)| sum.saturating_add(*amount));
    if cells.len() > most || total > bound.l1().into() {
        cells.sort_by_cached_key(|(cell, _)| (priority(key, person, statistic, *cell), *cell));
    }
    cells.truncate(most);
    let mut left = u64::from(bound.l1());
    for (_, amount) in &mut *cells {
        *amount = (*amount).min(left);
        left = left.saturating_sub(*amount);
    }
    cells.retain(|(_, amount)| *amount > 0);
}

/// The place of a cell in a participant's order: the first 8 bytes of
/// `SHA-256(key || 1f || participant || 1f || statistic || 1f || cell in decimal)`. A database can
/// compute the same with its own `sha256`.
fn priority(key: &CountKey, person: &PersonId, statistic: &StatisticId, cell: usize) -> [u8; 8] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(key.as_bytes());
    let cell = cell.to_string();
    for part in [person.as_bytes(), statistic.as_str().as_bytes(), cell.as_bytes()] {
        context.update(SEPARATOR);
        context.update(part);
    }
    let digest = context.finish();
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    first
}
