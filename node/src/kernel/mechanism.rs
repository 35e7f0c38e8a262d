//! Noise: the one module that uses opendp, and the one door from an exact table to a noisy one.
//!
//! **Invariant:** an exact table goes in by value and never comes out. There is no mechanism that
//! adds nothing, no seed, no second draw, and no scale that was not checked against opendp's privacy
//! map.
//!
//! Sources: Canonne, Kamath and Steinke 2020 (discrete Gaussian); Ghosh, Roughgarden and
//! Sundararajan 2012 (discrete Laplace, also called geometric); Bun and Steinke 2016 (zCDP).

use super::ledger::TableGrant;
use super::raw::Raw;
use fellestall_shared::limits::CELL_MAGNITUDE;
use fellestall_shared::privacy::{Bound, Loss, Rho};
use fellestall_shared::secure::noise::ShareNoise;
use opendp::core::{Measure, Measurement, Metric, MetricSpace};
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::error::Fallible;
use opendp::measurements::{make_gaussian, make_laplace};
use opendp::measures::{MaxDivergence, ZeroConcentratedDivergence};
use opendp::metrics::{L1Distance, L2Distance};

mod share;

/// The domain of a table: integers, as many as there are cells.
type Cells = VectorDomain<AtomDomain<i64>>;

/// Steps of one unit in the last place that the scale may need above its nominal value.
const SCALE_STEPS: usize = 64;

/// What is asked of one exact table: noise of the node's own, a share of the noise of all, or both.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// The loss of a table that is released as it is.
    pub(super) local: Option<Loss>,
    /// The noise of a table of which only the sum over nodes is seen.
    pub(super) shared: Option<ShareNoise>,
}

/// What an exact table became: one part for each part of [`Asked`].
pub(super) struct Noised {
    /// The table with the node's own noise.
    pub(super) local: Option<Local>,
    /// `factor * count + share of the noise` for each cell. Only the sum over nodes has the guarantee
    /// of the study; on its own this has the weaker one of one share, and goes out split and sealed.
    pub(super) shared: Option<Vec<i64>>,
}

/// A noisy table.
pub(super) struct Local {
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
    /// Shared noise that was made for another bound or another number of cells.
    #[error("the shared noise is not that of the counted table; this is a defect of the program")]
    Table,
    /// Another number of values came out than went in.
    #[error("the mechanism changed the number of cells")]
    Length,
    /// A noisy value beyond what a cell may hold: a sum downstream could overflow.
    #[error("a noisy value is beyond the limit of a cell; nothing was released")]
    Magnitude,
}

/// Adds noise to every cell of an exact table, and spends the grant. Both noises of a table that has
/// two are drawn apart from one another.
///
/// # Errors
/// [`MechanismError`]; the table and the grant are gone either way.
///
/// # Privacy
/// P2: for a table whose `bound` was enforced while counting, the local result satisfies zCDP with the
/// rho of a discrete Gaussian loss, or pure differential privacy with the epsilon of a discrete Laplace
/// loss, per participant added or removed. The cost that opendp's privacy map gives for the scale
/// used (rounded up) is at most the loss (rounded down). The shared result satisfies what
/// [`ShareNoise::rho`] says of one share, and a sum with as many honest shares as its sharing asks for
/// satisfies its loss. Both losses together are at most the grant. Only the noisy values are looked at
/// afterwards, so that an error too is covered by that claim.
pub(super) fn apply(raw: Raw, asked: Asked, grant: TableGrant) -> Result<Noised, MechanismError> {
    if charge(&asked)? > grant.spend() {
        return Err(MechanismError::Grant);
    }
    let (cells, bound) = raw.into_parts();
    let local = asked.local.map(|loss| local(&cells, bound, loss)).transpose()?;
    let shared = match asked.shared {
        Some(noise) if noise.bound() != bound || noise.cells() != cells.len() => {
            return Err(MechanismError::Table);
        }
        Some(noise) => Some(share::share(&cells, &noise)?),
        None => None,
    };
    Ok(Noised { local, shared })
}

/// What all that is asked for costs together: losses compose by adding up (Bun and Steinke 2016).
fn charge(asked: &Asked) -> Result<Rho, MechanismError> {
    let losses = [asked.local, asked.shared.map(|noise| noise.loss())];
    let costs = losses.into_iter().flatten().map(Loss::charge);
    let sum =
        costs.into_iter().try_fold(Rho::ZERO, |sum, cost| cost.and_then(|cost| sum.plus(cost)));
    sum.filter(|sum| *sum > Rho::ZERO).ok_or(MechanismError::Loss)
}

fn local(cells: &Vec<i64>, bound: Bound, loss: Loss) -> Result<Local, MechanismError> {
    let nominal = loss.nominal_scale(bound);
    let (measured, scale) = match loss {
        Loss::DiscreteGaussian { rho_micro } => {
            draw(gaussian(cells.len()), &l2_ceil(bound), floor(rho_micro.value()), nominal, cells)
        }
        Loss::DiscreteLaplace { epsilon_micro } => {
            let l1 = i64::from(bound.l1());
            draw(laplace(cells.len()), &l1, floor(epsilon_micro.value()), nominal, cells)
        }
    }?;
    Ok(Local { values: checked(measured, cells.len())?, scale })
}

/// Values that are as many as the cells, and that a sum downstream can hold.
fn checked(values: Vec<i64>, cells: usize) -> Result<Vec<i64>, MechanismError> {
    if values.len() != cells {
        return Err(MechanismError::Length);
    }
    let limit = CELL_MAGNITUDE.unsigned_abs();
    if values.iter().any(|value| value.unsigned_abs() > limit) {
        return Err(MechanismError::Magnitude);
    }
    Ok(values)
}

/// A measurement with its scale.
type Scaled<MI, MO> = (Measurement<Cells, MI, MO, Vec<i64>>, f64);
type Gaussian = Measurement<Cells, L2Distance<f64>, ZeroConcentratedDivergence, Vec<i64>>;
type Laplace = Measurement<Cells, L1Distance<i64>, MaxDivergence, Vec<i64>>;

/// Discrete Gaussian noise on so many cells, at a scale that is still to be given.
fn gaussian(cells: usize) -> impl Fn(f64) -> Fallible<Gaussian> {
    move |scale| make_gaussian(domain(cells), L2Distance::default(), scale, None)
}

/// Discrete Laplace noise on so many cells, at a scale that is still to be given.
fn laplace(cells: usize) -> impl Fn(f64) -> Fallible<Laplace> {
    move |scale| make_laplace(domain(cells), L1Distance::default(), scale, None)
}

fn domain(cells: usize) -> Cells {
    VectorDomain::new(AtomDomain::default()).with_size(cells)
}

/// Builds the measurement at the first scale, from `nominal` upwards, whose cost is at most `limit`,
/// and draws once; gives the values, and the scale.
///
/// A scale of 0 would give exact data; its cost is infinite, so that it never gets to be used.
fn draw<MI, MO>(
    make: impl Fn(f64) -> Fallible<Measurement<Cells, MI, MO, Vec<i64>>>,
    sensitivity: &MI::Distance,
    limit: f64,
    nominal: f64,
    cells: &Vec<i64>,
) -> Result<(Vec<i64>, f64), MechanismError>
where
    MI: Metric,
    MO: Measure<Distance = f64>,
    (Cells, MI): MetricSpace,
{
    let (measurement, scale) = measurement(make, sensitivity, limit, nominal)?;
    let values = measurement.invoke(cells).map_err(|_| MechanismError::Random)?;
    Ok((values, scale))
}

/// The measurement at the first scale, from `nominal` upwards, whose cost is at most `limit`.
fn measurement<MI, MO>(
    make: impl Fn(f64) -> Fallible<Measurement<Cells, MI, MO, Vec<i64>>>,
    sensitivity: &MI::Distance,
    limit: f64,
    nominal: f64,
) -> Result<Scaled<MI, MO>, MechanismError>
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
            return Ok((measurement, scale));
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
