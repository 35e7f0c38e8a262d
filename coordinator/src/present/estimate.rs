//! The presentable counts: not negative, whole, and adding up, as close to the released ones as that
//! allows.
//!
//! One estimation, from the top down, over all tables of a publication:
//!
//! 1. *Totals.* What several tables say about one total (see `structure`) is one weighted least
//!    squares estimate: the mean of the tables' sums, each weighed by one over its variance.
//! 2. *The country.* The cells closest to the released national sums, in the metric of their noise,
//!    that are not negative and add up to the total; a table that is a margin of another takes part
//!    in its estimate.
//! 3. *Municipalities*, where they are published: first their totals, which add up to the country's,
//!    then their cells, which add up to their totals and to the country's cells.
//!
//! Each step ends in controlled rounding, so that the next one has whole sums to keep. Counties, pools
//! and totals are sums of what is found here.
//!
//! Why from the top down: setting negative cells to 0 by themselves lifts small categories, and their
//! sum over municipalities the more the more municipalities there are. Here a sum that is well known
//! stays, and what cells cannot take below 0 is taken off the others (the order of the 2020 US
//! census' disclosure avoidance, Abowd et al. 2022). Some bias in a single small cell remains, since a
//! number that is never negative cannot be right on average at 0: the unbiased value stands beside it.
//!
//! **Invariant:** a function of released sums and public definitions alone.

use super::rounding::{controlled, to_total};
use super::solver::{Problem, Sum};
use super::structure::{Family, Margin, Structure};

/// Released counts are taken as at most this, up or down: one that is larger can't be published.
const LARGEST: i64 = 1_000_000_000;
/// The smallest variance that is told from none.
const SMALLEST: f64 = 1e-9;

/// What was released in one table.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    /// The variance of one municipality's noise in a cell, if such are published.
    pub variance: f64,
    /// The variance of the national sum's noise in a cell, over the number of municipalities in it.
    pub part: f64,
    /// The sums over all municipalities.
    pub national: Vec<i64>,
    /// Each municipality's cells, if they are published.
    pub municipal: Vec<Vec<i64>>,
}

/// Everything that was released.
#[derive(Debug)]
pub(super) struct Released {
    /// The tables.
    pub tables: Vec<Measured>,
    /// Municipalities in the national sums.
    pub reported: usize,
    /// Municipalities whose own figures are published; none, or all that reported.
    pub municipalities: usize,
}

/// Presentable counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Estimate {
    /// By table and cell.
    pub national: Vec<Vec<i64>>,
    /// By municipality, table and cell.
    pub municipal: Vec<Vec<Vec<i64>>>,
}

/// Whose cells.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// The sums over all that reported.
    Country,
    /// One municipality's, by its place.
    Municipality(usize),
}

impl Measured {
    /// Whether municipalities' own figures are published.
    pub(super) fn is_seen(&self) -> bool {
        !self.municipal.is_empty()
    }

    fn variance(&self, place: Place) -> f64 {
        match place {
            Place::Country => self.part,
            Place::Municipality(_) => self.variance,
        }
    }

    fn at(&self, place: Place, cell: usize) -> f64 {
        let cells = match place {
            Place::Country => Some(&self.national),
            Place::Municipality(municipality) => self.municipal.get(municipality),
        };
        let value = cells.and_then(|cells| cells.get(cell)).copied().unwrap_or(0);
        real(value.clamp(-LARGEST, LARGEST))
    }
}

/// The presentable counts of a publication.
pub(super) fn estimate(released: &Released, structure: &Structure) -> Estimate {
    let tables = &released.tables;
    let blank: Vec<Vec<i64>> = tables.iter().map(|table| vec![0; table.national.len()]).collect();
    let mut found =
        Estimate { national: blank.clone(), municipal: vec![blank; released.municipalities] };
    let totals: Vec<(i64, Vec<i64>)> =
        (0..structure.totals).map(|total| totals(released, structure, total)).collect();
    for family in &structure.families {
        let Some((total, local)) = totals.get(family.total) else { continue };
        let national = country(released, family, *total);
        put(&mut found.national, family, &national);
        for (family, national) in seen(released, family, &national) {
            let municipal = municipalities(released, &family, local, &national);
            let rows = municipal.chunks(family.cells.len().max(1));
            for (tables, cells) in found.municipal.iter_mut().zip(rows) {
                put(tables, &family, cells);
            }
        }
    }
    found
}

/// What of a family is published municipality by municipality, with its national cells: without the
/// margins that are not, or the margins alone where the finer table is not.
fn seen(released: &Released, family: &Family, national: &[i64]) -> Vec<(Family, Vec<i64>)> {
    let is_seen = |table: usize| released.tables.get(table).is_some_and(Measured::is_seen);
    let margins = || family.margins.iter().filter(|margin| is_seen(margin.table));
    if is_seen(family.table) {
        let own = Family { margins: margins().cloned().collect(), ..family.clone() };
        return vec![(own, national.to_vec())];
    }
    let alone = |margin: &Margin| {
        let cells = (0..margin.parts.len()).collect();
        let own = Family { table: margin.table, cells, margins: Vec::new(), total: family.total };
        let sum = |parts: &Vec<usize>| parts.iter().filter_map(|part| national.get(*part)).sum();
        (own, margin.parts.iter().map(sum).collect())
    };
    margins().map(alone).collect()
}

/// A weighted mean and the variance of its noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mean {
    /// The mean.
    pub value: f64,
    /// The variance.
    pub variance: f64,
}

/// What the tables of a total say about it: the mean of their sums, each weighed by one over the
/// variance of its noise. Not cut off at 0, and so unbiased.
pub(super) fn total_of(
    released: &Released,
    structure: &Structure,
    total: usize,
    place: Place,
) -> Option<Mean> {
    let nodes = match place {
        Place::Country => released.reported,
        Place::Municipality(_) => 1,
    };
    let (mut weights, mut weighted) = (0.0, 0.0);
    let mut add = |table: usize, cells: &[usize]| {
        let Some(table) = released.tables.get(table) else { return };
        if matches!(place, Place::Municipality(_)) && !table.is_seen() {
            return;
        }
        let sum: f64 = cells.iter().map(|cell| table.at(place, *cell)).sum();
        let variance = real_of(cells.len()) * real_of(nodes) * table.variance(place);
        let precision = 1.0 / variance.max(SMALLEST);
        weights += precision;
        weighted += precision * sum;
    };
    for family in structure.families.iter().filter(|family| family.total == total) {
        add(family.table, &family.cells);
        for margin in &family.margins {
            add(margin.table, &(0..margin.parts.len()).collect::<Vec<_>>());
        }
    }
    (weights > 0.0).then(|| Mean { value: weighted / weights, variance: 1.0 / weights })
}

/// One total of the country and of each municipality.
fn totals(released: &Released, structure: &Structure, total: usize) -> (i64, Vec<i64>) {
    let mean = |place| total_of(released, structure, total, place).map_or(0.0, |mean| mean.value);
    let national = mean(Place::Country).max(0.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "a mean of counts within bounds")]
    let whole = national as i64;
    let places = released.municipalities;
    let problem = Problem {
        measured: (0..places).map(|place| mean(Place::Municipality(place))).collect(),
        precision: vec![1.0; places],
        bounded: places,
        sums: vec![Sum { plus: (0..places).collect(), minus: None, value: national }],
    };
    let local = if places == 0 { Vec::new() } else { to_total(&problem.solve(), whole) };
    (whole, local)
}

fn country(released: &Released, family: &Family, total: i64) -> Vec<i64> {
    let mut problem = problem(released, family, &[Place::Country]);
    let plus = (0..family.cells.len()).collect();
    problem.sums.push(Sum { plus, minus: None, value: real(total) });
    let cells = problem.solve();
    to_total(cells.get(..family.cells.len()).unwrap_or(&cells), total)
}

fn municipalities(
    released: &Released,
    family: &Family,
    totals: &[i64],
    national: &[i64],
) -> Vec<i64> {
    let (rows, columns) = (totals.len(), national.len());
    if rows == 0 {
        return Vec::new();
    }
    let places: Vec<Place> = (0..rows).map(Place::Municipality).collect();
    let mut problem = problem(released, family, &places);
    for (row, total) in totals.iter().enumerate() {
        let plus = (row * columns..(row + 1) * columns).collect();
        problem.sums.push(Sum { plus, minus: None, value: real(*total) });
    }
    for (column, sum) in national.iter().enumerate() {
        let plus = (0..rows).map(|row| row * columns + column).collect();
        problem.sums.push(Sum { plus, minus: None, value: real(*sum) });
    }
    let cells = problem.solve();
    controlled(cells.get(..rows * columns).unwrap_or(&cells), totals, national)
}

/// The cells of a family at these places, place by place, and then its margins.
fn problem(released: &Released, family: &Family, places: &[Place]) -> Problem {
    let columns = family.cells.len();
    let mut problem = Problem { bounded: places.len() * columns, ..Problem::default() };
    let precision = |table: &Measured, place| 1.0 / table.variance(place).max(SMALLEST);
    if let Some(table) = released.tables.get(family.table) {
        for place in places {
            for cell in &family.cells {
                problem.measured.push(table.at(*place, *cell));
                problem.precision.push(precision(table, *place));
            }
        }
    }
    for margin in &family.margins {
        let Some(table) = released.tables.get(margin.table) else { continue };
        for (row, place) in places.iter().enumerate() {
            for (cell, parts) in margin.parts.iter().enumerate() {
                let plus = parts.iter().map(|part| row * columns + part).collect();
                let minus = Some(problem.measured.len());
                problem.measured.push(table.at(*place, cell));
                problem.precision.push(precision(table, *place));
                problem.sums.push(Sum { plus, minus, value: 0.0 });
            }
        }
    }
    problem
}

/// Writes a family's cells, and the sums of them that its margins are.
fn put(tables: &mut [Vec<i64>], family: &Family, cells: &[i64]) {
    if let Some(table) = tables.get_mut(family.table) {
        for (place, value) in family.cells.iter().zip(cells) {
            if let Some(cell) = table.get_mut(*place) {
                *cell = *value;
            }
        }
    }
    for margin in &family.margins {
        let Some(table) = tables.get_mut(margin.table) else { continue };
        for (cell, parts) in table.iter_mut().zip(&margin.parts) {
            *cell = parts.iter().filter_map(|part| cells.get(*part)).sum();
        }
    }
}

/// A count as a double; exact, since released counts are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn real(value: i64) -> f64 {
    value as f64
}

/// A size as a double.
pub(super) fn real_of(size: usize) -> f64 {
    real(i64::try_from(size).unwrap_or(i64::MAX))
}
