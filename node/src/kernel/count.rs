//! Exact counts over the full public domain, with every participant held to the bound.
//!
//! **Invariant:** the number and order of cells follow from the question alone; an empty cohort and
//! a large one give the same shape.

use super::bound::bounded;
use super::consent::Cohort;
use super::contacts::Months;
use super::minimise::{Declared, Minimal};
use super::person::{Contact, Person};
use super::raw::Raw;
use super::records::{Member, Records};
use super::variable::{View, window_start};
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
    let people = cohort.people();
    let threads = cohort.records().threads().get();
    let part = people.len().div_ceil(threads).max(1);
    let count = |people: &[Member<'_>]| count_part(asked, period, cohort.records(), people, key);
    // Each thread counts its part of the people; sums of whole numbers are the same in any order.
    let parts: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> =
            people.chunks(part).map(|people| scope.spawn(move || count(people))).collect();
        started.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    let mut tables: Vec<Vec<i64>> =
        asked.iter().map(|(statistic, _)| vec![0; statistic.cells()]).collect();
    for counted in parts {
        // A thread ends early only by a defect, as the whole program would without it.
        let counted = counted.unwrap_or_else(|defect| std::panic::resume_unwind(defect))?;
        for ((cells, counted), (statistic, _)) in tables.iter_mut().zip(counted).zip(asked) {
            for (sum, cell) in cells.iter_mut().zip(counted) {
                *sum = sum.checked_add(cell).ok_or_else(|| overflow(statistic))?;
            }
        }
    }
    Ok(tables.into_iter().zip(asked).map(|(cells, (_, bound))| Raw::new(cells, *bound)).collect())
}

/// The cells of every table over some of the people.
fn count_part(
    asked: &[(&Statistic, Bound)],
    period: Period,
    records: &Records,
    people: &[Member<'_>],
    key: &CountKey,
) -> Result<Vec<Vec<i64>>, CountError> {
    let declared: Vec<_> =
        asked.iter().map(|(statistic, _)| Declared::of(statistic.fields())).collect();
    let mut tables: Vec<Vec<i64>> =
        asked.iter().map(|(statistic, _)| vec![0; statistic.cells()]).collect();
    let mut rows = Vec::new();
    for member in people {
        let contacts = records.contacts(member, &mut rows);
        // Tables that declare the same columns see the same.
        let mut seen: Option<(&Declared, Minimal)> = None;
        for (((statistic, bound), declared), cells) in asked.iter().zip(&declared).zip(&mut tables)
        {
            let (_, minimal) = match seen.take() {
                Some(same) if same.0 == declared => seen.insert(same),
                _ => seen.insert((declared, Minimal::of(member.person, contacts, declared))),
            };
            let Some(view) = View::new(minimal, period, statistic.window()) else { continue };
            let wanted = contribution(&view, statistic)?;
            for (cell, amount) in bounded(&wanted, *bound, key, member.id, statistic.id()) {
                let sum = cells.get_mut(cell).and_then(|sum| {
                    *sum = sum.checked_add(i64::from(amount))?;
                    Some(())
                });
                sum.ok_or_else(|| overflow(statistic))?;
            }
        }
    }
    Ok(tables)
}

fn overflow(statistic: &Statistic) -> CountError {
    CountError::Overflow { statistic: statistic.id().clone() }
}

/// The months whose contacts these tables read over a period; `None` if they read none.
pub(super) fn months_read<'s>(
    statistics: impl IntoIterator<Item = &'s Statistic>,
    period: Period,
) -> Option<Months> {
    let reading = statistics
        .into_iter()
        .filter(|statistic| Declared::of(statistic.fields()).reads_contacts());
    let starts = reading.map(|statistic| window_start(period, statistic.window()));
    Months::between(starts.min()?, period.last_day())
}

/// Whether one participant's rows give anything to a table.
///
/// # Errors
/// [`CountError`], as [`count`].
pub(super) fn takes_part(
    (person, contacts): (&Person, &[Contact]),
    statistic: &Statistic,
    period: Period,
) -> Result<bool, CountError> {
    let minimal = Minimal::of(person, contacts, &Declared::of(statistic.fields()));
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
    let overflow = || overflow(statistic);
    let mut cells = BTreeMap::new();
    for (subject, weight) in view.observations(statistic.unit()).ok_or_else(overflow)? {
        // Cells are in row-major order. An observation that a dimension says nothing about is in none.
        let mut cell = Some(0_usize);
        for domain in statistic.dimensions() {
            let Some(code) = view.code(domain.variable(), subject) else {
                cell = None;
                break;
            };
            let Some(position) = domain.position(&code) else {
                let variable = domain.variable();
                return Err(CountError::Category { statistic: statistic.id().clone(), variable });
            };
            let before = cell.and_then(|cell| cell.checked_mul(domain.categories().len()));
            cell = before.and_then(|before| before.checked_add(position));
        }
        let Some(cell) = cell else { continue };
        let sum: &mut u64 = cells.entry(cell).or_insert(0);
        *sum = sum.checked_add(weight).ok_or_else(overflow)?;
    }
    Ok(cells)
}
