//! Charts with intervals, as SVG within a page.
//!
//! A dot with a bar for every category, or a line with a band over time. Colours are placeholders
//! that the stylesheet replaces, so that a chart is right in light, in dark and on paper; series
//! differ in their marks too. Each chart is drawn wide and narrow, and the stylesheet shows one.
//!
//! **Invariant:** nothing is drawn that is not in the numbers beside it, every text is escaped, and an
//! interval is always drawn with its value.

use super::say;
use fellestall_shared::labels::Language;
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};

mod dots;
mod line;

/// Series in one chart.
pub(super) const MOST_SERIES: usize = 6;
/// Categories in one chart.
pub(super) const MOST_CATEGORIES: usize = 40;

const INK: RGBColor = RGBColor(1, 1, 1);
const SOFT: RGBColor = RGBColor(2, 2, 2);
const LINE: RGBColor = RGBColor(3, 3, 3);

/// A value with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// One series: a point, or nothing, for every category.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    /// What it is called.
    pub name: String,
    /// Its points.
    pub points: Vec<Option<Point>>,
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A dot with a bar for each category.
    Dots,
    /// A line with a band over ordered categories.
    Line,
}

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    /// How it is drawn.
    pub shape: Shape,
    /// The categories.
    pub categories: Vec<String>,
    /// The series.
    pub series: Vec<Series>,
    /// What the axis counts.
    pub unit: String,
    /// Decimals of the figure.
    pub decimals: u8,
    /// The language of numbers.
    pub language: Language,
}

/// A chart that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a chart cannot be drawn: {0}")]
pub(crate) struct ChartError(String);

/// A text alternative: ids have to differ within a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alternative<'t> {
    /// The title.
    pub title: &'t str,
    /// What the chart shows.
    pub description: &'t str,
}

/// The size that a chart is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// For screens and paper.
    Wide,
    /// For telephones.
    Narrow,
}

impl Size {
    fn width(self) -> i32 {
        if self == Self::Wide { 900 } else { 300 }
    }

    fn text(self) -> f64 {
        if self == Self::Wide { 15.0 } else { 13.5 }
    }

    fn line(self) -> i32 {
        if self == Self::Wide { 19 } else { 17 }
    }

    fn class(self) -> &'static str {
        if self == Self::Wide { "chart chart-wide" } else { "chart chart-narrow" }
    }

    fn ticks(self) -> f64 {
        if self == Self::Wide { 7.0 } else { 4.0 }
    }

    /// Roughly how many characters fit into so many pixels.
    fn fits(self, pixels: i32) -> usize {
        let character = if self == Self::Wide { 8 } else { 7 };
        usize::try_from(pixels / character).unwrap_or_default().max(4)
    }
}

impl Chart {
    /// The chart as an `svg` element.
    ///
    /// # Errors
    /// [`ChartError`] if it cannot be drawn.
    pub(super) fn draw(&self, size: Size, text: Alternative) -> Result<String, ChartError> {
        let height = match self.shape {
            Shape::Dots => dots::height(self, size),
            Shape::Line => line::height(size),
        };
        let mut drawn = String::new();
        {
            let pixels = |length: i32| u32::try_from(length).unwrap_or_default();
            let sheet = SVGBackend::with_string(&mut drawn, (pixels(size.width()), pixels(height)));
            let mut pen = Pen { sheet, size };
            match self.shape {
                Shape::Dots => dots::draw(self, &mut pen, height)?,
                Shape::Line => line::draw(self, &mut pen, height)?,
            }
            pen.sheet.present().map_err(failed)?;
        }
        // The element's own opening tag is replaced by one with a name and without a fixed size.
        let body = drawn.split_once('>').map_or("", |(_, body)| body);
        let (class, width) = (size.class(), size.width());
        let title =
            askama::filters::escape(text.title, askama::filters::Html).map_err(infallible)?;
        let description =
            askama::filters::escape(text.description, askama::filters::Html).map_err(infallible)?;
        let id = if size == Size::Wide { "wide" } else { "narrow" };
        Ok(format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"chart-title-{id} chart-text-{id}\">\
             <title id=\"chart-title-{id}\">{title}</title>\
             <desc id=\"chart-text-{id}\">{description}</desc>{body}"
        ))
    }

    /// The mark of a series, for a legend.
    ///
    /// # Errors
    /// [`ChartError`] if it cannot be drawn.
    pub(super) fn key(series: usize) -> Result<String, ChartError> {
        let mut drawn = String::new();
        {
            let sheet = SVGBackend::with_string(&mut drawn, (18, 18));
            let mut pen = Pen { sheet, size: Size::Wide };
            pen.mark(series, (9, 9))?;
            pen.sheet.present().map_err(failed)?;
        }
        let body = drawn.split_once('>').map_or("", |(_, body)| body);
        Ok(format!("<svg viewBox=\"0 0 18 18\" aria-hidden=\"true\" focusable=\"false\">{body}"))
    }

    /// The axis: its ends, and where it is marked. Counts begin at nothing.
    fn axis(&self, size: Size) -> Axis {
        let points = || self.series.iter().flat_map(|series| series.points.iter().flatten());
        let low = points().map(|point| point.lower.min(point.value)).fold(0.0, f64::min);
        let high = points().map(|point| point.upper.max(point.value)).fold(0.0, f64::max);
        let span = (high - low).max(1e-6);
        let rough = span / size.ticks();
        let power = 10.0_f64.powf(rough.log10().floor());
        let factors = [1.0, 2.0, 5.0, 10.0];
        let factor = factors.into_iter().find(|factor| factor * power >= rough).unwrap_or(10.0);
        let smallest = 10.0_f64.powi(-i32::from(self.decimals));
        let step = (factor * power).max(smallest);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Axis { low, high: high.max(low + step), step }
    }

    fn said(&self, value: f64, step: f64) -> String {
        let decimals = if step.fract().abs() < 1e-9 { 0 } else { self.decimals };
        say::decimal(value, decimals, self.language)
    }
}

struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    fn marks(&self) -> impl Iterator<Item = f64> {
        let (low, step, high) = (self.low, self.step, self.high);
        (0..=20_u32)
            .map(move |mark| low + f64::from(mark) * step)
            .take_while(move |at| *at <= high + step / 1e3)
    }

    /// Where a value lies between two pixels.
    fn place(&self, value: f64, from: i32, to: i32) -> i32 {
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        let pixels = f64::from(to - from) * part;
        #[expect(clippy::cast_possible_truncation, reason = "between two pixels")]
        let pixels = pixels.round() as i32;
        from + pixels
    }
}

fn failed(error: impl std::fmt::Display) -> ChartError {
    ChartError(error.to_string())
}

fn infallible(error: std::convert::Infallible) -> ChartError {
    match error {}
}

/// The placeholder colour of a series.
fn colour(series: usize) -> RGBColor {
    let shade = u8::try_from(series % MOST_SERIES + 1).unwrap_or(1);
    RGBColor(10, shade, shade)
}

/// What draws.
struct Pen<'s> {
    sheet: SVGBackend<'s>,
    size: Size,
}

fn stroke(colour: RGBColor, opacity: f64, width: u32) -> ShapeStyle {
    ShapeStyle { color: colour.mix(opacity), filled: true, stroke_width: width }
}

impl Pen<'_> {
    fn line(
        &mut self,
        from: (i32, i32),
        to: (i32, i32),
        colour: RGBColor,
        width: u32,
    ) -> Result<(), ChartError> {
        self.sheet.draw_line(from, to, &stroke(colour, 1.0, width)).map_err(failed)
    }

    fn path(
        &mut self,
        path: Vec<(i32, i32)>,
        colour: RGBColor,
        width: u32,
    ) -> Result<(), ChartError> {
        self.sheet.draw_path(path, &stroke(colour, 1.0, width)).map_err(failed)
    }

    fn area(
        &mut self,
        path: Vec<(i32, i32)>,
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), ChartError> {
        self.sheet.fill_polygon(path, &stroke(colour, opacity, 1)).map_err(failed)
    }

    fn text(
        &mut self,
        text: &str,
        at: (i32, i32),
        side: HPos,
        colour: RGBColor,
    ) -> Result<(), ChartError> {
        // The backend writes a font's size divided by 1.24.
        let font = ("sans-serif", self.size.text() * 1.24).into_font();
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(side, VPos::Center));
        self.sheet.draw_text(text, &style, at).map_err(failed)
    }

    /// A filled mark, of a form that tells the series.
    fn mark(&mut self, series: usize, (x, y): (i32, i32)) -> Result<(), ChartError> {
        let colour = colour(series);
        match series % 3 {
            0 => {
                let style = stroke(colour, 1.0, 1);
                self.sheet.draw_circle((x, y), 5, &style, true).map_err(failed)
            }
            1 => self.area(
                vec![(x - 5, y - 5), (x + 5, y - 5), (x + 5, y + 5), (x - 5, y + 5)],
                colour,
                1.0,
            ),
            _ => self.area(vec![(x, y - 6), (x + 6, y + 5), (x - 6, y + 5)], colour, 1.0),
        }
    }
}

/// A text in lines of at most so many characters; what does not fit ends in an ellipsis.
fn wrapped(text: &str, most: usize, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let fits =
            out.last().is_some_and(|line| line.chars().count() + 1 + word.chars().count() <= most);
        match out.last_mut() {
            Some(line) if fits => {
                line.push(' ');
                line.push_str(word);
            }
            _ => out.push(word.to_owned()),
        }
    }
    let is_cut = out.len() > lines;
    out.truncate(lines);
    for line in &mut out {
        if line.chars().count() > most {
            *line = line.chars().take(most.saturating_sub(1)).chain(['…']).collect();
        }
    }
    if let Some(last) = out.last_mut().filter(|last| is_cut && !last.ends_with('…')) {
        *last = last.chars().take(most.saturating_sub(1)).chain(['…']).collect();
    }
    out
}

#[cfg(test)]
mod tests;
