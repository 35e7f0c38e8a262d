//! Privacy arithmetic: budgets in integers, sensitivity in integers, epsilon only for people.
//!
//! **Invariant:** a rounded figure errs on the safe side, and says so in its name. No function
//! here draws noise.
//!
//! Sources: Bun and Steinke 2016 (zCDP); Canonne, Kamath and Steinke 2020 (discrete Gaussian and
//! the conversion to epsilon and delta).

use serde::{Deserialize, Serialize};
use std::fmt;

/// A privacy loss in zero-concentrated differential privacy: integer millionths of rho.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rho(u64);

impl Rho {
    /// No loss.
    pub const ZERO: Self = Self(0);

    /// A loss of `micro` millionths.
    #[must_use]
    pub const fn from_micro(micro: u64) -> Self {
        Self(micro)
    }

    /// Millionths of rho.
    #[must_use]
    pub const fn micro(self) -> u64 {
        self.0
    }

    /// The sum of two losses; `None` on overflow.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// What is left of this budget after `spent`, never below zero.
    #[must_use]
    pub fn budget_left(self, spent: Self) -> Self {
        Self(self.0.saturating_sub(spent.0))
    }

    /// Rho as a real number.
    #[must_use]
    pub fn value(self) -> f64 {
        micro_to_f64(self.0)
    }

    /// The smallest rho that covers pure differential privacy: `epsilon^2 / 2`, rounded up to a
    /// millionth; `None` on overflow.
    #[must_use]
    pub fn of_pure_epsilon_ceil(epsilon: Epsilon) -> Option<Self> {
        let squared = u128::from(epsilon.0).checked_mul(u128::from(epsilon.0))?;
        u64::try_from(squared.div_ceil(2_000_000)).ok().map(Self)
    }

    /// Epsilon at `delta`, rounded up to a thousandth: for people, never for the ledger.
    ///
    /// For every order a > 1, rho-zCDP gives (epsilon, delta) with
    /// `epsilon = a rho + (ln(1/delta) + (a-1) ln(1-1/a) - ln a) / (a-1)`
    /// (Canonne, Kamath and Steinke 2020, proposition 12); the least over a grid of orders is
    /// taken, and any order is valid, so the figure is never too small.
    #[must_use]
    pub fn epsilon_ceil(self, delta: Delta) -> f64 {
        if self.0 == 0 {
            return 0.0;
        }
        let rho = self.value();
        let log_inverse_delta = -delta.value().ln();
        let at = |excess: f64| {
            let order = 1.0 + excess;
            let gain = excess * (excess / order).ln() - order.ln();
            order * rho + (log_inverse_delta + gain) / excess
        };
        let least = (-400..=800)
            .map(|step| at((f64::from(step) / 50.0).exp()))
            .fold(f64::INFINITY, f64::min);
        (least.max(0.0) * 1000.0).ceil() / 1000.0
    }
}

impl fmt::Display for Rho {
    /// As `0.125`: exact, in decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_micro(f, self.0)
    }
}

/// A pure differential-privacy loss: integer millionths of epsilon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epsilon(u64);

impl Epsilon {
    /// A loss of `micro` millionths.
    #[must_use]
    pub const fn from_micro(micro: u64) -> Self {
        Self(micro)
    }

    /// Millionths of epsilon.
    #[must_use]
    pub const fn micro(self) -> u64 {
        self.0
    }

    /// Epsilon as a real number.
    #[must_use]
    pub fn value(self) -> f64 {
        micro_to_f64(self.0)
    }
}

impl fmt::Display for Epsilon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_micro(f, self.0)
    }
}

/// The probability with which an epsilon may fail: ten to the minus `exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Delta(u8);

/// An exponent that no policy should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("delta is given as an exponent from 3 to 15: 6 stands for one in a million")]
pub struct BadDelta;

impl Delta {
    /// One in a million.
    pub const MICRO: Self = Self(6);

    /// Delta as a real number.
    #[must_use]
    pub fn value(self) -> f64 {
        10.0_f64.powi(-i32::from(self.0))
    }
}

impl TryFrom<u8> for Delta {
    type Error = BadDelta;
    fn try_from(exponent: u8) -> Result<Self, BadDelta> {
        if (3..=15).contains(&exponent) { Ok(Self(exponent)) } else { Err(BadDelta) }
    }
}

impl From<Delta> for u8 {
    fn from(delta: Delta) -> Self {
        delta.0
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1e-{}", self.0)
    }
}

/// How much one participant can change a table: the contribution bound and what follows from it.
///
/// At most `cells` cells, at most `per_cell` in each, at most `total` in all (participants, events
/// or contacts, as the table counts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "BoundFields", into = "BoundFields")]
pub struct Bound {
    cells: u32,
    per_cell: u32,
    total: u32,
}

/// How a bound is written; without `total` it is `cells * per_cell`.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundFields {
    cells: u32,
    per_cell: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u32>,
}

/// A bound that bounds nothing, or more than the arithmetic allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a bound needs 1 <= cells <= 10000, 1 <= per_cell <= 10000 and per_cell <= total <= cells * per_cell"
)]
pub struct BadBound;

impl Bound {
    /// A bound of `total` over at most `cells` cells, at most `per_cell` in each.
    ///
    /// # Errors
    /// [`BadBound`] if a part is zero, over 10,000, or `total` contradicts the others.
    pub fn new(cells: u32, per_cell: u32, total: u32) -> Result<Self, BadBound> {
        let range = 1..=10_000;
        let good = range.contains(&cells)
            && range.contains(&per_cell)
            && total >= per_cell
            && cells.checked_mul(per_cell).is_some_and(|most| total <= most);
        if good { Ok(Self { cells, per_cell, total }) } else { Err(BadBound) }
    }

    /// Cells that one participant can change, at the most (L0).
    #[must_use]
    pub fn cells(self) -> u32 {
        self.cells
    }

    /// Change of one cell by one participant, at the most (Linf).
    #[must_use]
    pub fn per_cell(self) -> u32 {
        self.per_cell
    }

    /// Sum of the absolute changes by one participant, at the most (L1).
    #[must_use]
    pub fn l1(self) -> u32 {
        self.total
    }

    /// Sum of the squared changes by one participant, at the most (L2 squared): as many full cells
    /// as the total pays for, and the rest in one more.
    #[must_use]
    pub fn l2_squared(self) -> u64 {
        let per_cell = u64::from(self.per_cell);
        let full = u64::from(self.total).checked_div(per_cell).unwrap_or(0);
        let rest = u64::from(self.total).checked_rem(per_cell).unwrap_or(0);
        // Below 10^4 * 10^8: no overflow.
        full.saturating_mul(per_cell.saturating_mul(per_cell))
            .saturating_add(rest.saturating_mul(rest))
    }
}

impl TryFrom<BoundFields> for Bound {
    type Error = BadBound;
    fn try_from(fields: BoundFields) -> Result<Self, BadBound> {
        let most = fields.cells.checked_mul(fields.per_cell).ok_or(BadBound)?;
        Self::new(fields.cells, fields.per_cell, fields.total.unwrap_or(most))
    }
}

impl From<Bound> for BoundFields {
    fn from(bound: Bound) -> Self {
        Self { cells: bound.cells, per_cell: bound.per_cell, total: Some(bound.total) }
    }
}

/// The privacy loss of one table: which noise, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "mechanism", rename_all = "snake_case", deny_unknown_fields)]
pub enum Loss {
    /// Discrete Gaussian noise; satisfies zCDP with this rho.
    DiscreteGaussian {
        /// Millionths of rho.
        rho_micro: Rho,
    },
    /// Discrete Laplace noise; satisfies pure differential privacy with this epsilon.
    DiscreteLaplace {
        /// Millionths of epsilon.
        epsilon_micro: Epsilon,
    },
}

impl Loss {
    /// What the ledger is charged; `None` if it is zero or too large to account for.
    #[must_use]
    pub fn charge(self) -> Option<Rho> {
        let rho = match self {
            Self::DiscreteGaussian { rho_micro } => Some(rho_micro),
            Self::DiscreteLaplace { epsilon_micro } => Rho::of_pure_epsilon_ceil(epsilon_micro),
        }?;
        // 100 rho protects nobody: a larger figure is a mistake, and is refused as one.
        if rho > Rho::ZERO && rho <= Rho::from_micro(100_000_000) { Some(rho) } else { None }
    }

    /// The noise scale that a table with this bound needs, as real arithmetic gives it:
    /// `L2 / sqrt(2 rho)` (sigma) or `L1 / epsilon` (b). The kernel takes its scale from the privacy
    /// map and may exceed this by rounding; a reader of releases checks against it.
    #[must_use]
    pub fn nominal_scale(self, bound: Bound) -> f64 {
        match self {
            Self::DiscreteGaussian { rho_micro } => {
                (u64_to_f64(bound.l2_squared()) / (2.0 * rho_micro.value())).sqrt()
            }
            Self::DiscreteLaplace { epsilon_micro } => {
                f64::from(bound.l1()) / epsilon_micro.value()
            }
        }
    }
}

fn write_micro(f: &mut fmt::Formatter<'_>, micro: u64) -> fmt::Result {
    let text = format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
    f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
}

fn micro_to_f64(micro: u64) -> f64 {
    u64_to_f64(micro) / 1e6
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "display and scale only; exact below 2^53"
)]
fn u64_to_f64(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::{Bound, Delta, Epsilon, Loss, Rho};

    #[test]
    fn epsilon_at_a_delta_is_known_and_never_too_small() {
        // The plain bound rho + 2 sqrt(rho ln(1/delta)) is looser; half of it would be false.
        for micro in [1, 1_000, 50_000, 125_000, 750_000, 2_000_000, 10_000_000] {
            let rho = Rho::from_micro(micro);
            let plain = rho.value() + 2.0 * (rho.value() * 1e6_f64.ln()).sqrt();
            let shown = rho.epsilon_ceil(Delta::MICRO);
            assert!(shown <= plain + 0.001, "{micro}: {shown} over {plain}");
            assert!(shown >= 0.5 * plain - 0.01, "{micro}: {shown} far under {plain}");
        }
        assert!((Rho::from_micro(500_000).epsilon_ceil(Delta::MICRO) - 5.4).abs() < 0.3);
    }

    #[test]
    fn pure_loss_is_charged_rounded_up() {
        let charge = |micro| Rho::of_pure_epsilon_ceil(Epsilon::from_micro(micro)).map(Rho::micro);
        assert_eq!(charge(1_000_000), Some(500_000));
        assert_eq!(charge(1), Some(1));
        assert_eq!(charge(100_001), Some(5_001));
        assert_eq!(charge(u64::MAX), None);
    }

    #[test]
    fn sensitivity_follows_from_the_bound() {
        let check = |cells, per_cell, total, l1, l2| {
            let bound = Bound::new(cells, per_cell, total).expect("a bound");
            assert_eq!((bound.l1(), bound.l2_squared()), (l1, l2));
        };
        check(1, 1, 1, 1, 1);
        check(3, 1, 3, 3, 3);
        check(6, 13, 78, 78, 1014);
        check(5, 5, 5, 5, 25);
        check(3, 2, 5, 5, 9);
        assert!(
            Bound::new(0, 1, 1).is_err()
                && Bound::new(2, 1, 3).is_err()
                && Bound::new(1, 0, 0).is_err()
        );
    }

    #[test]
    fn a_loss_of_nothing_or_of_everything_is_none() {
        let gaussian =
            |micro| Loss::DiscreteGaussian { rho_micro: Rho::from_micro(micro) }.charge();
        assert_eq!(gaussian(0), None);
        assert_eq!(gaussian(u64::MAX), None);
        assert_eq!(gaussian(125_000), Some(Rho::from_micro(125_000)));
    }
}
