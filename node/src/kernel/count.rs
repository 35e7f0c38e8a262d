//! Exact counts over the full public domain, with every participant held to the bound.
//!
//! **Invariant:** the number and order of cells follow from the question alone; an empty cohort and
//! a large one give the same shape.

use super::bound::bounded;
use super::consent::Cohort;
use super::minimise::Minimal;
use super::person::Person;
use super::raw::Raw;
use super::variable::View;
use fellestall_shared::ids::StatisticId;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Bound;
use fellestall_shared::statistic::{Statistic, Variable};
use std::collections::BTreeMap;
use zeroize::Zeroize;

#[cfg(test)]
mod tests;

/// The node's secret for choosing cells. Made once, when the node is set up: another key would choose
/// other cells of one person in the next period.
pub struct CountKey([u8; 32]);

impl CountKey {
    /// A key from 32 secret random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be hashed before anything else.
    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for CountKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A count that cannot be given. Nothing is released then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// More than the integers hold.
    #[error("a count of {statistic} is larger than the arithmetic allows")]
    Overflow {
        /// Which statistic.
        statistic: StatisticId,
    },
    /// The catalogue and the code disagree about a domain; the tests keep them together.
    #[error(
        "the domain of {variable:?} in {statistic} lacks a category; this is a defect of the program"
    )]
    Category {
        /// Which statistic.
        statistic: StatisticId,
        /// Which variable.
        variable: Variable,
    },
}

/// Counts every table over the cohort in one pass, in the order asked.
///
/// # Errors
/// [`CountError`]; either kind means a defect, and no table is given.
///
/// # Privacy
/// P1: one participant changes the cells of each [`Raw`] by at most the bound that it carries,
/// whatever that participant's rows are; and a table sees of a participant only the columns that its
/// definition declares.
pub(super) fn count(
    asked: &[(&Statistic, Bound)],
    period: Period,
    cohort: &Cohort<'_>,
    key: &CountKey,
) -> Result<Vec<Raw>, CountError> {
    let mut tables: Vec<Vec<i64>> =
        asked.iter().map(|(statistic, _)| vec![0; statistic.cells()]).collect();
    for (id, person) in cohort.people() {
        for ((statistic, bound), cells) in asked.iter().zip(&mut tables) {
            let minimal = Minimal::of(person, statistic.fields());
            let Some(view) = View::new(&minimal, period, statistic.window()) else { continue };
            let wanted = contribution(&view, statistic)?;
            for (cell, amount) in bounded(&wanted, *bound, key, id, statistic.id()) {
                let sum = cells.get_mut(cell).and_then(|sum| {
                    *sum = sum.checked_add(i64::from(amount))?;
                    Some(())
                });
                sum.ok_or_else(|| CountError::Overflow { statistic: statistic.id().clone() })?;
            }
        }
    }
    Ok(tables.into_iter().zip(asked).map(|(cells, (_, bound))| Raw::new(cells, *bound)).collect())
}

/// Whether one participant's rows give anything to a table.
///
/// # Errors
/// [`CountError`], as [`count`].
pub(super) fn takes_part(
    person: &Person,
    statistic: &Statistic,
    period: Period,
) -> Result<bool, CountError> {
    let minimal = Minimal::of(person, statistic.fields());
    match View::new(&minimal, period, statistic.window()) {
        None => Ok(false),
        Some(view) => Ok(contribution(&view, statistic)?.values().any(|amount| *amount > 0)),
    }
}

/// What one participant would add to each cell if there were no bound.
pub(super) fn contribution(
    view: &View<'_>,
    statistic: &Statistic,
) -> Result<BTreeMap<usize, u64>, CountError> {
    let overflow = || CountError::Overflow { statistic: statistic.id().clone() };
    let mut cells = BTreeMap::new();
    for (subject, weight) in view.observations(statistic.unit()).ok_or_else(overflow)? {
        let mut positions = Vec::with_capacity(statistic.dimensions().len());
        for domain in statistic.dimensions() {
            let Some(code) = view.code(domain.variable(), subject) else { break };
            let Some(position) = domain.position(&code) else {
                let variable = domain.variable();
                return Err(CountError::Category { statistic: statistic.id().clone(), variable });
            };
            positions.push(position);
        }
        // An observation that a dimension says nothing about is not in the table.
        let Some(cell) = statistic.cell(&positions) else { continue };
        let sum: &mut u64 = cells.entry(cell).or_insert(0);
        *sum = sum.checked_add(weight).ok_or_else(overflow)?;
    }
    Ok(cells)
}
