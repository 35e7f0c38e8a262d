//! The tables of the local records and what each of their columns can hold.
//!
//! **Invariant:** a column that is not listed here is never read.

use crate::kernel::person::{
    ComplaintKind, ComplaintSource, ConsentMode, ConsentStatus, ContactCategory, EndMode,
    EndReason, ExitReason, Gender, HousingAtIntake, SatisfactionItem, Setting, Severity,
    SpecialistFollowUp, StayKind, Tenure, YesNo,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A table of the local records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// One row for each participant.
    Participant,
    /// What each participant has agreed to.
    Consent,
    /// Dwellings.
    Tenancy,
    /// Stays in prison or treatment.
    Stay,
    /// Neighbour complaints.
    Complaint,
    /// Contacts, by month or one by one.
    Contact,
    /// Mapping forms.
    Baseline,
    /// Satisfaction scores.
    Satisfaction,
}

/// How the `contact` table is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::kernel) enum ContactForm {
    /// One row for each month and category, with a count.
    Months,
    /// One row for each contact, with a date.
    Events,
}

/// What a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kernel) enum Kind {
    /// The participant's identifier, or a key that leads to it.
    Person,
    /// A code of this list; empty is `unknown`.
    Code(&'static [&'static str]),
    /// A code of this list; empty is "has not happened".
    OptionalCode(&'static [&'static str]),
    /// A day; empty is "not known".
    Date,
    /// A day; empty is "has not happened".
    OptionalDate,
    /// A calendar month; empty is "not known".
    Month,
    /// A year of birth; empty is "not known".
    Year,
    /// A whole number; what empty means is the table's own rule.
    Number,
    /// A purpose of processing.
    Purpose,
    /// Any text, which may be empty.
    Text,
}

/// One column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kernel) struct Column {
    /// Our name of it, which is also its name in the standard export.
    pub(in crate::kernel) name: &'static str,
    /// What it can hold.
    pub(in crate::kernel) kind: Kind,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

const PERSON: Column = column("participant_id", Kind::Person);

const PARTICIPANT: &[Column] = &[
    PERSON,
    column("intake_date", Kind::Date),
    column("birth_year", Kind::Year),
    column("gender", Kind::Code(Gender::CODES)),
    column("housing_at_intake", Kind::Code(HousingAtIntake::CODES)),
    column("specialist_follow_up", Kind::Code(SpecialistFollowUp::CODES)),
    column("substitution_treatment", Kind::Code(YesNo::CODES)),
    column("exit_date", Kind::OptionalDate),
    column("exit_reason", Kind::OptionalCode(ExitReason::CODES)),
];
const CONSENT: &[Column] = &[
    PERSON,
    column("purpose", Kind::Purpose),
    column("status", Kind::Code(ConsentStatus::CODES)),
    column("mode", Kind::Code(ConsentMode::CODES)),
    column("date", Kind::Date),
    column("form_version", Kind::Text),
    column("valid_until", Kind::OptionalDate),
    column("withdrawn_on", Kind::OptionalDate),
];
const TENANCY: &[Column] = &[
    PERSON,
    column("dwelling_no", Kind::Number),
    column("tenure", Kind::Code(Tenure::CODES)),
    column("setting", Kind::Code(Setting::CODES)),
    column("moved_in", Kind::Date),
    column("moved_out", Kind::OptionalDate),
    column("end_mode", Kind::OptionalCode(EndMode::CODES)),
    column("end_reason", Kind::OptionalCode(EndReason::CODES)),
];
const STAY: &[Column] = &[
    PERSON,
    column("kind", Kind::Code(StayKind::CODES)),
    column("from", Kind::Date),
    column("to", Kind::OptionalDate),
];
const COMPLAINT: &[Column] = &[
    PERSON,
    column("date", Kind::Date),
    column("source", Kind::Code(ComplaintSource::CODES)),
    column("kind", Kind::Code(ComplaintKind::CODES)),
    column("three_way_meeting", Kind::Code(YesNo::CODES)),
];
const CONTACT_MONTHS: &[Column] = &[
    PERSON,
    column("month", Kind::Month),
    column("category", Kind::Code(ContactCategory::CODES)),
    column("count", Kind::Number),
    column("recorded", Kind::Code(YesNo::CODES)),
];
const CONTACT_EVENTS: &[Column] =
    &[PERSON, column("date", Kind::Date), column("category", Kind::Code(ContactCategory::CODES))];
const BASELINE: &[Column] = &[
    PERSON,
    column("date", Kind::Date),
    column("alcohol", Kind::Code(Severity::CODES)),
    column("drugs", Kind::Code(Severity::CODES)),
    column("mental_health", Kind::Code(Severity::CODES)),
];
const SATISFACTION: &[Column] = &[
    PERSON,
    column("date", Kind::Date),
    column("item", Kind::Code(SatisfactionItem::CODES)),
    column("score", Kind::Number),
];

impl Table {
    /// Every table, in the order in which they are read.
    pub const ALL: [Self; 8] = [
        Self::Participant,
        Self::Consent,
        Self::Tenancy,
        Self::Stay,
        Self::Complaint,
        Self::Contact,
        Self::Baseline,
        Self::Satisfaction,
    ];

    /// Its name in a mapping.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Consent => "consent",
            Self::Tenancy => "tenancy",
            Self::Stay => "stay",
            Self::Complaint => "complaint",
            Self::Contact => "contact",
            Self::Baseline => "baseline",
            Self::Satisfaction => "satisfaction",
        }
    }

    /// Whether nothing can be counted without it.
    pub(in crate::kernel) fn is_required(self) -> bool {
        matches!(self, Self::Participant | Self::Consent)
    }

    /// Its columns; `form` matters to the `contact` table only.
    pub(in crate::kernel) fn columns(self, form: ContactForm) -> &'static [Column] {
        match self {
            Self::Participant => PARTICIPANT,
            Self::Consent => CONSENT,
            Self::Tenancy => TENANCY,
            Self::Stay => STAY,
            Self::Complaint => COMPLAINT,
            Self::Contact => match form {
                ContactForm::Months => CONTACT_MONTHS,
                ContactForm::Events => CONTACT_EVENTS,
            },
            Self::Baseline => BASELINE,
            Self::Satisfaction => SATISFACTION,
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Kind {
    /// The codes that a cell may hold, if it holds codes.
    pub(in crate::kernel) fn codes(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Code(codes) | Self::OptionalCode(codes) => Some(codes),
            _ => None,
        }
    }
}
