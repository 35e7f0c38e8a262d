//! What is known of one participant at the end of a period: the units and variables of the table
//! language, derived from the rows.
//!
//! This is a small closed set. Each function gives a code of the catalogue and documents its edge
//! cases; the catalogue describes the same to those who read the tables.
//!
//! **Invariant:** nothing dated after the census date changes a code, except a move-out that tells
//! of a notice under way; and no code depends on the order of rows.

use super::minimise::Minimal;
use super::person::{Complaint, Contact, ContactCategory, Person, SatisfactionItem, Tenancy, When};
use fellestall_shared::period::Period;
use fellestall_shared::statistic::{Unit, Variable, Window};
use milestone::Milestone;
use problem::Problem;
use std::borrow::Cow;
use time::Date;

mod background;
mod calendar;
mod complaint;
mod contact;
mod housing;
mod loss;
mod milestone;
mod problem;
mod survival;
#[cfg(test)]
mod tests;

pub(super) use housing::notice_until;

/// One participant, seen from the end of a period through the window of a table.
#[derive(Clone, Copy)]
pub(super) struct View<'p> {
    person: &'p Person,
    contacts: &'p [Contact],
    /// The last day of the period.
    census: Date,
    /// The window's first day; it ends on the census date.
    window_start: Date,
}

/// What one observation is about, beyond the participant.
#[derive(Clone, Copy)]
pub(super) enum Subject<'p> {
    Participant,
    LostDwelling(&'p Tenancy),
    Complaint(&'p Complaint),
    Contact(ContactCategory),
    Milestone(Milestone),
    Problem(Problem),
    SatisfactionItem(SatisfactionItem),
}

impl<'p> View<'p> {
    /// A view of a participant; `None` for who is taken in after the period, and so is in no table.
    /// Who has no known day of intake is in the tables, as `unknown` where the day matters.
    pub(super) fn new(minimal: &'p Minimal, period: Period, window: Window) -> Option<Self> {
        let (person, contacts) = (minimal.person(), minimal.contacts());
        let census = period.last_day();
        if person.participant.intake.day().is_some_and(|intake| intake > census) {
            return None;
        }
        Some(Self { person, contacts, census, window_start: window_start(period, window) })
    }

    /// Shows the observations of a unit, each with its weight; `None` if a weight overflows.
    pub(super) fn observe(
        &self,
        unit: Unit,
        show: &mut impl FnMut(Subject<'p>, u64),
    ) -> Option<()> {
        let mut once = |subject| show(subject, 1);
        match unit {
            Unit::Participant => once(Subject::Participant),
            Unit::LostDwelling => loss::lost(self).map(Subject::LostDwelling).for_each(once),
            Unit::Complaint => complaint::in_window(self).map(Subject::Complaint).for_each(once),
            Unit::Contact => {
                for (category, sum) in contact::totals(self)? {
                    show(Subject::Contact(category), sum);
                }
            }
            Unit::Milestone => Milestone::ALL.map(Subject::Milestone).into_iter().for_each(once),
            Unit::Problem => Problem::ALL.map(Subject::Problem).into_iter().for_each(once),
            Unit::SatisfactionItem => {
                let items = [SatisfactionItem::Dwelling, SatisfactionItem::Neighbourhood];
                items.map(Subject::SatisfactionItem).into_iter().for_each(once);
            }
        }
        Some(())
    }

    /// The category of an observation; `None` if it is not in a table with this variable.
    pub(super) fn code(
        &self,
        variable: Variable,
        subject: Subject<'p>,
    ) -> Option<Cow<'static, str>> {
        let participant = &self.person.participant;
        let code = match variable {
            Variable::IntakeYear => return Some(background::intake_year(self)),
            Variable::HousingAtIntake => participant.housing_at_intake.code(),
            Variable::SpecialistFollowUp => participant.specialist_follow_up.code(),
            Variable::SubstitutionTreatment => participant.substitution_treatment.code(),
            Variable::Gender => participant.gender.code(),
            Variable::AgeBand => background::age_band(self),
            Variable::Stays => background::stays(self),
            Variable::HousingSituation => housing::situation(self).code(),
            Variable::RetainedNow => housing::retained_now(self),
            Variable::CurrentTenure => housing::current_tenure(self),
            Variable::LatestTenure => housing::latest_tenure(self),
            Variable::WeeksToFirstMoveIn => housing::weeks_to_first_move_in(self),
            Variable::DwellingsLost => loss::dwellings_lost(self),
            Variable::TimesRehoused => loss::times_rehoused(self),
            Variable::MonthsFollowed => return Some(survival::months_followed(self)),
            Variable::FollowUpEnd => survival::follow_up_end(self),
            Variable::ComplaintBand => complaint::band(self)?,
            Variable::ThreeWayMeeting => complaint::three_way_meeting(self)?,
            Variable::HomeVisitBand => contact::home_visit_band(self)?,
            Variable::DrugProblem => problem::latest(self, Problem::Drugs),
            Variable::MentalHealthProblem => problem::latest(self, Problem::MentalHealth),
            Variable::FormCoverage => problem::form_coverage(self),
            Variable::Milestone
            | Variable::Retained
            | Variable::EndReason
            | Variable::EndMode
            | Variable::ComplaintKind
            | Variable::ContactCategory
            | Variable::Problem
            | Variable::ProblemChange
            | Variable::SatisfactionItem
            | Variable::SatisfactionScore => return self.code_of(variable, subject),
        };
        Some(Cow::Borrowed(code))
    }

    /// The category that comes from what the observation is about. The language allows such a
    /// variable only with its own unit.
    fn code_of(&self, variable: Variable, subject: Subject<'p>) -> Option<Cow<'static, str>> {
        let code = match (variable, subject) {
            (Variable::Milestone, Subject::Milestone(milestone)) => milestone.code(),
            (Variable::Retained, Subject::Milestone(at)) => milestone::retained(self, at),
            (Variable::EndReason, Subject::LostDwelling(tenancy)) => loss::reason(tenancy),
            (Variable::EndMode, Subject::LostDwelling(tenancy)) => loss::mode(tenancy),
            (Variable::ComplaintKind, Subject::Complaint(complaint)) => complaint.kind.code(),
            (Variable::ContactCategory, Subject::Contact(category)) => category.code(),
            (Variable::Problem, Subject::Problem(problem)) => problem.code(),
            (Variable::ProblemChange, Subject::Problem(problem)) => problem::change(self, problem),
            (Variable::SatisfactionItem, Subject::SatisfactionItem(item)) => item.code(),
            (Variable::SatisfactionScore, Subject::SatisfactionItem(item)) => {
                return Some(problem::satisfaction(self, item));
            }
            _ => return None,
        };
        Some(Cow::Borrowed(code))
    }

    /// Whether something dated `when` lies in the window; not if the day is unknown.
    fn is_in_window(&self, when: When) -> bool {
        when.day().is_some_and(|day| self.window_start <= day && day <= self.census)
    }

    /// Whether the participant was in the programme on some day of the window. An unknown day of
    /// exit does not take anyone out.
    fn is_followed_in_window(&self) -> bool {
        let exit = self.person.participant.exit.and_then(When::day);
        exit.is_none_or(|exit| exit >= self.window_start)
    }
}

/// The first day of a table's window; it ends on the census date.
pub(super) fn window_start(period: Period, window: Window) -> Date {
    match window {
        Window::CensusDate => period.last_day(),
        Window::Period => period.first_day(),
        Window::LastQuarter => period.last_quarter().first_day(),
    }
}

/// The code of a date's year and the like, out of a closed range.
fn numbered(prefix: &str, number: impl std::fmt::Display) -> Cow<'static, str> {
    Cow::Owned(format!("{prefix}{number}"))
}
