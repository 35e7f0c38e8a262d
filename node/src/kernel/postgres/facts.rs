//! What is known of each participant at the end of a period, as SQL: the variables of the table
//! language, one by one.
//!
//! `kernel::variable` says what each means, with its edge cases; the tests hold the two against each
//! other over thousands of drawn records.
//!
//! **Invariant:** an expression gives a code of the catalogue, or null for who is not in a table with
//! the variable; nothing else decides a cell.

use super::scope::Scope;
use super::statement::Parts;
use fellestall_shared::statistic::Variable;

mod contact;
mod event;
mod follow;
mod form;
mod housing;
mod rehousing;
mod tenancy;

/// Adds every part that a variable or a unit may read.
pub(super) fn add(parts: &mut Parts, scope: &Scope<'_>) {
    tenancy::add(parts, scope);
    housing::add(parts, scope);
    rehousing::add(parts, scope);
    follow::add(parts, scope);
    event::add(parts, scope);
    contact::add(parts, scope);
    form::add(parts, scope);
}

/// A variable: the parts with one row for each participant that it reads, and its code. `cohort` is
/// there, and so is `subject`, what the observation is about.
pub(super) struct Code {
    pub(super) reads: &'static [&'static str],
    pub(super) text: String,
}

/// The code of a variable.
pub(super) fn code(variable: Variable, scope: &Scope<'_>) -> Code {
    let of = |reads: &'static [&'static str], text: &str| Code { reads, text: text.to_owned() };
    match variable {
        Variable::IntakeYear => of(
            &[],
            "case when extract(year from cohort.intake) < 2012 then 'earlier' \
             when extract(year from cohort.intake) <= 2030 then extract(year from cohort.intake)::integer::text \
             else 'unknown' end",
        ),
        Variable::HousingAtIntake => of(&[], "cohort.housing_at_intake"),
        Variable::SpecialistFollowUp => of(&[], "cohort.specialist_follow_up"),
        Variable::SubstitutionTreatment => of(&[], "cohort.substitution_treatment"),
        Variable::Gender => of(&[], "cohort.gender"),
        Variable::AgeBand => {
            let age = format!("{} - cohort.birth_year", scope.who.census.year());
            let text = format!(
                "case when {age} between 0 and 29 then 'under_30' when {age} between 30 and 39 then '30_39' \
                 when {age} between 40 and 49 then '40_49' when {age} >= 50 then '50_or_over' else 'unknown' end"
            );
            Code { reads: &[], text }
        }
        Variable::Stays => of(&["stay_kinds"], event::STAYS),
        Variable::HousingSituation => of(&["housing"], "housing.situation"),
        Variable::RetainedNow => of(&["housing"], housing::RETAINED_NOW),
        Variable::CurrentTenure => of(&["housing"], housing::CURRENT_TENURE),
        Variable::LatestTenure => of(&["homes", "latest_home"], housing::LATEST_TENURE),
        Variable::WeeksToFirstMoveIn => of(&["homes"], housing::WEEKS),
        Variable::DwellingsLost => of(&["homes"], rehousing::DWELLINGS_LOST),
        Variable::TimesRehoused => of(&["rehoused"], rehousing::TIMES_REHOUSED),
        Variable::MonthsFollowed => of(&["homes", "follow_up"], follow::MONTHS_FOLLOWED),
        Variable::FollowUpEnd => of(&["follow_up"], follow::FOLLOW_UP_END),
        Variable::ComplaintBand => in_window(scope, &["complaint_sums"], event::COMPLAINT_BAND),
        Variable::ThreeWayMeeting => in_window(scope, &["complaint_sums"], event::MEETING),
        Variable::HomeVisitBand => in_window(scope, &["visit_sums"], contact::HOME_VISIT_BAND),
        Variable::DrugProblem => of(&["answers"], "coalesce(answers.drugs_latest, 'unknown')"),
        Variable::MentalHealthProblem => {
            of(&["answers"], "coalesce(answers.mental_health_latest, 'unknown')")
        }
        Variable::FormCoverage => of(&["answers"], form::COVERAGE),
        Variable::EndReason => of(&[], "subject.end_reason"),
        Variable::EndMode => of(&[], "subject.end_mode"),
        Variable::Milestone
        | Variable::ComplaintKind
        | Variable::ContactCategory
        | Variable::Problem
        | Variable::SatisfactionItem => of(&[], "subject.code"),
        Variable::Retained | Variable::SatisfactionScore | Variable::ProblemChange => {
            of(&[], "subject.answer")
        }
    }
}

/// A code that only those have who were in the programme on some day of the window.
fn in_window(scope: &Scope<'_>, reads: &'static [&'static str], code: &str) -> Code {
    let start = scope.start();
    let text = format!("case when coalesce(cohort.exit_on >= {start}, true) then {code} end");
    Code { reads, text }
}
