//! Noise: the one module that uses opendp, and the one door from an exact table to a noisy one.
//!
//! **Invariant:** an exact table goes in by value and never comes out. There is no mechanism that
//! adds nothing, no seed, and no scale that was not checked against opendp's privacy map.
//!
//! Sources: Canonne, Kamath and Steinke 2020 (discrete Gaussian); Ghosh, Roughgarden and
//! Sundararajan 2012 (discrete Laplace, also called geometric); Bun and Steinke 2016 (zCDP).

use super::ledger::TableGrant;
use super::raw::Raw;
use fellestall_shared::limits::CELL_MAGNITUDE;
use fellestall_shared::privacy::{Bound, Loss};
use opendp::core::{Measure, Measurement, Metric, MetricSpace};
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::error::Fallible;
use opendp::measurements::{make_gaussian, make_laplace};
use opendp::measures::{MaxDivergence, ZeroConcentratedDivergence};
use opendp::metrics::{L1Distance, L2Distance};

/// The domain of a table: integers, as many as there are cells.
type Cells = VectorDomain<AtomDomain<i64>>;

/// Steps of one unit in the last place that the scale may need above its nominal value.
const SCALE_STEPS: usize = 64;

/// A noisy table.
pub(super) struct Noised {
    /// One value for each cell; may be negative.
    pub(super) values: Vec<i64>,
    /// The scale of the noise: sigma, or b for discrete Laplace.
    pub(super) scale: f64,
}

/// Why there is no noisy table. None of it depends on records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MechanismError {
    /// A loss of nothing, or of everything.
    #[error("the privacy loss of a table is outside what can be accounted for")]
    Loss,
    /// The table costs more than was granted for it.
    #[error("the table costs more privacy than the ledger granted for it")]
    Grant,
    /// No scale near the nominal one keeps to the loss.
    #[error("no noise scale keeps to the privacy loss asked for")]
    Scale,
    /// The random source failed.
    #[error("the system's random source failed; nothing was released")]
    Random,
    /// Another number of values came out than went in.
    #[error("the mechanism changed the number of cells")]
    Length,
    /// A noisy value beyond what a cell may hold: a sum downstream could overflow.
    #[error("a noisy value is beyond the limit of a cell; nothing was released")]
    Magnitude,
}

/// Adds noise to every cell of an exact table, and spends the grant.
///
/// # Errors
/// [`MechanismError`]; the table and the grant are gone either way.
///
/// # Privacy
/// P2: for a table whose `bound` was enforced while counting, the result satisfies zCDP with the rho
/// of a discrete Gaussian loss, or pure differential privacy with the epsilon of a discrete Laplace
/// loss, per participant added or removed. The cost that opendp's privacy map gives for the scale
/// used (rounded up) is at most the loss (rounded down), and the loss is at most the grant. Only the
/// noisy values are looked at afterwards, so that an error too is covered by that claim.
pub(super) fn apply(raw: Raw, loss: Loss, grant: TableGrant) -> Result<Noised, MechanismError> {
    let charge = loss.charge().ok_or(MechanismError::Loss)?;
    if charge > grant.spend() {
        return Err(MechanismError::Grant);
    }
    let (cells, bound) = raw.into_parts();
    let nominal = loss.nominal_scale(bound);
    let domain = || VectorDomain::new(AtomDomain::default()).with_size(cells.len());
    let noised = match loss {
        Loss::DiscreteGaussian { rho_micro } => {
            let make = |scale| {
                make_gaussian::<Cells, _, ZeroConcentratedDivergence>(
                    domain(),
                    L2Distance::<f64>::default(),
                    scale,
                    None,
                )
            };
            draw(make, &l2_ceil(bound), floor(rho_micro.value()), nominal, &cells)
        }
        Loss::DiscreteLaplace { epsilon_micro } => {
            let make = |scale| {
                make_laplace::<Cells, _, MaxDivergence>(
                    domain(),
                    L1Distance::<i64>::default(),
                    scale,
                    None,
                )
            };
            draw(make, &i64::from(bound.l1()), floor(epsilon_micro.value()), nominal, &cells)
        }
    }?;
    if noised.values.len() != cells.len() {
        return Err(MechanismError::Length);
    }
    let limit = CELL_MAGNITUDE.unsigned_abs();
    if noised.values.iter().any(|value| value.unsigned_abs() > limit) {
        return Err(MechanismError::Magnitude);
    }
    Ok(noised)
}

/// Builds the measurement at the first scale, from `nominal` upwards, whose cost is at most `limit`,
/// and draws once.
///
/// A scale of 0 would give exact data; its cost is infinite, so that it never gets to be used.
fn draw<MI, MO>(
    make: impl Fn(f64) -> Fallible<Measurement<Cells, MI, MO, Vec<i64>>>,
    sensitivity: &MI::Distance,
    limit: f64,
    nominal: f64,
    cells: &Vec<i64>,
) -> Result<Noised, MechanismError>
where
    MI: Metric,
    MO: Measure<Distance = f64>,
    (Cells, MI): MetricSpace,
{
    let mut scale = nominal;
    for _ in 0..SCALE_STEPS {
        if !(scale.is_finite() && scale > 0.0) {
            return Err(MechanismError::Scale);
        }
        let measurement = make(scale).map_err(|_| MechanismError::Scale)?;
        let cost = measurement.map(sensitivity).map_err(|_| MechanismError::Scale)?;
        if cost.is_finite() && cost <= limit {
            let values = measurement.invoke(cells).map_err(|_| MechanismError::Random)?;
            return Ok(Noised { values, scale });
        }
        scale = scale.next_up();
    }
    Err(MechanismError::Scale)
}

/// A loss in real arithmetic that is never above the integer it came from: the division by a million
/// is off by half a unit in the last place at the most.
fn floor(loss: f64) -> f64 {
    loss.next_down()
}

/// The L2 sensitivity, never too small: exact where the square root is an integer, else rounded up.
fn l2_ceil(bound: Bound) -> f64 {
    let squared = bound.l2_squared();
    let root = squared.isqrt();
    // A root is at most 10^6.
    let real = u32::try_from(root).map_or(f64::INFINITY, f64::from);
    if root.checked_mul(root) == Some(squared) {
        return real;
    }
    let fraction = squared.saturating_sub(root.saturating_mul(root));
    // sqrt(r^2 + f) from exact integers below 2^53; the square root is correctly rounded (IEEE 754).
    let fraction = u32::try_from(fraction).map_or(f64::INFINITY, f64::from);
    real.mul_add(real, fraction).sqrt().next_up()
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "draws and their numbers are far below 2^53")]
mod tests;
