//! The variables that a table can be split by, and their public domains.
//!
//! **Invariant:** every domain is closed and has a category for what is not known, unless the unit
//! itself decides the category (a milestone, an item, a problem) or the definition leaves nothing
//! unknown (a count of what is recorded).

use super::Unit;
use crate::labels::Labels;
use crate::limits::TEXT_CHARS;
use serde::{Deserialize, Serialize};

/// What a table can be split by. How each is derived from the records is code at the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// The calendar year of intake.
    IntakeYear,
    /// Where the participant lives on the census date.
    HousingSituation,
    /// Which milestone after the first move-in: 6, 12 or 24 months.
    Milestone,
    /// Whether the participant was in an ordinary dwelling at the milestone.
    Retained,
    /// Dwellings lost by immediate termination or the landlord's notice.
    DwellingsLost,
    /// Times that the participant was rehoused after losing a dwelling.
    TimesRehoused,
    /// Why a dwelling was lost.
    EndReason,
    /// The way in which a dwelling was lost.
    EndMode,
    /// The tenure of the current dwelling.
    CurrentTenure,
    /// The tenure of the dwelling last moved into, whether it is kept or not.
    LatestTenure,
    /// Whether the participant lives in an ordinary dwelling on the census date.
    RetainedNow,
    /// Where the participant lived at intake.
    HousingAtIntake,
    /// Weeks from intake to the first move-in, in bands.
    WeeksToFirstMoveIn,
    /// The number of complaints in the window, in bands.
    ComplaintBand,
    /// What a complaint was about.
    ComplaintKind,
    /// Whether a complaint led to a three-way meeting.
    ThreeWayMeeting,
    /// Home visits per month followed, in bands.
    HomeVisitBand,
    /// The category of a contact.
    ContactCategory,
    /// Specialist follow-up.
    SpecialistFollowUp,
    /// Substitution treatment.
    SubstitutionTreatment,
    /// Stays in prison and in treatment up to the census date.
    Stays,
    /// Drug problems, latest recorded.
    DrugProblem,
    /// Mental-health problems, latest recorded.
    MentalHealthProblem,
    /// Which problem: drugs or mental health.
    Problem,
    /// Change of a problem since it was first recorded.
    ProblemChange,
    /// Which part of life a satisfaction score is about.
    SatisfactionItem,
    /// The latest satisfaction score, 1 to 7.
    SatisfactionScore,
    /// Age on the census date, in bands.
    AgeBand,
    /// Gender.
    Gender,
    /// How many mapping forms there are.
    FormCoverage,
    /// Whole months from the first move-in to the end of follow-up.
    MonthsFollowed,
    /// How follow-up ended: the home was lost, or follow-up is censored.
    FollowUpEnd,
}

impl Variable {
    /// Whether the variable says something about an observation of this unit. Whatever is known of
    /// a participant is known of everything that belongs to the participant.
    #[must_use]
    pub fn describes(self, unit: Unit) -> bool {
        match self {
            Self::Milestone | Self::Retained => unit == Unit::Milestone,
            Self::EndReason | Self::EndMode => unit == Unit::LostDwelling,
            Self::ComplaintKind => unit == Unit::Complaint,
            Self::ContactCategory => unit == Unit::Contact,
            Self::Problem | Self::ProblemChange => unit == Unit::Problem,
            Self::SatisfactionItem | Self::SatisfactionScore => unit == Unit::SatisfactionItem,
            _ => true,
        }
    }
}

/// One category of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    code: String,
    label: Labels,
}

impl Category {
    /// The code, in English: lower-case letters, digits and `_`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The label in three languages.
    #[must_use]
    pub fn label(&self) -> &Labels {
        &self.label
    }
}

/// The public, closed domain of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    variable: Variable,
    label: Labels,
    categories: Vec<Category>,
}

impl Domain {
    /// The variable.
    #[must_use]
    pub fn variable(&self) -> Variable {
        self.variable
    }

    /// The variable's label in three languages.
    #[must_use]
    pub fn label(&self) -> &Labels {
        &self.label
    }

    /// The categories, in the order of the cells.
    #[must_use]
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// The position of a code; `None` outside the domain.
    #[must_use]
    pub fn position(&self, code: &str) -> Option<usize> {
        self.categories.iter().position(|category| category.code == code)
    }

    /// Whether codes are well formed and distinct, and every label is given.
    pub(crate) fn is_sound(&self) -> bool {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let sound = |category: &Category| {
            !category.code.is_empty()
                && category.code.bytes().all(plain)
                && category.label.are_within(TEXT_CHARS)
                && self.categories.iter().filter(|other| other.code == category.code).count() == 1
        };
        !self.categories.is_empty()
            && self.label.are_within(TEXT_CHARS)
            && self.categories.iter().all(sound)
    }
}
