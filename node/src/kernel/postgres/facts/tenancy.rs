//! Tenancies of the cohort, and how one stands on a day.
//!
//! **Invariant:** what `variable::housing::runs_on`, `variable::loss::ending` and
//! `variable::housing::standing` say of a row or a person, and null where they say that it is not
//! known.

use crate::kernel::person::{EndMode, Tenure};
use crate::kernel::postgres::scope::{NO_DAY, NOTHING, Scope, UNKNOWN};
use crate::kernel::postgres::statement::Parts;
use crate::kernel::postgres::text::{code, happened, known, optional_code, texts};
use crate::kernel::source::Table;

/// Adds `tenancies`, a row for each, and `homes`, a row for each participant that has any.
pub(super) fn add(parts: &mut Parts, scope: &Scope<'_>) {
    let rows = scope.rows(
        Table::Tenancy,
        &[
            ("tenure", code("tenure"), UNKNOWN, "tenure"),
            ("moved_in", known("moved_in"), NO_DAY, "moved_in"),
            ("moved_out", known("moved_out"), NO_DAY, "moved_out"),
            ("moved_out", happened("moved_out"), "false", "is_out"),
            ("end_mode", optional_code("end_mode"), NOTHING, "end_mode"),
            ("end_reason", optional_code("end_reason"), NOTHING, "end_reason"),
        ],
    );
    let (census, runs) = (scope.census(), runs_on("r", &scope.census()));
    parts.add(
        "tenancies",
        format!(
            "  select r.*, {runs} as runs,\n    case when end_mode in ('immediate_termination', 'landlord_notice') then true\n      \
             when end_mode in ('voluntary_move', 'own_notice', 'died', 'other') then false end as loss\n  \
             from (\n{rows}\n  ) as r join cohort on cohort.id = r.id"
        ),
    );
    let unsure = unsure_on("tenancies", &census);
    parts.add(
        "homes",
        format!(
            "  select id, bool_or(moved_in is null) as is_first_unknown,\n    \
             min(moved_in) filter (where moved_in <= {census}) as first_in,\n    \
             min(moved_out) filter (where end_mode = 'died') as died_on,\n    \
             coalesce(bool_or(end_mode = 'died' and moved_out is null), false) as is_death_undated,\n    \
             bool_or(runs is null) as is_unsure,\n    \
             coalesce(bool_or(moved_in <= {census} or moved_out <= {census}), false) as was_housed,\n    \
             count(*) filter (where loss and moved_out <= {census}) as lost,\n    \
             count(*) filter (where {unsure}) as maybe_lost\n  from tenancies group by id"
        ),
    );
}

/// Whether a tenancy runs on a day; null if that is not known.
pub(super) fn runs_on(row: &str, day: &str) -> String {
    format!(
        "case when {row}.moved_in > {day} then false when {row}.moved_out <= {day} then false \
         when {row}.moved_in is not null and ({row}.moved_out is not null or not {row}.is_out) then true end"
    )
}

/// Whether a tenancy has ended by a day in a way that may be a loss, or was lost on a day that is not
/// known.
pub(super) fn unsure_on(row: &str, day: &str) -> String {
    format!(
        "({row}.is_out and ({row}.moved_out is null or {row}.moved_out <= {day}) \
         and ({row}.loss is null or {row}.loss and {row}.moved_out is null))"
    )
}

/// How a participant of `cohort` with `homes` stands on a day.
pub(super) fn standing(day: &str) -> String {
    format!(
        "case when homes.died_on <= {day} then 'died' \
         when cohort.exit_on <= {day} and cohort.exit_reason = 'died' then 'died' \
         when cohort.exit_on <= {day} then 'left' \
         when cohort.is_exit and cohort.exit_on is null or not cohort.is_exit and cohort.exit_reason is not null then 'unknown' \
         when not cohort.is_exit and homes.is_death_undated then 'unknown' else 'present' end"
    )
}

/// The order of tenancies, the one moved into last first: of two moved into on one day the one that
/// lasts longer, then by the way it ends and the tenure.
pub(super) fn latest_first(row: &str) -> String {
    let (modes, tenures) = (texts(EndMode::CODES), texts(Tenure::CODES));
    format!(
        "{row}.moved_in desc, case when not {row}.is_out then date 'infinity' else coalesce({row}.moved_out, date '-infinity') end desc, \
         coalesce(array_position({modes}, {row}.end_mode), 0), array_position({tenures}, {row}.tenure)"
    )
}
