//! An interval as a line: small pictures that stand beside the same numbers in text.
//!
//! **Invariant:** decoration alone: without the picture a reader misses no fact.

use super::Row;
use std::fmt::Write as _;

const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 14.0;
/// Left and right of the scale, so that a mark at its end is whole.
const MARGIN: f64 = 4.0;

/// The scale that all rows of a table share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// From 0, or the lowest limit below it, to the highest limit; `None` if there is nothing to show.
    pub(super) fn of(rows: &[Row]) -> Option<Self> {
        let ends = || rows.iter().flat_map(|row| [row.lower, row.upper, row.shown]).flatten();
        let low = ends().map(super::Fixed::value).fold(0.0, f64::min);
        let high = ends().map(super::Fixed::value).fold(0.0, f64::max);
        (high > low).then_some(Self { low, high })
    }

    fn place(self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        MARGIN + share.clamp(0.0, 1.0) * (WIDTH - 2.0 * MARGIN)
    }
}

/// The picture of one row, as SVG; empty if the row has no interval.
pub(super) fn interval(scale: Scale, row: &Row) -> String {
    let (Some(shown), Some(lower), Some(upper)) = (row.shown, row.lower, row.upper) else {
        return String::new();
    };
    let [zero, from, to, at] =
        [0.0, lower.value(), upper.value(), shown.value()].map(|value| scale.place(value));
    let middle = HEIGHT / 2.0;
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _infallible = write!(
        svg,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" aria-hidden=\"true\" focusable=\"false\">\
         <line class=\"zero\" x1=\"{zero:.1}\" y1=\"0\" x2=\"{zero:.1}\" y2=\"{HEIGHT}\"/>\
         <line class=\"reach\" x1=\"{from:.1}\" y1=\"{middle}\" x2=\"{to:.1}\" y2=\"{middle}\"/>\
         <circle class=\"dot\" cx=\"{at:.1}\" cy=\"{middle}\" r=\"3.2\"/></svg>"
    );
    svg
}
