//! Weighted least squares under sums: the one optimisation behind every presented count.
//!
//! Finds the `x` closest to measured values `y`, each weighed by its precision (one over the
//! variance of its noise), such that given sums hold and cells are not negative:
//! minimise `sum_j p_j (x_j - y_j)^2` over `x` with `sum of plus - minus = value` for every sum and
//! `x_j >= 0` for the first `bounded` variables.
//!
//! The method is ascent in the dual, one sum at a time: the optimum has the form
//! `x_j = max(0, y_j + (multipliers of the sums that j is in) / p_j)`, and the multiplier that makes
//! one sum hold, the others given, is the root of a rising, convex, piecewise linear function, which
//! Newton's steps reach in finitely many. Hildreth's and Dykstra's projections are the same idea
//! (Hildreth 1957; Boyle and Dykstra 1986; Bertsekas, Nonlinear Programming, 6.4); here the bound at
//! 0 is part of each step.
//!
//! **Invariant:** no chance, no clock and a bounded number of steps: the same measurements give the
//! same answer on every machine, bit for bit, since only additions, multiplications and divisions
//! are used, in one order.

/// Passes over all sums, at the most; in large problems fewer, so that each has about as many steps
/// as its size allows in a second. An iterate that has not arrived is near the optimum, and the
/// rounding after it keeps every sum exactly.
const PASSES: usize = 1_500;
/// Passes over all sums of a large problem.
const FEWEST: usize = 200;
/// Terms that are looked at in all passes.
const TERMS: usize = 40_000_000;
/// Newton steps for one sum, at the most.
const STEPS: usize = 64;
/// A sum holds when it is off by no more than this.
const EXACT: f64 = 1e-7;

/// Variables, what was measured of them, and what must hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Problem {
    /// What was measured.
    pub measured: Vec<f64>,
    /// One over the variance of each measurement's noise; above 0.
    pub precision: Vec<f64>,
    /// The first so many variables may not be negative.
    pub bounded: usize,
    /// What must hold.
    pub sums: Vec<Sum>,
}

/// `sum of plus - minus = value`. A `minus` variable is not bounded.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    /// Variables that are added.
    pub plus: Vec<usize>,
    /// A variable that the others add up to.
    pub minus: Option<usize>,
    /// What the sum is.
    pub value: f64,
}

impl Problem {
    /// The optimum. The sums must have a common solution; if they do not, the last iterate.
    pub(super) fn solve(&self) -> Vec<f64> {
        // `free` is the optimum's argument before it is cut off at 0.
        let mut free = self.measured.clone();
        let terms: usize = self.sums.iter().map(|sum| sum.plus.len()).sum();
        let passes = (TERMS / terms.max(1)).clamp(FEWEST, PASSES);
        for _ in 0..passes {
            let mut worst = 0.0_f64;
            for sum in &self.sums {
                worst = worst.max(self.meet(sum, &mut free));
            }
            if worst <= EXACT {
                break;
            }
        }
        let bounded = self.bounded;
        let cut = |(at, value): (usize, f64)| if at < bounded { value.max(0.0) } else { value };
        free.into_iter().enumerate().map(cut).collect()
    }

    /// Moves one multiplier so that its sum holds; how far off it was.
    fn meet(&self, sum: &Sum, free: &mut [f64]) -> f64 {
        let (first, _) = self.excess(sum, free, 0.0);
        let mut step = 0.0;
        for _ in 0..STEPS {
            let (excess, slope) = self.excess(sum, free, step);
            if excess.abs() <= EXACT * 1e-3 {
                break;
            }
            if slope > 0.0 {
                step -= excess / slope;
            } else if excess < 0.0 {
                // Every variable is at 0: up to where the first of them leaves it.
                step = self.first_to_leave(sum, free);
            } else {
                break;
            }
        }
        for at in &sum.plus {
            let move_by = step / self.precision(*at);
            if let Some(value) = free.get_mut(*at) {
                *value += move_by;
            }
        }
        if let Some(at) = sum.minus {
            let move_by = step / self.precision(at);
            if let Some(value) = free.get_mut(at) {
                *value -= move_by;
            }
        }
        first.abs()
    }

    /// How far the sum is above its value after a step of its multiplier, and how fast that grows.
    fn excess(&self, sum: &Sum, free: &[f64], step: f64) -> (f64, f64) {
        let (mut excess, mut slope) = (-sum.value, 0.0);
        for at in &sum.plus {
            let weight = 1.0 / self.precision(*at);
            let value = free.get(*at).copied().unwrap_or(0.0) + step * weight;
            if *at >= self.bounded || value >= 0.0 {
                excess += value;
                slope += weight;
            }
        }
        if let Some(at) = sum.minus {
            let weight = 1.0 / self.precision(at);
            excess -= free.get(at).copied().unwrap_or(0.0) - step * weight;
            slope += weight;
        }
        (excess, slope)
    }

    fn first_to_leave(&self, sum: &Sum, free: &[f64]) -> f64 {
        let leaves = |at: &usize| -free.get(*at).copied().unwrap_or(0.0) * self.precision(*at);
        let first = sum.plus.iter().map(leaves).fold(f64::INFINITY, f64::min);
        if first.is_finite() { first } else { 0.0 }
    }

    fn precision(&self, at: usize) -> f64 {
        self.precision.get(at).copied().unwrap_or(1.0)
    }
}
