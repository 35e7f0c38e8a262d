//! What is wrong with printed figures.
//!
//! **Invariant:** the list of rules is closed, and no finding has room for a printed value.

use serde::Serialize;
use std::fmt;

/// Something wrong in one printed figure, or between two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlFinding {
    /// The figure; `None` if the row cannot be read.
    pub figure: Option<String>,
    /// The state, band, rate or question that it is about.
    pub state: Option<String>,
    /// The lines that do not go together.
    pub lines: Vec<u64>,
    /// What is wrong.
    pub rule: ControlRule,
}

/// What can be wrong with printed figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlRule {
    /// The row has a role that there is none of, no figure or state, or a value that is no number.
    Unreadable,
    /// The parts do not add to the total.
    PartsDoNotAdd,
    /// The percentage is not numerator over denominator.
    PercentDoesNotFit {
        /// How many have to be taken out of the denominator for it to fit, if a few are enough.
        fits_with_fewer: Option<u64>,
    },
    /// Two bands share a value.
    BandsOverlap,
    /// A band that does not say from where to where.
    BandUnclear,
    /// Two rows describe one state.
    SameState,
    /// Some states have 0 and others have nothing.
    ZeroAndBlank,
    /// Two figures answer one question with different categories.
    CategoriesDiffer,
}

impl ControlFinding {
    /// A row that cannot be read.
    pub(super) fn unreadable(line: u64) -> Self {
        Self { figure: None, state: None, lines: vec![line], rule: ControlRule::Unreadable }
    }
}

impl fmt::Display for ControlFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.lines.iter().map(u64::to_string).collect();
        let word = if lines.len() == 1 { "line" } else { "lines" };
        write!(f, "{word} {}", lines.join(", "))?;
        if let Some(figure) = &self.figure {
            write!(f, ", figure {figure}")?;
        }
        if let Some(state) = &self.state {
            write!(f, ", {state}")?;
        }
        write!(f, ": {}", self.rule)
    }
}

impl fmt::Display for ControlRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str(
                "the row cannot be read; give a figure, a role (total, part, numerator, denominator, percent, band, category, question), a state where the role has one, and a number, - or nothing",
            ),
            Self::PartsDoNotAdd => f.write_str(
                "the parts do not add to the total; look for somebody counted twice or left out, or add a part for not recorded",
            ),
            Self::PercentDoesNotFit { fits_with_fewer: None } => f.write_str(
                "the percentage is not the numerator over the denominator; work it out anew",
            ),
            Self::PercentDoesNotFit { fits_with_fewer: Some(fewer) } => write!(
                f,
                "the percentage is not the numerator over the denominator, but fits with {fewer} fewer in the denominator; say whom the rate leaves out (the dead?), or work it out anew",
            ),
            Self::BandsOverlap => {
                f.write_str("two bands share a value; end each band before the next begins")
            }
            Self::BandUnclear => {
                f.write_str("the band is not written as 30-39, <30 or 50+; write it so")
            }
            Self::SameState => {
                f.write_str("two rows describe the same state; put them together, or say how they differ")
            }
            Self::ZeroAndBlank => f.write_str(
                "some states have 0 and others nothing; print 0 for none, and a state of its own for not recorded",
            ),
            Self::CategoriesDiffer => f.write_str(
                "figures that answer the same question have different categories; use one list for both",
            ),
        }
    }
}
