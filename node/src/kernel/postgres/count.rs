//! The bounded count of one table as one statement.
//!
//! The same plan as `kernel::count` and `kernel::bound`: observations, each with the codes of its
//! dimensions; amounts of each participant's cells; each held to the bound; sums.
//!
//! **Invariant:** a statement reads each table of the database at most once, and gives nothing but
//! cells and amounts.

use super::cohort::{self, KEY};
use super::facts;
use super::scope::Scope;
use super::statement::Parts;
use super::text::{text, texts};
use fellestall_shared::statistic::{Category, Domain, Statistic, Unit};
use std::fmt::Write;

/// The cell that stands for a code outside the domain.
pub(super) const NO_CELL: i64 = -1;

/// The statement that counts a table: rows of `(cell, amount)`, those that are not zero.
///
/// # Privacy
/// P1: as `kernel::bound`. Of each participant at most `bound.cells()` cells come into a sum, each with
/// at most `bound.per_cell()`, together at most `bound.l1()`; which they are follows from the
/// participant's own amounts, the identifier, the statistic and the key.
pub(super) fn statement(statistic: &Statistic, scope: &Scope<'_>) -> String {
    let mut parts = Parts::default();
    cohort::add(&mut parts, scope);
    facts::add(&mut parts, scope);
    parts.add("observations", observations(statistic, scope));
    bounded(&mut parts, statistic);
    parts.statement("select cell::bigint, sum(kept)::bigint as amount\nfrom kept where kept > 0\ngroup by cell\norder by cell")
}

/// The observations of the unit, each with its cell and weight.
fn observations(statistic: &Statistic, scope: &Scope<'_>) -> String {
    let (subject, weight) = match statistic.unit() {
        Unit::Participant => (None, "1"),
        Unit::LostDwelling => (Some(lost(scope)), "1"),
        Unit::Complaint => (Some("(select id, kind as code from complaints)".to_owned()), "1"),
        Unit::Contact => (Some("contact_sums".to_owned()), "subject.amount"),
        Unit::Milestone => (Some("milestones".to_owned()), "1"),
        Unit::Problem => (Some("problems".to_owned()), "1"),
        Unit::SatisfactionItem => (Some("satisfied".to_owned()), "1"),
    };
    let mut from = match subject {
        None => "cohort".to_owned(),
        Some(subject) => format!("{subject} as subject join cohort on cohort.id = subject.id"),
    };
    let (mut joined, mut codes) = (Vec::new(), Vec::new());
    for domain in statistic.dimensions() {
        let code = facts::code(domain.variable(), scope);
        for part in code.reads {
            if !joined.contains(part) {
                joined.push(*part);
                // Writing to a String does not fail.
                let _written = write!(from, "\n    left join {part} on {part}.id = cohort.id");
            }
        }
        codes.push(code.text);
    }
    let cell = cell(statistic.dimensions());
    let named: Vec<String> = (1..)
        .zip(&codes)
        .map(|(number, code): (u32, _)| format!("{code} as code_{number}"))
        .collect();
    format!(
        "  select id, {cell} as cell, weight\n  from (\n    select cohort.id, {weight} as weight, {}\n    from {from}\n  ) as r",
        named.join(", ")
    )
}

/// The dwellings lost by the census date.
fn lost(scope: &Scope<'_>) -> String {
    let census = scope.census();
    format!(
        "(select id, coalesce(end_reason, 'unknown') as end_reason, coalesce(end_mode, 'unknown') as end_mode \
         from tenancies where loss and moved_out <= {census})"
    )
}

/// The cell's number in row-major order; null for an observation that a dimension says nothing about,
/// [`NO_CELL`] for a code outside its domain.
fn cell(dimensions: &[Domain]) -> String {
    let mut position = "0".to_owned();
    let mut missing = Vec::new();
    for (number, domain) in (1_u32..).zip(dimensions) {
        let codes: Vec<&str> = domain.categories().iter().map(Category::code).collect();
        let size = codes.len();
        position =
            format!("({position}) * {size} + array_position({}, code_{number}) - 1", texts(&codes));
        missing.push(format!("code_{number} is not null"));
    }
    format!("case when {} then coalesce({position}, {NO_CELL}) end", missing.join(" and "))
}

/// Each participant's amounts, held to the bound: `kernel::bound` in SQL.
fn bounded(parts: &mut Parts, statistic: &Statistic) {
    let bound = statistic.bound();
    let (cells, per_cell, total) = (bound.cells(), bound.per_cell(), bound.l1());
    parts.add(
        "wanted",
        format!(
            "  select id, cell, least(sum(weight), {per_cell})::bigint as amount\n  from observations where cell is not null\n  \
             group by id, cell having sum(weight) > 0"
        ),
    );
    parts.add(
        "weighed",
        "  select id, cell, amount, count(*) over person as cells, sum(amount) over person as total\n  \
         from wanted window person as (partition by id)"
            .to_owned(),
    );
    // A cell that is none comes first, so that it is seen. Who is within the bound keeps everything in whatever order: then nothing is hashed.
    let statistic = text(statistic.id().as_str());
    parts.add(
        "placed",
        format!(
            "  select id, cell, amount, case when cell < 0 then ''::bytea when cells > {cells} or total > {total} then substring(sha256({KEY} || '\\x1f'::bytea \
             || convert_to(id, 'UTF8') || '\\x1f'::bytea || convert_to({statistic}, 'UTF8') || '\\x1f'::bytea \
             || convert_to(cell::text, 'UTF8')) from 1 for 8) end as place\n  from weighed"
        ),
    );
    parts.add(
        "filled",
        "  select cell, amount, row_number() over before as number, coalesce(sum(amount) over before, 0) as before\n  \
         from placed window before as (partition by id order by place, cell rows between unbounded preceding and 1 preceding)"
            .to_owned(),
    );
    parts.add(
        "kept",
        format!(
            "  select cell, case when number <= {cells} then least(amount, greatest({total} - before, 0)) else 0 end as kept\n  from filled"
        ),
    );
}

/// The statement that gives the digest of who may be counted, of parts that begin with `$1`.
///
/// # Privacy
/// P1: as `kernel::consent`: keyed, and different under different questions.
pub(super) fn snapshot(scope: &Scope<'_>) -> String {
    let mut parts = Parts::default();
    cohort::add(&mut parts, scope);
    parts.statement(&format!(
        "select sha256({KEY} || coalesce(string_agg(int8send(octet_length(id)) || convert_to(id, 'UTF8'), ''::bytea order by id), ''::bytea)) as digest\nfrom members"
    ))
}
