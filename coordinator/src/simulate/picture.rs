//! A simulation as a picture that stands alone: a bar for each figure, with a mark where theory puts it.
//!
//! Colours are placeholders that the picture's own style sheet replaces, for light and for dark.
//!
//! **Invariant:** every number that is drawn is also written, beside its bar and in the description.

use super::{Figure, Scene, Simulation};
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};
use std::fmt::Write as _;

const INK: RGBColor = RGBColor(1, 1, 1);
const PAPER: RGBColor = RGBColor(2, 2, 2);
const WIDTH: i32 = 760;
const LEFT: i32 = 120;
const LONGEST: i32 = 340;
const ROW: i32 = 26;
const HEAD: i32 = 34;
const TOP: i32 = 48;

/// Replaces the placeholders.
const STYLE: &str = "svg{font-family:sans-serif}\
[fill=\"#010101\"]{fill:#1b1b1f}[stroke=\"#010101\"]{stroke:#1b1b1f}[fill=\"#020202\"]{fill:#fff}\
[fill=\"#0A0101\"]{fill:#b3541e}[fill=\"#0A0202\"]{fill:#1f6fb2}[fill=\"#0A0303\"]{fill:#5b6470}\
@media (prefers-color-scheme:dark){\
[fill=\"#010101\"]{fill:#ececf1}[stroke=\"#010101\"]{stroke:#ececf1}[fill=\"#020202\"]{fill:#16161a}\
[fill=\"#0A0101\"]{fill:#f08c4f}[fill=\"#0A0202\"]{fill:#6cb6f5}[fill=\"#0A0303\"]{fill:#a3adba}}";

/// A picture that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the picture cannot be drawn: {0}")]
pub struct PictureError(String);

/// The picture, as an SVG document.
///
/// # Errors
/// [`PictureError`] if it cannot be drawn.
pub fn svg(simulation: &Simulation) -> Result<String, PictureError> {
    let scenes = &simulation.scenes;
    let height = scenes.iter().fold(TOP + 12, |height, _| height + HEAD + 3 * ROW);
    let figures = scenes.iter().flat_map(|scene| modes(scene).map(|(_, figure)| figure));
    let most = figures.map(|figure| figure.measured.max(figure.theory)).fold(1e-6, f64::max);
    let mut drawn = String::new();
    {
        let pixels = |length: i32| u32::try_from(length).unwrap_or_default();
        let sheet = SVGBackend::with_string(&mut drawn, (pixels(WIDTH), pixels(height)));
        let mut pen = Pen { sheet, most };
        pen.bar((0, 0), (WIDTH, height), PAPER)?;
        pen.text("Standard deviation of a national count, in people", (16, 26), 17.0)?;
        let mut top = TOP;
        for scene in scenes {
            let people = scene.people;
            let said = format!("{} reports, {people} people", scene.reports);
            pen.text(&said, (16, top + HEAD / 2 + 2), 15.0)?;
            top += HEAD;
            for (series, (name, figure)) in (1_u8..).zip(modes(scene)) {
                pen.figure(name, figure, RGBColor(10, series, series), top)?;
                top += ROW;
            }
        }
        pen.sheet.present().map_err(failed)?;
    }
    // The element's own opening tag is replaced by one with a name and without a fixed size.
    let body = drawn.split_once('>').map_or("", |(_, body)| body);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"title text\"><title id=\"title\">Noise of a national count: local, secure \
         and central</title><desc id=\"text\">{}</desc><style>{STYLE}</style>{body}",
        described(scenes)
    ))
}

fn modes(scene: &Scene) -> [(&'static str, Figure); 3] {
    [("local", scene.local), ("secure", scene.secure), ("central", scene.central)]
}

fn described(scenes: &[Scene]) -> String {
    let mut text = String::from("Bars are measured, marks are theory.");
    for scene in scenes {
        // Writing to a string cannot fail.
        let _infallible = write!(text, " With {} reports:", scene.reports);
        for (name, figure) in modes(scene) {
            let (measured, theory) = (figure.measured, figure.theory);
            let _infallible = write!(text, " {name} {measured:.2}, in theory {theory:.2};");
        }
    }
    text
}

struct Pen<'s> {
    sheet: SVGBackend<'s>,
    most: f64,
}

impl Pen<'_> {
    fn figure(
        &mut self,
        name: &str,
        figure: Figure,
        colour: RGBColor,
        top: i32,
    ) -> Result<(), PictureError> {
        let middle = top + ROW / 2;
        let (end, mark) = (self.place(figure.measured), self.place(figure.theory));
        self.text(name, (40, middle), 14.0)?;
        self.bar((LEFT, top + 4), (end.max(LEFT + 1), top + ROW - 4), colour)?;
        let style = ShapeStyle { color: INK.to_rgba(), filled: true, stroke_width: 2 };
        self.sheet.draw_line((mark, top + 1), (mark, top + ROW - 1), &style).map_err(failed)?;
        let (measured, half) = (figure.measured, figure.half_width);
        let said = format!("{measured:.2}, so 95 %: plus or minus {half}");
        self.text(&said, (end.max(mark) + 10, middle), 14.0)
    }

    fn place(&self, value: f64) -> i32 {
        let pixels = (value / self.most).clamp(0.0, 1.0) * f64::from(LONGEST);
        #[expect(clippy::cast_possible_truncation, reason = "between two pixels")]
        let pixels = pixels.round() as i32;
        LEFT + pixels
    }

    fn bar(
        &mut self,
        from: (i32, i32),
        to: (i32, i32),
        colour: RGBColor,
    ) -> Result<(), PictureError> {
        let style = ShapeStyle { color: colour.to_rgba(), filled: true, stroke_width: 0 };
        self.sheet.draw_rect(from, to, &style, true).map_err(failed)
    }

    fn text(&mut self, text: &str, at: (i32, i32), size: f64) -> Result<(), PictureError> {
        // The backend writes a font's size divided by 1.24.
        let font = ("sans-serif", size * 1.24).into_font();
        let style = TextStyle::from(font).color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
        self.sheet.draw_text(text, &style, at).map_err(failed)
    }
}

fn failed(error: impl std::fmt::Display) -> PictureError {
    PictureError(error.to_string())
}
