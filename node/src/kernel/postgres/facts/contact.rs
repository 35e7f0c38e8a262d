//! Contacts: `variable::contact` as SQL.
//!
//! The first step of each sum reads the table alone and groups by its own `participant_id`: a
//! partition, or another server that holds it, can do that by itself.
//!
//! **Invariant:** a month without a form is missing, never zero.

use crate::kernel::postgres::scope::Scope;
use crate::kernel::postgres::statement::Parts;
use crate::kernel::postgres::text::{code, day, folded, name};
use crate::kernel::source::{ContactForm, Table};
use time::Date;

/// `variable::contact::home_visit_band`.
pub(super) const HOME_VISIT_BAND: &str = "case when visit_sums.months is null then 'unknown' when visit_sums.visits = 0 then 'none' \
     when visit_sums.visits < visit_sums.months then 'under_1' when visit_sums.visits < 2 * visit_sums.months then '1_to_under_2' \
     when visit_sums.visits < 4 * visit_sums.months then '2_to_under_4' else '4_or_more' end";

/// Adds `contact_sums`, by category, and `visit_sums`.
pub(super) fn add(parts: &mut Parts, scope: &Scope<'_>) {
    let Some(read) = Read::new(scope) else {
        parts.add(
            "contact_sums",
            "  select ''::text as id, ''::text as code, 0 as amount where false".to_owned(),
        );
        parts.add(
            "visit_sums",
            "  select ''::text as id, 0 as months, 0 as visits where false".to_owned(),
        );
        return;
    };
    let Read { table, rule, amount, category, month, is_recorded } = read;
    let (raw, id) = (name("participant_id"), folded("raw_id"));
    // What was not recorded is left out after the first step: what share of the rows that is, PostgreSQL
    // guesses wrongly, and would rather fetch the rows of another server than let it sum them. (`offset 0`
    // keeps it from moving the condition back.)
    let (recorded, kept) = match is_recorded {
        Some(column) => (name(column), format!("\n  where {} = 'yes'", folded("raw_recorded"))),
        None => ("true".to_owned(), String::new()),
    };
    let coded = category.map_or("null::text".to_owned(), name);
    parts.add(
        "contact_raw",
        format!(
            "  select {raw} as raw_id, {coded} as raw_code, {recorded} as raw_recorded, {amount} as amount\n  \
             from {table}\n  where {rule}\n  group by 1, 2, 3 offset 0"
        ),
    );
    let coded = code("raw_code");
    // One identifier or code that is written in two ways is summed where amounts are.
    parts.add(
        "contact_sums",
        format!("  select {id} as id, {coded} as code, amount\n  from contact_raw{kept}"),
    );
    // What may be a home visit keeps its category, all else is one: which letters a server folds how
    // differs, but not these.
    let maybe = category.map_or("null::text".to_owned(), |column| {
        let column = name(column);
        format!("case when lower({column}::text) like '%home%' then {column}::text end")
    });
    parts.add(
        "visit_raw",
        format!(
            "  select {raw} as raw_id, {month} as on_day, {maybe} as raw_code, {recorded} as raw_recorded, {amount} as amount\n  \
             from {table}\n  where {rule}\n  group by 1, 2, 3, 4 offset 0"
        ),
    );
    let is_visit = format!("{coded} = 'home_visit'");
    parts.add(
        "visit_months",
        format!(
            "  select {id} as id, extract(year from on_day) * 12 + extract(month from on_day) as in_month,\n    \
             coalesce(sum(amount) filter (where {is_visit}), 0) as visits\n  from visit_raw{kept}\n  group by 1, 2"
        ),
    );
    parts.add(
        "visit_sums",
        "  select id, count(*) as months, sum(visits) as visits from visit_months group by id"
            .to_owned(),
    );
}

/// How the contacts of the window's recorded months are read.
struct Read {
    table: String,
    rule: String,
    amount: &'static str,
    category: Option<&'static str>,
    month: String,
    /// The column that says whether a form was filled in; an event always is one.
    is_recorded: Option<&'static str>,
}

impl Read {
    /// `None` if the definition does not see of which month a row is, or whether it was recorded: then
    /// it sees none.
    fn new(scope: &Scope<'_>) -> Option<Self> {
        let sees = |column| scope.sees(Table::Contact, column);
        if !sees("month") || !sees("recorded") || !scope.layout.has(Table::Contact) {
            return None;
        }
        let (month, is_recorded, amount) = match scope.contact_form() {
            ContactForm::Months => (name("month"), Some("recorded"), "sum(\"count\")"),
            ContactForm::Events => (name("date"), None, "count(*)"),
        };
        let (first, last) = (first_of_month(scope.first_day()), last_of_month(scope.who.census));
        let rule = format!("{month} between {} and {}", day(first), day(last));
        Some(Self {
            table: scope.table(Table::Contact),
            rule,
            amount: if sees("count") { amount } else { "sum(0)" },
            category: sees("category").then_some("category"),
            month,
            is_recorded,
        })
    }
}

fn first_of_month(day: Date) -> Date {
    day.replace_day(1).unwrap_or(day)
}

fn last_of_month(day: Date) -> Date {
    day.replace_day(day.month().length(day.year())).unwrap_or(day)
}
