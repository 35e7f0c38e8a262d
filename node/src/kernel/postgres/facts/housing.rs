//! Where a participant lives, and when they first moved in: `variable::housing` as SQL.
//!
//! **Invariant:** a day that is not known and could change the answer gives `unknown`.

use super::tenancy::{latest_first, standing};
use crate::kernel::postgres::scope::Scope;
use crate::kernel::postgres::statement::Parts;
use crate::kernel::postgres::text::day;
use crate::kernel::variable::notice_until;

/// `variable::housing::retained_now`.
pub(super) const RETAINED_NOW: &str = "case when housing.situation in ('same_dwelling', 'later_dwelling') then 'in_ordinary_dwelling' \
     when housing.situation in ('temporary_or_institution', 'unresolved_notice') then 'not_in_ordinary_dwelling' \
     else housing.situation end";

/// `variable::housing::current_tenure`.
pub(super) const CURRENT_TENURE: &str = "case when housing.situation in ('same_dwelling', 'later_dwelling', 'unresolved_notice') then housing.tenure \
     when housing.situation = 'unknown' then 'unknown' else 'no_current_dwelling' end";

/// `variable::housing::latest_tenure`.
pub(super) const LATEST_TENURE: &str = "case when homes.is_first_unknown then 'unknown' else coalesce(latest_home.tenure, 'no_dwelling_yet') end";

/// `variable::housing::weeks_to_first_move_in`.
pub(super) const WEEKS: &str = "case when homes.is_first_unknown then 'unknown' when homes.first_in is null then 'not_housed' \
     when cohort.intake is null then 'unknown' when homes.first_in - cohort.intake <= 42 then 'up_to_6' \
     when homes.first_in - cohort.intake <= 91 then '7_to_13' when homes.first_in - cohort.intake <= 182 then '14_to_26' \
     else 'over_26' end";

/// Adds `current_home`, `latest_home`, `beside` (what other tenancies say of the current one) and
/// `housing`.
pub(super) fn add(parts: &mut Parts, scope: &Scope<'_>) {
    let (census, order) = (scope.census(), latest_first("tenancies"));
    let first_of = |rule: &str| {
        format!(
            "  select distinct on (id) id, moved_in, moved_out, is_out, loss, tenure\n  from tenancies where {rule}\n  \
             order by id, {order}"
        )
    };
    parts.add("current_home", first_of("runs"));
    parts.add("latest_home", first_of(&format!("moved_in <= {census}")));
    let before = "case when tenancies.moved_in is not null then tenancies.moved_in < current_home.moved_in \
                  when tenancies.moved_out <= current_home.moved_in then true end";
    parts.add(
        "beside",
        format!(
            "  select id, bool_or(runs is null and (moved_in is null or moved_in > current_in)) as is_unsure,\n    \
             coalesce(bool_or(is_before), false) as is_later, bool_or(is_before is null) as is_maybe_later\n  \
             from (\n    select tenancies.id, tenancies.runs, tenancies.moved_in, current_home.moved_in as current_in,\n      \
             {before} as is_before\n    from tenancies join current_home on current_home.id = tenancies.id\n  ) as r group by id"
        ),
    );
    let standing = standing(&census);
    // Beyond the calendar no notice is near, and only one that has no day hangs over.
    let near = notice_until(scope.who.census).map_or("false".to_owned(), |until| {
        format!("coalesce(current_home.moved_out <= {}, false)", day(until))
    });
    parts.add(
        "housing",
        format!(
            "  select cohort.id, current_home.tenure,\n    case when cohort.intake is null then 'unknown' \
             when {standing} <> 'present' then {standing}\n      \
             when current_home.id is null and homes.is_unsure then 'unknown'\n      \
             when current_home.id is null and homes.was_housed then 'temporary_or_institution'\n      \
             when current_home.id is null then 'not_yet_housed'\n      \
             when beside.is_unsure then 'unknown'\n      \
             when current_home.loss and (not current_home.is_out or {near}) then 'unresolved_notice'\n      \
             when beside.is_later then 'later_dwelling'\n      \
             when beside.is_maybe_later then 'unknown' else 'same_dwelling' end as situation\n  \
             from cohort left join homes on homes.id = cohort.id left join current_home on current_home.id = cohort.id\n    \
             left join beside on beside.id = cohort.id"
        ),
    );
}
