//! The numbers of a selection: value, interval, marks and coverage, one figure a line.
//!
//! **Invariant:** a figure is shown as it is stored; what has no number has a mark, and every mark
//! that occurs is explained in words.

use super::{capital, said};
use crate::databank::{Measure, Role};
use crate::present::Symbol;
use crate::web::say;
use crate::web::selection::Selection;
use crate::web::words::Table;

/// Figures on one page.
const MOST: usize = 400;

/// The table of numbers.
pub(super) struct Numbers {
    /// What all figures have in common: dimension and value.
    pub common: Vec<(String, String)>,
    /// The dimensions in which figures differ.
    pub heads: Vec<String>,
    /// What the figure is, with its unit.
    pub figure: String,
    /// The figures.
    pub rows: Vec<Row>,
    /// Figures that are not on the page.
    pub left_out: usize,
    /// The marks that occur, with their meaning.
    pub symbols: Vec<(&'static str, &'static str)>,
}

/// One figure.
pub(super) struct Row {
    pub heads: Vec<String>,
    pub value: String,
    pub mark: &'static str,
    pub interval: String,
    pub raw: String,
    pub deviation: String,
    pub coverage: String,
}

impl Numbers {
    pub(super) fn of(selection: &Selection, w: &'static Table) -> Self {
        let language = selection.language;
        let (mut common, mut heads, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (place, dimension, chosen) in selection.dimensions() {
            let label = capital(dimension.label.text(language));
            if let [only] = chosen {
                let value = dimension.values.get(*only);
                let value = value
                    .map(|one| said(dimension.role, &one.code, one.label.text(language), language));
                common.push((label, value.unwrap_or_default()));
            } else {
                heads.push(label);
                places.push((place, dimension.role));
            }
        }
        if heads.is_empty() {
            // One figure alone is named by what all have in common.
            heads.push(w.figure.clone());
        }
        let mut found: Vec<Symbol> = Vec::new();
        let shown = selection.len().min(MOST);
        let rows = (0..shown).map(|number| row(selection, number, &places, &mut found)).collect();
        let symbols = found.iter().map(|symbol| (symbol.text(), meaning(*symbol, w))).collect();
        let figure = &selection.cube.figure;
        let (label, unit) = (figure.label.text(language), figure.unit.text(language));
        let left_out = selection.len() - shown;
        Self { common, heads, figure: format!("{label} ({unit})"), rows, left_out, symbols }
    }
}

fn row(
    selection: &Selection,
    number: usize,
    places: &[(usize, Role)],
    found: &mut Vec<Symbol>,
) -> Row {
    let language = selection.language;
    let at = selection.at(number);
    let figure = &selection.cube.figure;
    let measure = |measure: Measure| {
        let value = selection.cell(&at, measure).value?;
        Some(say::number(value, measure.decimals(figure), language))
    };
    let text = |one: Measure| measure(one).unwrap_or_else(|| "–".to_owned());
    let shown = selection.cell(&at, Measure::Shown);
    if let Some(symbol) = shown.symbol.filter(|symbol| !found.contains(symbol)) {
        found.push(symbol);
    }
    let mark = shown.symbol.map_or("", Symbol::text);
    let interval = match (measure(Measure::Lower), measure(Measure::Upper)) {
        (Some(lower), Some(upper)) => say::range(&lower, &upper, language),
        _ => "–".to_owned(),
    };
    let head = |(place, role): &(usize, Role)| {
        let value = at.get(*place).copied().unwrap_or_default();
        let dimension = selection.cube.dimensions.get(*place);
        let code = dimension.and_then(|dimension| dimension.values.get(value));
        let code = code.map_or("", |value| value.code.as_str());
        said(*role, code, selection.label(*place, value), language)
    };
    let heads: Vec<String> = places.iter().map(head).collect();
    let alone = || vec![figure.label.text(language).to_owned()];
    let value = measure(Measure::Shown);
    Row {
        heads: if heads.is_empty() { alone() } else { heads },
        mark: if value.is_some() { mark } else { "" },
        value: value.unwrap_or_else(|| mark.to_owned()),
        interval,
        raw: text(Measure::Raw),
        deviation: text(Measure::Deviation),
        coverage: format!("{} / {}", text(Measure::Municipalities), text(Measure::Asked)),
    }
}

fn meaning(symbol: Symbol, w: &'static Table) -> &'static str {
    match symbol {
        Symbol::Suppressed => &w.suppressed,
        Symbol::Missing => &w.missing,
        Symbol::NotApplicable => &w.not_applicable,
        Symbol::Provisional => &w.provisional,
    }
}
