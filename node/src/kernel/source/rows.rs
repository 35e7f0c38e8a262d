//! From a row of each table to what it says about a person.
//!
//! **Invariant:** a row becomes a whole value or is rejected; no cell is filled in by guess.

use super::quality::Rule;
use super::row::{Bad, Row};
use super::value::normalised;
use crate::kernel::person::{
    Baseline, CalendarMonth, Complaint, ComplaintKind, ComplaintSource, Consent, ConsentMode,
    ConsentStatus, Contact, ContactCategory, EndMode, EndReason, ExitReason, Gender,
    HousingAtIntake, Participant, Satisfaction, SatisfactionItem, Setting, Severity,
    SpecialistFollowUp, Stay, StayKind, Tenancy, Tenure, When, YesNo,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A row of the `participant` table.
pub(super) fn participant(row: &Row<'_>) -> Result<Participant, Bad> {
    let birth_year = row.number("birth_year", 1900..=2100, Rule::BirthYear)?;
    Ok(Participant {
        intake: row.date("intake_date")?,
        birth_year: birth_year.and_then(|year| u16::try_from(year).ok()),
        gender: row.code("gender", Gender::from_code)?,
        housing_at_intake: row.code("housing_at_intake", HousingAtIntake::from_code)?,
        specialist_follow_up: row.code("specialist_follow_up", SpecialistFollowUp::from_code)?,
        substitution_treatment: row.code("substitution_treatment", YesNo::from_code)?,
        exit: row.optional_date("exit_date")?,
        exit_reason: row.optional_code("exit_reason", ExitReason::from_code)?,
    })
}

/// A row of the `consent` table, with one copy of a text that many rows have.
pub(super) fn consent(row: &Row<'_>, texts: &mut Texts) -> Result<Consent, Bad> {
    // Purposes are lower case by definition; a capital letter must not hide a withdrawal.
    let purpose = row.text("purpose")?;
    let purpose = texts.once(&normalised(&purpose));
    if purpose.is_empty() {
        return Err(Bad { column: Some("purpose"), rule: Rule::PurposeMissing });
    }
    Ok(Consent {
        purpose,
        status: row.code("status", ConsentStatus::from_code)?,
        mode: row.code("mode", ConsentMode::from_code)?,
        date: row.date("date")?,
        form_version: texts.once(&row.text("form_version")?),
        valid_until: row.optional_date("valid_until")?,
        withdrawn_on: row.optional_date("withdrawn_on")?,
    })
}

/// Texts of which one copy is kept.
#[derive(Default)]
pub(super) struct Texts(BTreeSet<Arc<str>>);

/// Texts of which one copy is kept, at the most: purposes and forms are a few.
const TEXTS: usize = 1_000;

impl Texts {
    fn once(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        if self.0.len() < TEXTS {
            self.0.insert(Arc::clone(&new));
        }
        new
    }
}

/// What stands in the place of all consent rows of somebody of whom one was rejected: an objection
/// to an unknown purpose on an unknown day, which no consent outlasts.
pub(super) fn consent_in_doubt() -> Consent {
    Consent {
        purpose: "".into(),
        status: ConsentStatus::Unknown,
        mode: ConsentMode::Unknown,
        date: When::Unknown,
        form_version: "".into(),
        valid_until: None,
        withdrawn_on: None,
    }
}

/// A row of the `tenancy` table.
pub(super) fn tenancy(row: &Row<'_>) -> Result<Tenancy, Bad> {
    Ok(Tenancy {
        dwelling_no: row.number("dwelling_no", 1..=u32::MAX, Rule::DwellingNumber)?,
        tenure: row.code("tenure", Tenure::from_code)?,
        setting: row.code("setting", Setting::from_code)?,
        moved_in: row.date("moved_in")?,
        moved_out: row.optional_date("moved_out")?,
        end_mode: row.optional_code("end_mode", EndMode::from_code)?,
        end_reason: row.optional_code("end_reason", EndReason::from_code)?,
    })
}

/// A row of the `stay` table.
pub(super) fn stay(row: &Row<'_>) -> Result<Stay, Bad> {
    Ok(Stay {
        kind: row.code("kind", StayKind::from_code)?,
        from: row.date("from")?,
        to: row.optional_date("to")?,
    })
}

/// A row of the `complaint` table.
pub(super) fn complaint(row: &Row<'_>) -> Result<Complaint, Bad> {
    Ok(Complaint {
        date: row.date("date")?,
        source: row.code("source", ComplaintSource::from_code)?,
        kind: row.code("kind", ComplaintKind::from_code)?,
        three_way_meeting: row.code("three_way_meeting", YesNo::from_code)?,
    })
}

/// A row of the `contact` table: a month's count.
pub(super) fn contact_month(row: &Row<'_>) -> Result<Contact, Bad> {
    let month = row.month("month")?;
    let category = row.code("category", ContactCategory::from_code)?;
    let recorded = row.code("recorded", YesNo::from_code)?;
    let count = row.number("count", 0..=u32::MAX, Rule::NotANumber)?;
    let (count, recorded) = match (count, recorded) {
        (Some(count), recorded) => (u64::from(count), recorded),
        (None, YesNo::Yes) => {
            return Err(Bad { column: Some("count"), rule: Rule::CountMissing });
        }
        // No count, and nothing says that it was recorded: missing, and not a zero.
        (None, YesNo::No | YesNo::Unknown) => (0, YesNo::No),
    };
    Ok(Contact { month, category, count, recorded })
}

/// A row of the `contact` table: one event.
pub(super) fn contact_event(row: &Row<'_>) -> Result<Contact, Bad> {
    let category = row.code("category", ContactCategory::from_code)?;
    let day = row.date("date").map(When::day)?;
    let month = day.map(|day| CalendarMonth { year: day.year(), month: u8::from(day.month()) });
    Ok(Contact { month, category, count: 1, recorded: YesNo::Yes })
}

/// A row of the `baseline` table.
pub(super) fn baseline(row: &Row<'_>) -> Result<Baseline, Bad> {
    Ok(Baseline {
        date: row.date("date")?,
        alcohol: row.code("alcohol", Severity::from_code)?,
        drugs: row.code("drugs", Severity::from_code)?,
        mental_health: row.code("mental_health", Severity::from_code)?,
    })
}

/// A row of the `satisfaction` table.
pub(super) fn satisfaction(row: &Row<'_>) -> Result<Satisfaction, Bad> {
    let score = row.number("score", 1..=7, Rule::Score)?;
    Ok(Satisfaction {
        date: row.date("date")?,
        item: row.code("item", SatisfactionItem::from_code)?,
        score: score.and_then(|score| u8::try_from(score).ok()),
    })
}
