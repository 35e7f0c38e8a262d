//! Control totals: a municipality's own printed figures, checked against each other.
//!
//! The file `control.csv` has one printed number a row, in four columns:
//!
//! | column | holds |
//! |---|---|
//! | `figure` | the name of the printed figure or table |
//! | `role` | `total`, `part`, `numerator`, `denominator`, `percent`, `band`, `category` or `question` |
//! | `state` | what a part, band (`30-39`, `<30`, `50+`) or category is called; which total or rate, if there are several; for `question`, its name |
//! | `value` | what is printed; empty or `-` where nothing is |
//!
//! Figures with a `question` row of one name answer one question, and must have the same categories.
//!
//! **Invariant:** these are aggregated figures and not records; a finding still names figure, state
//! and lines, and never a printed value.

use super::csv::Record;
use super::error::SourceError;
use super::file::SourceFile;
use super::layout::decode;
use super::mapping::FileMapping;
use super::quality::Listed;
use super::shelf::Shelf;
use std::collections::BTreeMap;

mod finding;
mod number;
mod rules;

pub use finding::{ControlFinding, ControlRule};
use number::Printed;

/// What a printed number is in its figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Total,
    Part,
    Numerator,
    Denominator,
    Percent,
    Band,
    Category,
    Question,
}

impl Role {
    fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "total" => Self::Total,
            "part" => Self::Part,
            "numerator" => Self::Numerator,
            "denominator" => Self::Denominator,
            "percent" => Self::Percent,
            "band" => Self::Band,
            "category" => Self::Category,
            "question" => Self::Question,
            _ => return None,
        })
    }
}

/// One row of the file.
struct Entry {
    line: u64,
    role: Role,
    state: String,
    value: Printed,
}

/// The rows of each figure, by name.
type Figures = BTreeMap<String, Vec<Entry>>;

/// Checks the file of printed figures; `false` if there is none.
pub(super) fn check(
    shelf: &Shelf,
    file: &FileMapping,
    findings: &mut Listed<ControlFinding>,
) -> Result<bool, SourceError> {
    let Some(mut opened) = SourceFile::open(shelf, file)? else { return Ok(false) };
    let mut places = [0; 4];
    for (place, name) in places.iter_mut().zip(["figure", "role", "state", "value"]) {
        *place = opened
            .header()
            .place(name)
            .ok_or_else(|| SourceError::ControlColumn { file: file.name.clone(), header: name })?;
    }
    let width = opened.header().width();
    let mut figures = Figures::new();
    let mut record = Record::default();
    while opened.next(&mut record).map_err(|stop| stop.named(|_| None))? {
        let cell = |place: usize| {
            let bytes = record.field(place).filter(|_| record.len() == width)?;
            decode(bytes, file.encoding).map(|text| text.trim().to_owned())
        };
        let line = record.line();
        match entry(line, places.map(cell)) {
            Some((figure, entry)) => figures.entry(figure).or_default().push(entry),
            None => findings.push(ControlFinding::unreadable(line)),
        }
    }
    rules::check(&figures, findings);
    Ok(true)
}

/// The figure and entry of these cells: figure, role, state, value.
fn entry(line: u64, cells: [Option<String>; 4]) -> Option<(String, Entry)> {
    let [figure, role, state, value] = cells;
    let figure = figure.filter(|figure| !figure.is_empty())?;
    let role = Role::from_code(&role?.to_lowercase())?;
    let (state, value) = (state?.to_lowercase(), Printed::parse(&value?)?);
    let named = matches!(role, Role::Part | Role::Band | Role::Category | Role::Question);
    if named && state.is_empty() {
        return None;
    }
    Some((figure, Entry { line, role, state, value }))
}

#[cfg(test)]
mod tests;
