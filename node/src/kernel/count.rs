//! Exact counts over the full public domain, with every participant held to the bound.
//!
//! **Invariant:** the number and order of cells follow from the question alone; an empty cohort and
//! a large one give the same shape.

use super::bound::hold;
use super::consent::Cohort;
use super::contacts::Months;
use super::minimise::{Declared, Minimal};
use super::person::{Contact, Person};
use super::raw::Raw;
use super::records::{Member, Records};
use super::variable::{Subject, View, window_start};
use fellestall_shared::ids::StatisticId;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Bound;
use fellestall_shared::statistic::{Statistic, Variable};
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
    let (mut rows, mut wanted) = (Vec::new(), Vec::new());
    let mut minimal = Minimal::nothing();
    for member in people {
        let contacts = records.contacts(member, &mut rows);
        // Tables that declare the same columns see the same.
        let mut seen = None;
        for (((statistic, bound), declared), cells) in asked.iter().zip(&declared).zip(&mut tables)
        {
            if seen.replace(declared) != Some(declared) {
                minimal.see(member.person, contacts, declared);
            }
            let Some(view) = View::new(&minimal, period, statistic.window()) else { continue };
            contribution(&view, statistic, &mut wanted)?;
            hold(&mut wanted, *bound, key, member.id, statistic.id());
            for (cell, amount) in &wanted {
                let sum = cells.get_mut(*cell).and_then(|sum| {
                    *sum = sum.checked_add_unsigned(*amount)?;
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
    let mut minimal = Minimal::nothing();
    minimal.see(person, contacts, &Declared::of(statistic.fields()));
    let Some(view) = View::new(&minimal, period, statistic.window()) else { return Ok(false) };
    let mut cells = Vec::new();
    contribution(&view, statistic, &mut cells)?;
    Ok(cells.iter().any(|(_, amount)| *amount > 0))
}

/// Puts into `cells` what one participant would add to each cell if there were no bound, in the order of
/// cells.
pub(super) fn contribution(
    view: &View<'_>,
    statistic: &Statistic,
    cells: &mut Vec<(usize, u64)>,
) -> Result<(), CountError> {
    cells.clear();
    let mut wrong = Ok(());
    let observed = view.observe(statistic.unit(), &mut |subject, weight| match cell_of(
        view, subject, statistic,
    ) {
        Ok(cell) => cells.extend(cell.map(|cell| (cell, weight))),
        Err(error) => wrong = Err(error),
    });
    observed.ok_or_else(|| overflow(statistic))?;
    wrong?;
    let mut fits = true;
    cells.sort_unstable_by_key(|(cell, _)| *cell);
    cells.dedup_by(|(cell, amount), (kept, sum)| {
        let is_same = cell == kept;
        if is_same {
            let both = sum.checked_add(*amount);
            fits = fits && both.is_some();
            *sum = both.unwrap_or(u64::MAX);
        }
        is_same
    });
    if fits { Ok(()) } else { Err(overflow(statistic)) }
}

/// The cell of an observation; `None` of one that a dimension says nothing about. Cells are in row-major
/// order.
fn cell_of<'p>(
    view: &View<'p>,
    subject: Subject<'p>,
    statistic: &Statistic,
) -> Result<Option<usize>, CountError> {
    let mut cell = Some(0_usize);
    for domain in statistic.dimensions() {
        let Some(code) = view.code(domain.variable(), subject) else { return Ok(None) };
        let Some(position) = domain.position(&code) else {
            let variable = domain.variable();
            return Err(CountError::Category { statistic: statistic.id().clone(), variable });
        };
        let before = cell.and_then(|cell| cell.checked_mul(domain.categories().len()));
        cell = before.and_then(|before| before.checked_add(position));
    }
    Ok(cell)
}
