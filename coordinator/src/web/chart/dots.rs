//! A dot with a bar for every category, one row each.
//!
//! **Invariant:** every bar begins and ends where its interval does.

use super::{Chart, ChartError, INK, LINE, Pen, SOFT, Size, colour, wrapped};
use plotters::style::text_anchor::HPos;

/// The widest column of labels.
const LABELS: i32 = 290;
const TOP: i32 = 12;
const FOOT: i32 = 52;
const BETWEEN: i32 = 18;

fn lines(size: Size, category: &str) -> Vec<String> {
    let room = if size == Size::Wide { LABELS - 10 } else { size.width() };
    wrapped(category, size.fits(room), 3)
}

fn row(chart: &Chart, size: Size, category: &str) -> i32 {
    let count = |length: usize| i32::try_from(length).unwrap_or_default();
    let text = count(lines(size, category).len()) * size.line();
    let bars = count(chart.series.len()) * BETWEEN;
    let row = if size == Size::Wide { text.max(bars) } else { text + bars };
    row + 12
}

pub(super) fn height(chart: &Chart, size: Size) -> i32 {
    TOP + FOOT + chart.categories.iter().map(|category| row(chart, size, category)).sum::<i32>()
}

pub(super) fn draw(chart: &Chart, pen: &mut Pen, height: i32) -> Result<(), ChartError> {
    let size = pen.size;
    let longest = chart.categories.iter().map(|category| category.chars().count()).max();
    let longest = i32::try_from(longest.unwrap_or_default()).unwrap_or(LABELS);
    let labels = longest.saturating_mul(9).saturating_add(24).clamp(80, LABELS);
    let left = if size == Size::Wide { labels } else { 12 };
    let right = size.width() - 24;
    let floor = height - FOOT;
    let axis = chart.axis(size);
    for value in axis.marks() {
        let x = axis.place(value, left, right);
        let colour = if value.abs() < axis.step / 1e3 { SOFT } else { LINE };
        pen.line((x, TOP), (x, floor), colour, 1)?;
        pen.text(&chart.said(value, axis.step), (x, floor + 16), HPos::Center, SOFT)?;
    }
    pen.text(&chart.unit, (i32::midpoint(left, right), floor + 38), HPos::Center, SOFT)?;
    let mut top = TOP;
    for (place, category) in chart.categories.iter().enumerate() {
        let row = row(chart, size, category);
        let texts = lines(size, category);
        let text = i32::try_from(texts.len()).unwrap_or_default() * size.line();
        let bars = i32::try_from(chart.series.len()).unwrap_or_default() * BETWEEN;
        let is_wide = size == Size::Wide;
        let mut y = if is_wide { top + (row - text) / 2 } else { top + 4 } + size.line() / 2;
        for line in texts {
            let (x, anchor) =
                if is_wide { (left - 14, HPos::Right) } else { (left - 6, HPos::Left) };
            pen.text(&line, (x, y), anchor, INK)?;
            y += size.line();
        }
        let mut y = if is_wide { top + (row - bars) / 2 } else { top + 4 + text } + BETWEEN / 2;
        for (number, series) in chart.series.iter().enumerate() {
            if let Some(point) = series.points.get(place).copied().flatten() {
                let x = |value: f64| axis.place(value, left, right);
                let (lower, upper) = (x(point.lower), x(point.upper));
                let ink = colour(number);
                pen.line((lower, y), (upper, y), ink, 2)?;
                for end in [lower, upper] {
                    pen.line((end, y - 5), (end, y + 5), ink, 2)?;
                }
                pen.mark(number, (x(point.value), y))?;
            }
            y += BETWEEN;
        }
        top += row;
    }
    Ok(())
}
