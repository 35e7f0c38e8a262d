//! Who may be counted, as SQL: `kernel::consent` and `kernel::residence` over the tables.
//!
//! Of each participant's consents four things decide: the last day on which a row gives consent that
//! holds, whether an objection counts whose day is not known, the last day of those that is, and
//! whether there is any.
//!
//! **Invariant:** what is not known excludes, as it does there; the purpose and the accepted forms
//! are parameters.

use super::scope::{NO_DAY, NOTHING, Scope, UNKNOWN, Who};
use super::statement::Parts;
use super::text::{code, day, folded, happened, known, name, optional_code, trimmed};
use crate::kernel::source::Table;
use fellestall_shared::wire::v1::{LegalBasis, Residence};

/// The place of the node's key for choosing cells among the parameters of every statement.
pub(super) const KEY: &str = "$1::bytea";
/// The place of the purpose.
pub(super) const PURPOSE: &str = "$2::text";
/// The place of the accepted versions of the consent form.
pub(super) const FORMS: &str = "$3::text[]";

/// Adds `people`, `consent_rows`, `consents`, `members` (who may be counted) and `cohort` (who of them had been taken
/// in by the census date).
pub(super) fn add(parts: &mut Parts, scope: &Scope<'_>) {
    parts.add("people", people(scope));
    parts.add("consent_rows", consent_rows(scope.who, &scope.table(Table::Consent)));
    parts.add("consents", consents(scope.who));
    let (consented, residence) = (consented(scope.who.basis), residence(scope.who));
    parts.add(
        "members",
        format!(
            "  select people.*\n  from people left join consents on consents.id = people.id\n  \
             where {consented} and {residence}"
        ),
    );
    let census = scope.census();
    parts.add(
        "cohort",
        format!("  select * from members where intake is null or intake <= {census}"),
    );
}

fn people(scope: &Scope<'_>) -> String {
    let items = scope.select(
        Table::Participant,
        &[
            ("intake_date", known("intake_date"), NO_DAY, "intake"),
            ("birth_year", name("birth_year"), "null::integer", "birth_year"),
            ("gender", code("gender"), UNKNOWN, "gender"),
            ("housing_at_intake", code("housing_at_intake"), UNKNOWN, "housing_at_intake"),
            ("specialist_follow_up", code("specialist_follow_up"), UNKNOWN, "specialist_follow_up"),
            (
                "substitution_treatment",
                code("substitution_treatment"),
                UNKNOWN,
                "substitution_treatment",
            ),
            ("exit_date", known("exit_date"), NO_DAY, "exit_on"),
            ("exit_date", happened("exit_date"), "false", "is_exit"),
            ("exit_reason", optional_code("exit_reason"), NOTHING, "exit_reason"),
        ],
    );
    // Where a person is counted is asked of the whole row: the study declares these columns.
    let moved = match scope.who.residence {
        Residence::Anywhere => String::new(),
        Residence::OnCensusDate => format!(
            ", {} = 'moved_municipality' as has_moved, {} as moved_on",
            optional_code("exit_reason"),
            known("exit_date")
        ),
    };
    let (id, table) = (folded("participant_id"), scope.table(Table::Participant));
    format!("  select {id} as id, {items}{moved}\n  from {table}")
}

fn residence(who: &Who<'_>) -> String {
    match who.residence {
        Residence::Anywhere => "true".to_owned(),
        Residence::OnCensusDate => {
            format!("(has_moved is not true or coalesce(moved_on > {}, false))", day(who.census))
        }
    }
}

/// The rows of consent about the purpose.
fn consent_rows(who: &Who<'_>, table: &str) -> String {
    let census = day(who.census);
    let (status, mode, date) = (code("status"), code("mode"), known("date"));
    let (withdrawn, is_withdrawn) = (known("withdrawn_on"), happened("withdrawn_on"));
    let (until, is_until) = (known("valid_until"), happened("valid_until"));
    let (id, purpose, form) = (folded("participant_id"), purpose(), form());
    format!(
        "  select r.*, (not is_until or coalesce(until >= {census}, false)) as holds,\n    \
         status in ('refused', 'withdrawn', 'unknown') as says_no\n  from (\n    \
         select {id} as id, {status} as status, {mode} as mode, {date} as dated, {form} as form,\n      \
         {is_until} as is_until, {until} as until, {is_withdrawn} as is_withdrawn, {withdrawn} as withdrawn\n    \
         from {table}\n    where {purpose} = {PURPOSE}\n  ) as r"
    )
}

/// How the consents of each person about the purpose stand on the census date.
fn consents(who: &Who<'_>) -> String {
    let census = day(who.census);
    // From the next period on, an objection counts that came by the census date, or nobody knows when.
    let counts = |when: &str| {
        if who.is_at_once() { "true".to_owned() } else { format!("{when} <= {census}") }
    };
    let (by_status, by_day) = (counts("dated"), counts("withdrawn"));
    format!(
        "  select id,\n    max(dated) filter (where status = 'given' and mode <> 'unknown' and holds and \
         form = any({FORMS}) and dated <= {census}) as given,\n    \
         bool_or(says_no and dated is null or is_withdrawn and withdrawn is null) as vague,\n    \
         greatest(max(dated) filter (where says_no and {by_status}), max(withdrawn) filter (where {by_day})) as objected\n  \
         from consent_rows group by id"
    )
}

/// The version of a form; the word for unknown is none.
pub(super) fn form() -> String {
    let form = trimmed("form_version");
    format!(
        "coalesce(case when {} <> 'unknown' then {form} end, '') collate \"C\"",
        folded("form_version")
    )
}

/// The purpose of a row of consent.
pub(super) fn purpose() -> String {
    folded("purpose")
}

/// Whether a person's consents allow counting: a consent after the last objection, or, by public task,
/// no objection.
pub(super) fn consented(basis: LegalBasis) -> &'static str {
    match basis {
        LegalBasis::Consent => {
            "(consents.given is not null and not consents.vague and coalesce(consents.objected < consents.given, true))"
        }
        LegalBasis::PublicTask => {
            "(consents.id is null or not consents.vague and (consents.objected is null or coalesce(consents.objected < consents.given, false)))"
        }
    }
}
