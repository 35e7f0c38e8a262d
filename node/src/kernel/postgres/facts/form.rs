//! Mapping forms and satisfaction: `variable::problem` as SQL.
//!
//! **Invariant:** a form without a known day by the census date is not used.

use crate::kernel::postgres::scope::{NO_DAY, Scope, UNKNOWN};
use crate::kernel::postgres::statement::Parts;
use crate::kernel::postgres::text::{code, known, name};
use crate::kernel::source::Table;

/// `variable::problem::form_coverage`.
pub(super) const COVERAGE: &str = "case when answers.days >= 2 then 'two_or_more' when answers.days = 1 then 'one' else 'none' end";

/// Adds `answers`, `problems`, and `satisfied`.
pub(super) fn add(parts: &mut Parts, scope: &Scope<'_>) {
    let census = scope.census();
    let rows = scope.rows(
        Table::Baseline,
        &[
            ("date", known("date"), NO_DAY, "dated"),
            ("drugs", code("drugs"), UNKNOWN, "drugs"),
            ("mental_health", code("mental_health"), UNKNOWN, "mental_health"),
        ],
    );
    let answered = ["drugs", "mental_health"].map(answers_of).join(",\n    ");
    parts.add(
        "answers",
        format!(
            "  select r.id, count(distinct r.dated) as days,\n    {answered}\n  from (\n{rows}\n  ) as r join cohort on cohort.id = r.id\n  \
             where r.dated <= {census} group by r.id"
        ),
    );
    let changes = ["drugs", "mental_health"].map(change_of).join("\n  union all\n");
    parts.add("problems", changes);
    let rows = scope.rows(
        Table::Satisfaction,
        &[
            ("date", known("date"), NO_DAY, "dated"),
            ("item", code("item"), UNKNOWN, "item"),
            ("score", name("score"), "null::integer", "score"),
        ],
    );
    parts.add(
        "scores",
        format!(
            "  select r.id, r.item, (array_agg(r.score order by r.dated desc, r.score))[1] as score\n  \
             from (\n{rows}\n  ) as r join cohort on cohort.id = r.id\n  \
             where r.dated <= {census} and r.score between 1 and 7 and r.item in ('dwelling', 'neighbourhood')\n  \
             group by r.id, r.item"
        ),
    );
    parts.add(
        "satisfied",
        "  select cohort.id, item.code, coalesce(scores.score::text, 'unknown') as answer\n  \
         from cohort cross join (values ('dwelling'), ('neighbourhood')) as item (code)\n    \
         left join scores on scores.id = cohort.id and scores.item = item.code"
            .to_owned(),
    );
}

/// How heavy an answer is.
fn weight(column: &str) -> String {
    format!("case r.{column} when 'severe' then 3 when 'moderate' then 2 when 'none' then 1 end")
}

/// The latest and the first known answer, of several on one day the most severe, and their days.
fn answers_of(column: &str) -> String {
    let (heavy, is_known) = (weight(column), format!("r.{column} <> 'unknown'"));
    let one = |value: &str, order: &str| {
        format!(
            "(array_agg({value} order by r.dated {order}, {heavy} desc) filter (where {is_known}))[1]"
        )
    };
    let (latest, last, first) =
        (one(&format!("r.{column}"), "desc"), one(&heavy, "desc"), one(&heavy, "asc"));
    format!(
        "{latest} as {column}_latest,\n    {last} as {column}_last, {first} as {column}_first,\n    \
         count(distinct r.dated) filter (where {is_known}) as {column}_days"
    )
}

/// The change of one problem; unknown unless there are two days with an answer.
fn change_of(column: &str) -> String {
    format!(
        "  select cohort.id, '{column}' as code, case when coalesce(answers.{column}_days, 0) < 2 then 'unknown' \
         when answers.{column}_last < answers.{column}_first then 'better' \
         when answers.{column}_last > answers.{column}_first then 'worse' else 'unchanged' end as answer\n  \
         from cohort left join answers on answers.id = cohort.id"
    )
}
