//! A line with a band over ordered categories.
//!
//! **Invariant:** a line is not drawn across a category that has no figure.

use super::{Chart, ChartError, LINE, Pen, Point, SOFT, Size, colour};
use plotters::style::text_anchor::HPos;

const TOP: i32 = 34;
const FOOT: i32 = 34;

pub(super) fn height(size: Size) -> i32 {
    if size == Size::Wide { 400 } else { 270 }
}

pub(super) fn draw(chart: &Chart, pen: &mut Pen, height: i32) -> Result<(), ChartError> {
    let size = pen.size;
    let axis = chart.axis(size);
    let widest = axis.marks().map(|value| chart.said(value, axis.step).chars().count()).max();
    let left = 16 + i32::try_from(widest.unwrap_or(1)).unwrap_or(1) * 9;
    let (right, floor) = (size.width() - 26, height - FOOT);
    for value in axis.marks() {
        let y = axis.place(value, floor, TOP);
        pen.line((left, y), (right, y), LINE, 1)?;
        pen.text(&chart.said(value, axis.step), (left - 8, y), HPos::Right, SOFT)?;
    }
    pen.text(&chart.unit, (6, 12), HPos::Left, SOFT)?;
    let count = i32::try_from(chart.categories.len()).unwrap_or(1).max(1);
    let x = |place: usize| {
        let place = i32::try_from(place).unwrap_or_default();
        left + (right - left) * (2 * place + 1) / (2 * count)
    };
    let longest = chart.categories.iter().map(|category| category.chars().count()).max();
    let room = (right - left) / count;
    let wanted = i32::try_from(longest.unwrap_or(1)).unwrap_or(1) * 9 + 10;
    let every = usize::try_from((wanted + room - 1) / room.max(1)).unwrap_or(1).max(1);
    for (place, category) in chart.categories.iter().enumerate() {
        pen.line((x(place), floor), (x(place), floor + 5), SOFT, 1)?;
        if place % every == 0 {
            pen.text(category, (x(place), floor + 20), HPos::Center, SOFT)?;
        }
    }
    for (number, series) in chart.series.iter().enumerate() {
        for run in runs(&series.points) {
            let at = |place: usize, value: f64| (x(place), axis.place(value, floor, TOP));
            let upper = run.iter().map(|(place, point)| at(*place, point.upper));
            let lower = run.iter().rev().map(|(place, point)| at(*place, point.lower));
            if run.len() > 1 {
                pen.area(upper.chain(lower).collect(), colour(number), 0.18)?;
            }
            for (place, point) in &run {
                pen.line(at(*place, point.lower), at(*place, point.upper), colour(number), 1)?;
            }
            let values = run.iter().map(|(place, point)| at(*place, point.value));
            pen.path(values.clone().collect(), colour(number), 2)?;
            for value in values {
                pen.mark(number, value)?;
            }
        }
    }
    Ok(())
}

/// The points of a series, parted where one is missing.
fn runs(points: &[Option<Point>]) -> Vec<Vec<(usize, Point)>> {
    let mut runs: Vec<Vec<(usize, Point)>> = vec![Vec::new()];
    for (place, point) in points.iter().enumerate() {
        match (point, runs.last_mut()) {
            (Some(point), Some(run)) => run.push((place, *point)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}
