//! The chart of a selection: which dimension is its axis, which its series.
//!
//! **Invariant:** shows figures of the selection and says which of them it leaves out.

use super::{capital, said};
use crate::databank::{Measure, Role};
use crate::present::TableKind;
use crate::web::answer::Trouble;
use crate::web::chart::{
    Alternative, Chart, MOST_CATEGORIES, MOST_SERIES, Point, Series, Shape, Size,
};
use crate::web::selection::Selection;
use crate::web::words::Table;

/// A chart, drawn.
pub(super) struct Picture {
    /// The chart for screens and paper, and for telephones.
    pub drawings: [String; 2],
    /// The mark and name of each series, if there is more than one.
    pub legend: Vec<(String, String)>,
    /// What all points have in common.
    pub about: String,
    /// Whether figures of the selection are not in it.
    pub is_part: bool,
}

/// The dimensions of a chart, by their places.
struct Axes {
    axis: usize,
    series: Option<usize>,
    shape: Shape,
}

impl Picture {
    /// The chart; `None` if there is no figure to draw.
    pub(super) fn of(selection: &Selection, w: &Table) -> Result<Option<Self>, Trouble> {
        let Some(axes) = axes(selection) else { return Ok(None) };
        let values = |place: usize, most: usize| -> Vec<usize> {
            selection.chosen.get(place).into_iter().flatten().copied().take(most).collect()
        };
        let categories = values(axes.axis, MOST_CATEGORIES);
        let series = axes.series.map_or_else(Vec::new, |place| values(place, MOST_SERIES));
        let chart = chart(selection, &axes, &categories, &series);
        if chart.series.iter().all(|series| series.points.iter().all(Option::is_none)) {
            return Ok(None);
        }
        let drawn = categories.len() * series.len().max(1);
        let about = about(selection, &axes);
        let title = format!("{}. {about}", selection.cube.title.text(selection.language));
        let description = if axes.shape == Shape::Line { &w.line_text } else { &w.dots_text };
        let text = Alternative { title: &title, description };
        let drawings = [chart.draw(Size::Wide, text)?, chart.draw(Size::Narrow, text)?];
        let mut legend = Vec::new();
        if chart.series.len() > 1 {
            for (number, series) in chart.series.iter().enumerate() {
                legend.push((Chart::key(number)?, series.name.clone()));
            }
        }
        Ok(Some(Self { drawings, legend, about, is_part: drawn < selection.len() }))
    }
}

/// The axis is time if several periods are chosen, or the months of a curve, or else the longest
/// dimension; the series are the longest of the others.
fn axes(selection: &Selection) -> Option<Axes> {
    let several = |role: Option<Role>| {
        let all = selection.dimensions();
        let all = all.filter(move |(_, dimension, chosen)| {
            chosen.len() > 1 && role.is_none_or(|role| dimension.role == role)
        });
        all.map(|(place, _, chosen)| (place, chosen.len())).collect::<Vec<_>>()
    };
    let longest = |found: Vec<(usize, usize)>, but: Option<usize>| {
        let found = found.into_iter().filter(|(place, _)| Some(*place) != but);
        // Of two that are equally long, the first.
        found.rev_max()
    };
    let category = longest(several(Some(Role::Category)), None);
    let axis = if selection.cube.kind == TableKind::Survival { category } else { None }
        .or_else(|| longest(several(Some(Role::Time)), None));
    let (axis, shape) = if let Some(axis) = axis {
        (axis, Shape::Line)
    } else {
        let any = longest(several(None), None);
        (any.or_else(|| selection.dimensions().next().map(|(place, _, _)| place))?, Shape::Dots)
    };
    Some(Axes { axis, series: longest(several(None), Some(axis)), shape })
}

/// The place with the largest length; of equals the first.
trait RevMax {
    fn rev_max(self) -> Option<usize>;
}

impl<I: Iterator<Item = (usize, usize)>> RevMax for I {
    fn rev_max(self) -> Option<usize> {
        let larger =
            |best: (usize, usize), one: (usize, usize)| if one.1 > best.1 { one } else { best };
        self.reduce(larger).map(|(place, _)| place)
    }
}

fn chart(selection: &Selection, axes: &Axes, categories: &[usize], series: &[usize]) -> Chart {
    let language = selection.language;
    let point = |category: usize, series: Option<usize>| {
        let mut at = selection.at(0);
        let mut set = |place: usize, value: usize| {
            if let Some(slot) = at.get_mut(place) {
                *slot = value;
            }
        };
        set(axes.axis, category);
        if let (Some(place), Some(value)) = (axes.series, series) {
            set(place, value);
        }
        let number = |measure: Measure| Some(selection.cell(&at, measure).value?.value());
        Some(Point {
            value: number(Measure::Shown)?,
            lower: number(Measure::Lower)?,
            upper: number(Measure::Upper)?,
        })
    };
    let one = |series: Option<usize>| Series {
        name: match (axes.series, series) {
            (Some(place), Some(value)) => label(selection, place, value),
            _ => selection.cube.figure.label.text(language).to_owned(),
        },
        points: categories.iter().map(|category| point(*category, series)).collect(),
    };
    let is_time = |place: usize| {
        selection.cube.dimensions.get(place).is_some_and(|dimension| dimension.role == Role::Time)
    };
    let category = |value: &usize| match (axes.shape, is_time(axes.axis)) {
        // Under a line there is room for a code alone.
        (Shape::Line, true) => selection.label(axes.axis, *value).to_owned(),
        _ => label(selection, axes.axis, *value),
    };
    Chart {
        shape: axes.shape,
        categories: categories.iter().map(category).collect(),
        series: if series.is_empty() {
            vec![one(None)]
        } else {
            series.iter().map(|value| one(Some(*value))).collect()
        },
        unit: capital(selection.cube.figure.unit.text(language)),
        decimals: selection.cube.figure.decimals,
        language,
    }
}

fn label(selection: &Selection, place: usize, value: usize) -> String {
    let Some(dimension) = selection.cube.dimensions.get(place) else { return String::new() };
    let code = dimension.values.get(value).map_or("", |value| value.code.as_str());
    said(dimension.role, code, selection.label(place, value), selection.language)
}

/// The values of the dimensions that are neither axis nor series.
fn about(selection: &Selection, axes: &Axes) -> String {
    let fixed = selection
        .dimensions()
        .filter(|(place, _, _)| *place != axes.axis && Some(*place) != axes.series);
    let said: Vec<String> = fixed
        .filter_map(|(place, _, chosen)| Some(label(selection, place, *chosen.first()?)))
        .collect();
    said.join(" · ")
}
