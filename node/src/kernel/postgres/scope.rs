//! What a statement is made for: one table of a round, in one database.
//!
//! **Invariant:** a column that the table's definition does not declare is not in its statement: in
//! its place stands what `minimise` puts there.

use super::layout::Layout;
use super::text::{self, day};
use crate::kernel::consent::{Terms, Withdrawal};
use crate::kernel::source::{ContactForm, Table};
use fellestall_shared::ids::Purpose;
use fellestall_shared::period::Period;
use fellestall_shared::statistic::Window;
use fellestall_shared::wire::v1::{LegalBasis, Residence};
use std::collections::BTreeSet;
use time::Date;

/// Who is counted, and for which period.
#[derive(Clone)]
pub(super) struct Who<'q> {
    pub(super) purpose: &'q Purpose,
    pub(super) basis: LegalBasis,
    pub(super) terms: &'q Terms,
    pub(super) residence: Residence,
    /// The last day of the period.
    pub(super) census: Date,
    /// The period; `None` if it does not matter.
    pub(super) period: Option<Period>,
}

impl Who<'_> {
    /// Whether a withdrawal after the period counts too.
    pub(super) fn is_at_once(&self) -> bool {
        self.terms.withdrawal == Withdrawal::AtOnce
    }
}

/// What one statement may see.
pub(super) struct Scope<'q> {
    pub(super) who: &'q Who<'q>,
    pub(super) layout: &'q Layout,
    pub(super) declared: &'q BTreeSet<String>,
    pub(super) window: Window,
}

/// A column of a part: what the definition calls it, how it is read, what stands there if it is not
/// declared, and its name in the part.
pub(super) type Item = (&'static str, String, &'static str, &'static str);

impl Scope<'_> {
    /// The census date.
    pub(super) fn census(&self) -> String {
        day(self.who.census)
    }

    /// The first day of the window.
    pub(super) fn first_day(&self) -> Date {
        match (self.window, self.who.period) {
            (Window::CensusDate, _) | (_, None) => self.who.census,
            (Window::Period, Some(period)) => period.first_day(),
            (Window::LastQuarter, Some(period)) => period.last_quarter().first_day(),
        }
    }

    /// The first day of the window, as SQL.
    pub(super) fn start(&self) -> String {
        day(self.first_day())
    }

    /// The name of a table in the database.
    pub(super) fn table(&self, table: Table) -> String {
        self.layout.table(table)
    }

    /// How contacts are recorded.
    pub(super) fn contact_form(&self) -> ContactForm {
        self.layout.contact_form()
    }

    /// Whether a column is declared, as `tenancy.moved_in`.
    pub(super) fn sees(&self, table: Table, column: &str) -> bool {
        self.declared.contains(&format!("{table}.{column}"))
    }

    /// The select list of some columns.
    pub(super) fn select(&self, table: Table, items: &[Item]) -> String {
        let items: Vec<String> = items
            .iter()
            .map(|(column, read, instead, alias)| {
                let value = if self.sees(table, column) { read.as_str() } else { instead };
                format!("{value} as {alias}")
            })
            .collect();
        items.join(", ")
    }

    /// The rows of a table, with these of its columns; none if none of them is declared, or the table
    /// is not recorded.
    pub(super) fn rows(&self, table: Table, items: &[Item]) -> String {
        let is_seen = items.iter().any(|(column, ..)| self.sees(table, column));
        if !is_seen || !self.layout.has(table) {
            let items: Vec<String> = items
                .iter()
                .map(|(_, _, instead, alias)| format!("{instead} as {alias}"))
                .collect();
            return format!("  select ''::text as id, {} where false", items.join(", "));
        }
        format!(
            "  select {} as id, {}\n  from {}",
            text::folded("participant_id"),
            self.select(table, items),
            self.table(table)
        )
    }
}

/// What stands for a day that is not seen.
pub(super) const NO_DAY: &str = "null::date";
/// What stands for a code that is not seen.
pub(super) const UNKNOWN: &str = "'unknown'::text";
/// What stands for something that is not seen to have happened.
pub(super) const NOTHING: &str = "null::text";
