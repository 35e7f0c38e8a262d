//! An exact table, and the only door out of it.
//!
//! **Invariant:** an exact value cannot be cloned, compared, printed or serialised, and leaves this
//! type only inside `super::mechanism`, together with a grant that paid for it.

use fellestall_shared::privacy::Bound;

/// Exact counts of one table, one for each cell in row-major order, with the bound that one
/// participant's contribution was held to.
#[must_use]
pub struct Raw {
    cells: Vec<i64>,
    bound: Bound,
}

impl Raw {
    /// Exact counts; `bound` is what was enforced on each participant while counting.
    pub(super) fn new(cells: Vec<i64>, bound: Bound) -> Self {
        Self { cells, bound }
    }

    /// Gives up the counts to the mechanism.
    pub(super) fn into_parts(self) -> (Vec<i64>, Bound) {
        (self.cells, self.bound)
    }
}
