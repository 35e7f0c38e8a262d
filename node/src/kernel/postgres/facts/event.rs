//! Stays and neighbour complaints: `variable::background` and `variable::complaint` as SQL.
//!
//! **Invariant:** a complaint counts only with a known day in the window.

use crate::kernel::postgres::scope::{NO_DAY, Scope, UNKNOWN};
use crate::kernel::postgres::statement::Parts;
use crate::kernel::postgres::text::{code, happened, known};
use crate::kernel::source::Table;

/// `variable::background::stays`.
pub(super) const STAYS: &str = "case when stay_kinds.prison <> stay_kinds.maybe_prison or stay_kinds.treatment <> stay_kinds.maybe_treatment then 'unknown' \
     when stay_kinds.prison and stay_kinds.treatment then 'both' when stay_kinds.prison then 'prison' \
     when stay_kinds.treatment then 'treatment' else 'none' end";

/// `variable::complaint::band`.
pub(super) const COMPLAINT_BAND: &str = "case when complaint_sums.complaints >= 10 then '10_or_more' when complaint_sums.complaints >= 3 then '3_9' \
     when complaint_sums.complaints >= 1 then '1_2' else '0' end";

/// `variable::complaint::three_way_meeting`.
pub(super) const MEETING: &str = "case when complaint_sums.met then 'with_meeting' when complaint_sums.maybe_met then 'unknown' \
     when complaint_sums.complaints >= 1 then 'without_meeting' else 'no_complaint' end";

/// Adds `stay_kinds`, `complaints` and `complaint_sums`.
pub(super) fn add(parts: &mut Parts, scope: &Scope<'_>) {
    let (start, census) = (scope.start(), scope.census());
    let rows = scope.rows(
        Table::Stay,
        &[
            ("kind", code("kind"), UNKNOWN, "kind"),
            ("from", known("from"), NO_DAY, "from_day"),
            ("to", known("to"), NO_DAY, "to_day"),
            ("to", happened("to"), "false", "is_over"),
        ],
    );
    parts.add(
        "stay_kinds",
        format!(
            "  select id, bool_or(kind = 'prison' and is_within is true) as prison,\n    \
             bool_or(kind in ('prison', 'unknown') and is_within is not false) as maybe_prison,\n    \
             bool_or(kind = 'treatment' and is_within is true) as treatment,\n    \
             bool_or(kind in ('treatment', 'unknown') and is_within is not false) as maybe_treatment\n  from (\n    \
             select id, kind, case when not is_over then has_begun when not has_begun or last_day < intake then false \
             when has_begun and last_day >= intake then true end as is_within\n    from (\n      \
             select r.id, r.kind, r.is_over, r.from_day <= {census} as has_begun, cohort.intake,\n        \
             coalesce(r.to_day, case when r.from_day >= cohort.intake then r.from_day end) as last_day\n      \
             from (\n{rows}\n      ) as r join cohort on cohort.id = r.id\n    ) as r\n  ) as r group by id"
        ),
    );
    let rows = scope.rows(
        Table::Complaint,
        &[
            ("date", known("date"), NO_DAY, "dated"),
            ("kind", code("kind"), UNKNOWN, "kind"),
            ("three_way_meeting", code("three_way_meeting"), UNKNOWN, "meeting"),
        ],
    );
    parts.add(
        "complaints",
        format!(
            "  select r.id, r.kind, r.meeting\n  from (\n{rows}\n  ) as r join cohort on cohort.id = r.id\n  \
             where r.dated between {start} and {census}"
        ),
    );
    parts.add(
        "complaint_sums",
        "  select id, count(*) as complaints, bool_or(meeting = 'yes') as met, bool_or(meeting = 'unknown') as maybe_met\n  \
         from complaints group by id"
            .to_owned(),
    );
}
