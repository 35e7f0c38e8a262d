//! Whether the difference between two figures is more than the noise in them.
//!
//! The noise of different cells, of different municipalities and of different periods is drawn
//! separately, so that variances add. A total and its part share noise: the part's. What two cells of
//! a table of counts have in common is a cell of the table again (their *meet*), so that the noise of
//! the difference is that of `variance(a) + variance(b) - 2 variance(meet)`, and its law is known
//! exactly. Figures that are computed from counts (rates, means, curves) may share noise in ways that
//! the table does not tell: they are compared across periods, and across regions that have nothing in
//! common, and otherwise not at all.
//!
//! **Invariant:** a difference without a known noise is refused, never guessed; only unbiased values
//! are compared.

use crate::databank::{Cube, Measure, Role};
use crate::present::{COUNTRY, TableKind};
use crate::publish::Fixed;
use crate::publish::table_law::TableLaw;

/// Half the width of a 95 % interval of a normal law, in standard deviations.
const Z95: f64 = 1.959_963_984_540_054;

/// Why two figures are not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// They are one figure.
    Same,
    /// One of them is hidden or missing, or has no known noise.
    NotShown,
    /// What they have in common is hidden or missing.
    SharedHidden,
    /// Both follow from the same counts, and may share noise in unknown ways.
    SharedNoise,
}

/// A difference with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Difference {
    /// The first figure less the second.
    pub value: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Whether some of the noise is in both, as in a total and its part.
    pub is_nested: bool,
}

impl Difference {
    /// Whether noise alone would bring about a difference this large less than once in twenty times.
    pub(crate) fn is_more_than_noise(&self) -> bool {
        self.lower > 0.0 || self.upper < 0.0
    }
}

/// A figure with its noise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noisy {
    /// The unbiased value.
    pub value: f64,
    /// The variance of its noise.
    pub variance: f64,
}

/// How two cells of a table are related.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Relation {
    /// One cell.
    Same,
    /// Of other periods: nothing in common.
    OtherPeriod,
    /// Of regions that have nothing in common.
    OtherRegion,
    /// Of categories that have nothing in common.
    OtherCategory,
    /// They overlap in this cell.
    Meet(Vec<usize>),
}

/// Compares two cells of a table, each given by a position in every dimension.
pub(crate) fn compare(cube: &Cube, a: &[usize], b: &[usize]) -> Result<Difference, Refusal> {
    let relation = relate(cube, a, b);
    if relation == Relation::Same {
        return Err(Refusal::Same);
    }
    let (first, second) = (noisy(cube, a)?, noisy(cube, b)?);
    if cube.kind != TableKind::Counts {
        return match relation {
            Relation::OtherPeriod | Relation::OtherRegion => Ok(of_estimates(first, second)),
            _ => Err(Refusal::SharedNoise),
        };
    }
    let shared = match &relation {
        Relation::Meet(meet) => deviation(cube, meet).ok_or(Refusal::SharedHidden)?.powi(2),
        _ => 0.0,
    };
    let law = |at: &[usize]| {
        let slice = at.last().and_then(|time| cube.slices.get(*time));
        slice.and_then(|slice| slice.table()).and_then(|table| table.noise.law())
    };
    let laws = (law(a).ok_or(Refusal::NotShown)?, law(b).ok_or(Refusal::NotShown)?);
    // Reconciled regions of one period share the noise of the opened sum.
    let is_reconciled = matches!(laws.0, TableLaw::Both { .. });
    if is_reconciled && relation != Relation::OtherPeriod && crosses(cube, a, b) {
        return Err(Refusal::SharedNoise);
    }
    Ok(of_counts((first, laws.0), (second, laws.1), shared))
}

/// Whether the two are of different regions.
fn crosses(cube: &Cube, a: &[usize], b: &[usize]) -> bool {
    let places = cube.dimensions.iter().zip(a).zip(b);
    places.into_iter().any(|((dimension, a), b)| dimension.role == Role::Region && a != b)
}

/// The difference of two noisy counts, `shared` of whose variance is noise that both contain; with
/// each the law of its table's noise.
pub(crate) fn of_counts(a: (Noisy, TableLaw), b: (Noisy, TableLaw), shared: f64) -> Difference {
    let own = |figure: Noisy| (figure.variance - shared).max(0.0);
    let (one, other) = (own(a.0), own(b.0));
    let figures = a.1.figure(one).zip(b.1.figure(other));
    let half = figures.map(|(one, other)| TableLaw::of_difference([one, other]));
    #[expect(clippy::cast_precision_loss, reason = "noise of figures is far below 2^53")]
    let half = match half {
        Some(half) => half as f64,
        None => (Z95 * (one + other).sqrt()).ceil(),
    };
    difference(a.0.value - b.0.value, half, shared > 0.0)
}

/// The difference of two estimates whose noises are independent and nearly normal.
pub(crate) fn of_estimates(a: Noisy, b: Noisy) -> Difference {
    difference(a.value - b.value, Z95 * (a.variance + b.variance).sqrt(), false)
}

fn difference(value: f64, half: f64, is_nested: bool) -> Difference {
    Difference { value, lower: value - half, upper: value + half, is_nested }
}

fn noisy(cube: &Cube, at: &[usize]) -> Result<Noisy, Refusal> {
    let is_shown = cube.cell(&measured(at, Measure::Shown)).value.is_some();
    let value = cube.cell(&measured(at, Measure::Raw)).value;
    match (is_shown, value, deviation(cube, at)) {
        (true, Some(value), Some(deviation)) => {
            Ok(Noisy { value: value.value(), variance: deviation.powi(2) })
        }
        _ => Err(Refusal::NotShown),
    }
}

fn deviation(cube: &Cube, at: &[usize]) -> Option<f64> {
    cube.cell(&measured(at, Measure::Deviation)).value.map(Fixed::value)
}

/// The same place, at this measure.
pub(crate) fn measured(at: &[usize], measure: Measure) -> Vec<usize> {
    let mut at = at.to_vec();
    let contents = at.len().saturating_sub(2);
    let place = Measure::ALL.iter().position(|one| *one == measure);
    if let (Some(slot), Some(place)) = (at.get_mut(contents), place) {
        *slot = place;
    }
    at
}

/// What two cells have in common.
pub(crate) fn relate(cube: &Cube, a: &[usize], b: &[usize]) -> Relation {
    let mut meet = Vec::with_capacity(a.len());
    let mut apart = None;
    for ((dimension, a), b) in cube.dimensions.iter().zip(a).zip(b) {
        if dimension.role == Role::Contents || a == b {
            meet.push(*a);
            continue;
        }
        let common = match dimension.role {
            Role::Region => {
                let code =
                    |place: &usize| dimension.values.get(*place).map(|one| one.code.as_str());
                match (code(a), code(b)) {
                    (Some(outer), Some(inner)) if lies_in(inner, outer) => Some(*b),
                    (Some(inner), Some(outer)) if lies_in(inner, outer) => Some(*a),
                    _ => None,
                }
            }
            Role::Category if dimension.elimination == Some(*a) => Some(*b),
            Role::Category if dimension.elimination == Some(*b) => Some(*a),
            _ => None,
        };
        match (common, dimension.role) {
            (Some(common), _) => meet.push(common),
            (None, Role::Time) => return Relation::OtherPeriod,
            (None, Role::Region) => apart = Some(Relation::OtherRegion),
            (None, _) => apart = apart.or(Some(Relation::OtherCategory)),
        }
    }
    apart.unwrap_or_else(|| if a == b { Relation::Same } else { Relation::Meet(meet) })
}

/// Whether a region lies in another: everything in the country, and what begins with a county's two
/// digits in the county. A municipality that is shown by itself is not among its county's other
/// municipalities.
fn lies_in(inner: &str, outer: &str) -> bool {
    outer == COUNTRY || (outer.len() == 2 && inner.len() > 2 && inner.starts_with(outer))
}

#[cfg(test)]
mod tests;
