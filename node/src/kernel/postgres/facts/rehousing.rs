//! Dwellings lost, and being rehoused: `variable::loss` as SQL.
//!
//! The most pairs of a loss with a later move-in, each used once, are the losses less the greatest
//! lack: over all days, the losses from that day on less the move-ins from that day on (Hall 1935, for
//! intervals). Greedy pairing, as the other kernel does it, gives as many.
//!
//! **Invariant:** an ending that may or may not be a loss gives `unknown` where it could change the
//! answer.

use super::tenancy::unsure_on;
use crate::kernel::postgres::scope::Scope;
use crate::kernel::postgres::statement::Parts;

/// `variable::loss::dwellings_lost`.
pub(super) const DWELLINGS_LOST: &str = "case when least(coalesce(homes.lost, 0), 3) <> least(coalesce(homes.lost + homes.maybe_lost, 0), 3) then 'unknown' \
     when homes.lost >= 3 then '3_or_more' else coalesce(homes.lost, 0)::text end";

/// `variable::loss::times_rehoused`.
pub(super) const TIMES_REHOUSED: &str = "case when least(coalesce(rehoused.least, 0), 2) <> least(coalesce(rehoused.most, 0), 2) then 'unknown' \
     when rehoused.least >= 2 then '2_or_more' else coalesce(rehoused.least, 0)::text end";

/// Adds `turns` (losses and move-ins by day, as they are known and as they may be) and `rehoused`.
pub(super) fn add(parts: &mut Parts, scope: &Scope<'_>) {
    let census = scope.census();
    let unsure = unsure_on("tenancies", &census);
    let sure = format!("tenancies.loss and tenancies.moved_out <= {census}");
    parts.add(
        "turns",
        format!(
            "  select tenancies.id, turn.is_sure, turn.on_day, turn.losses, turn.moves\n  \
             from tenancies cross join lateral (\n    \
             select not coalesce(tenancies.moved_in = tenancies.moved_out, false) as has_begun,\n      \
             least(coalesce(tenancies.moved_out - 1, {census}), {census}) as by_then,\n      \
             coalesce(tenancies.moved_out, tenancies.moved_in + 1, date '-infinity') as maybe_lost_on\n  ) as about\n  \
             cross join lateral (values\n    \
             (true, case when {sure} then tenancies.moved_out end, 1, 0),\n    \
             (true, case when about.has_begun then tenancies.moved_in end, 0, 1),\n    \
             (false, case when {sure} or {unsure} then about.maybe_lost_on end, 1, 0),\n    \
             (false, case when about.has_begun then coalesce(tenancies.moved_in, about.by_then) end, 0, 1)\n  \
             ) as turn (is_sure, on_day, losses, moves)\n  \
             where turn.on_day is not null and (turn.losses = 1 or turn.on_day <= {census})"
        ),
    );
    parts.add(
        "rehoused",
        "  select id, coalesce(max(pairs) filter (where is_sure), 0) as least,\n    \
         coalesce(max(pairs) filter (where not is_sure), 0) as most\n  from (\n    \
         select id, is_sure, sum(losses) - greatest(max(lack), 0) as pairs\n    from (\n      \
         select id, is_sure, losses, sum(losses - moves) over (partition by id, is_sure order by on_day desc range unbounded preceding) as lack\n      \
         from turns\n    ) as r group by id, is_sure\n  ) as r group by id"
            .to_owned(),
    );
}
