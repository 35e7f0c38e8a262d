//! Milestones after the first move-in, and time to the first loss: `variable::milestone` and
//! `variable::survival` as SQL.
//!
//! **Invariant:** months are those of `variable::calendar`: the day that many months after, or the
//! last of a month that lacks it.

use super::tenancy::{latest_first, runs_on, standing};
use crate::kernel::postgres::scope::Scope;
use crate::kernel::postgres::statement::Parts;

/// `variable::survival::months_followed`.
pub(super) const MONTHS_FOLLOWED: &str = "case when homes.is_first_unknown then 'unknown' when homes.first_in is null then 'not_yet_housed' \
     when follow_up.months is null then 'unknown' when follow_up.months >= 36 then 'm36_or_more' \
     else 'm' || follow_up.months::text end";

/// `variable::survival::follow_up_end`.
pub(super) const FOLLOW_UP_END: &str =
    "case when follow_up.is_ended then 'ended' else 'censored' end";

/// Adds `milestones`, and `follow_up` for those of whom it is known.
pub(super) fn add(parts: &mut Parts, scope: &Scope<'_>) {
    milestones(parts, scope);
    follow_up(parts, scope);
}

fn milestones(parts: &mut Parts, scope: &Scope<'_>) {
    let census = scope.census();
    parts.add(
        "milestone_days",
        "  select cohort.id, step.code, (homes.first_in + make_interval(months => step.months))::date as on_day\n  \
         from cohort join homes on homes.id = cohort.id\n    \
         cross join (values ('m6', 6), ('m12', 12), ('m24', 24)) as step (code, months)\n  \
         where not homes.is_first_unknown and homes.first_in is not null"
            .to_owned(),
    );
    let (runs, order) = (runs_on("tenancies", "milestone_days.on_day"), latest_first("r"));
    parts.add(
        "milestone_homes",
        format!(
            "  select id, code, bool_or(runs) as is_housed, bool_or(runs is null) as is_unsure,\n    \
             (array_agg(coalesce(loss and moved_out <= on_day, false) order by {order}) filter (where moved_in <= on_day))[1] as has_lost\n  \
             from (\n    select tenancies.id, milestone_days.code, milestone_days.on_day, {runs} as runs,\n      \
             tenancies.moved_in, tenancies.moved_out, tenancies.is_out, tenancies.loss, tenancies.end_mode, tenancies.tenure\n    \
             from tenancies join milestone_days on milestone_days.id = tenancies.id\n    \
             where milestone_days.on_day <= {census}\n  ) as r group by id, code"
        ),
    );
    let standing = standing("milestone_days.on_day");
    parts.add(
        "milestones",
        format!(
            "  select cohort.id, step.code, case when homes.is_first_unknown then 'unknown' \
             when milestone_days.on_day is null or milestone_days.on_day > {census} then 'not_followed_so_long'\n      \
             when {standing} in ('died', 'unknown') then {standing}\n      \
             when {standing} = 'left' and milestone_homes.has_lost then 'not_in_ordinary_dwelling'\n      \
             when {standing} = 'left' then 'not_followed_so_long'\n      \
             when milestone_homes.is_housed then 'in_ordinary_dwelling'\n      \
             when milestone_homes.is_unsure then 'unknown' else 'not_in_ordinary_dwelling' end as answer\n  \
             from cohort cross join (values ('m6'), ('m12'), ('m24')) as step (code)\n    \
             left join homes on homes.id = cohort.id\n    \
             left join milestone_days on milestone_days.id = cohort.id and milestone_days.code = step.code\n    \
             left join milestone_homes on milestone_homes.id = cohort.id and milestone_homes.code = step.code"
        ),
    );
}

fn follow_up(parts: &mut Parts, scope: &Scope<'_>) {
    let (census, standing) = (scope.census(), standing(&scope.census()));
    parts.add(
        "followed",
        format!(
            "  select cohort.id, homes.first_in, least({census}, cohort.exit_on, homes.died_on) as last_day\n  \
             from cohort join homes on homes.id = cohort.id\n  \
             where not homes.is_first_unknown and homes.first_in is not null and {standing} <> 'unknown'"
        ),
    );
    let runs = runs_on("tenancies", "followed.last_day");
    parts.add(
        "follow_homes",
        format!(
            "  select id, first_in, last_day, min(moved_out) filter (where loss and moved_out <= last_day) as lost_on,\n    \
             coalesce(bool_or(is_out and moved_out is null and loss is distinct from false), false) as is_vague,\n    \
             min(moved_out) filter (where loss is null and moved_out <= last_day) as vague_on,\n    \
             coalesce(bool_or(runs), false) as is_housed, bool_or(runs is null) as is_unsure,\n    \
             max(moved_out) filter (where moved_out <= last_day) as last_out\n  from (\n    \
             select followed.*, {runs} as runs, tenancies.loss, tenancies.is_out, tenancies.moved_out\n    \
             from followed join tenancies on tenancies.id = followed.id\n  ) as r group by id, first_in, last_day"
        ),
    );
    // Whole months: the difference of the calendar months, less one if that day has not come.
    parts.add(
        "follow_up",
        "  select id, is_ended, greatest(least(months - case when (first_in + make_interval(months => months))::date > until then 1 else 0 end, 36), 0) as months\n  \
         from (\n    select id, first_in, until, is_ended,\n      \
         (extract(year from until) * 12 + extract(month from until) - extract(year from first_in) * 12 - extract(month from first_in))::integer as months\n    \
         from (\n      select id, first_in, lost_on is not null as is_ended,\n        \
         case when lost_on is not null then lost_on when is_housed then last_day else coalesce(last_out, last_day) end as until\n      \
         from follow_homes\n      where not is_vague and (vague_on is null or coalesce(lost_on <= vague_on, false))\n        \
         and (lost_on is not null or is_housed or not is_unsure)\n    ) as r\n  ) as r"
            .to_owned(),
    );
}
