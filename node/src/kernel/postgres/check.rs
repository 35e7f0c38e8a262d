//! Whether the rows of a database can be counted: the rules of `source::rows`, as SQL.
//!
//! Of each table it is looked at whose rows there are, and then at what rows say. Rows that are alike in
//! what is looked at are checked once, and of either there are few kinds. Only where a rule is broken it is
//! looked at both together, which are many: that says how many rows break which rule first.
//!
//! **Invariant:** an answer holds rules and numbers of rows; a number is for the operator's screen
//! alone and not in an error.

use super::error::{PostgresError, What};
use super::layout::Layout;
use super::session::Session;
use super::text::{folded, name, texts, trimmed};
use crate::kernel::source::{
    Column, ContactForm, Kind, QualityReport, RejectedRows, Table, TableReport,
};
use fellestall_shared::limits::REFUSED_ROWS;
use serde::Serialize;
use sqlx::{AssertSqlSafe, Row};
use std::fmt;

/// A rule that rows of a table break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The table.
    pub table: Table,
    /// The column.
    pub column: &'static str,
    /// The rule.
    pub rule: FlawRule,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $mend:literal;)+) => {
        /// Why a row in a database cannot be used.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FlawRule {
            $($(#[$doc])* $name,)+
        }

        impl FlawRule {
            fn words(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => ($what, $mend),)+
                }
            }
        }
    };
}

rules! {
    /// No participant identifier.
    ParticipantBlank: "the participant's identifier is null, blank or \"unknown\"",
        "fill it in, or leave the row out in the view";
    /// A letter or sign that two programs may fold in two ways.
    ParticipantSigns: "the participant's identifier has other signs than letters a to z, digits and the signs of ASCII",
        "give the participant another identifier in the view, the same in every table";
    /// A second row for one participant.
    ParticipantTwice: "the participant has several rows (capital letters and spaces around the identifier do not count)",
        "keep the right one";
    /// A row of nobody in the participant table.
    ParticipantMissing: "the participant has no row in the participant table",
        "correct the identifier, add the participant, or leave the row out in the view";
    /// No purpose.
    PurposeMissing: "a consent without a purpose",
        "fill in the purpose";
    /// A purpose that no purpose can be.
    PurposeSigns: "the purpose has other signs than those of ASCII, and could hide a withdrawal",
        "write it as the register of processing does";
    /// A code that is none.
    UnknownCode: "the code is not known",
        "translate it in the view (case ... end); null is what is not known";
    /// A day out of range.
    NotADate: "not a day between 1900 and 2100",
        "correct it; null is what is not known or has not happened, '-infinity' what happened on an unknown day";
    /// A year of birth out of range.
    BirthYear: "not a year of birth between 1900 and 2100",
        "correct it; null if it is not known";
    /// A count out of range.
    NotANumber: "not a whole number from 0 to 4294967295",
        "correct it";
    /// A count that is not there.
    CountMissing: "no count, though the row says that it is recorded; null is not zero",
        "write 0 if there was none, or set recorded to no";
    /// A score off the scale.
    Score: "not a score from 1 to 7",
        "correct it; null if it is not recorded";
    /// A dwelling number that is none.
    DwellingNumber: "not a dwelling number from 1 to 4294967295",
        "number each participant's dwellings 1, 2, 3; null if it is not recorded";
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, mend) = self.rule.words();
        write!(f, "{}.{}: {what}; {mend}", self.table, self.column)
    }
}

/// How many rows break a rule; for the operator's own screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlawedRows {
    /// The rule.
    #[serde(flatten)]
    pub flaw: Flaw,
    /// How many rows.
    pub rows: u64,
}

impl fmt::Display for FlawedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        write!(f, "{} {rows} of {}", self.rows, self.flaw)
    }
}

/// What the check of one table found.
pub(super) struct Checked {
    /// Rows.
    pub(super) read: u64,
    /// The rules that are broken, with the number of rows.
    pub(super) flaws: Vec<(Flaw, u64)>,
}

/// What of its rows is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Whose they are; participants are counted then, and not rows.
    Whose,
    /// What they say.
    What,
    /// Both: a row that breaks two rules is counted under the first.
    Both,
}

/// Checks one table.
pub(super) fn table(
    session: &mut Session,
    layout: &Layout,
    table: Table,
) -> Result<Checked, PostgresError> {
    let mut first = look(session, layout, table, Look::Whose)?;
    if first.flaws.is_empty() {
        first = look(session, layout, table, Look::What)?;
    }
    if first.flaws.is_empty() {
        return Ok(first);
    }
    let both = look(session, layout, table, Look::Both)?;
    // A view may say something else each time. What was found once is not forgotten.
    Ok(if both.flaws.is_empty() { first } else { both })
}

impl Look {
    /// Whether it is looked at this column.
    fn sees(self, column: &str) -> bool {
        match self {
            Self::Whose => column == PERSON,
            Self::What => column != PERSON,
            Self::Both => true,
        }
    }
}

/// The column that says whose a row is.
const PERSON: &str = "participant_id";

fn look(
    session: &mut Session,
    layout: &Layout,
    table: Table,
    look: Look,
) -> Result<Checked, PostgresError> {
    let rules = rules(table, layout.contact_form());
    let statement = statement(table, layout, &rules, look);
    let what = What::Check(table);
    let rows = session.all(what.clone(), sqlx::query(AssertSqlSafe(statement)))?;
    let broke = |_| PostgresError::Broke { what: what.clone() };
    let mut checked = Checked { read: 0, flaws: Vec::new() };
    for row in rows {
        let rule: i32 = row.try_get("rule").map_err(broke)?;
        let number: i64 = row.try_get("rows").map_err(broke)?;
        let number = u64::try_from(number).unwrap_or(0);
        checked.read = checked.read.saturating_add(number);
        if rule == 0 {
            continue;
        }
        let place = usize::try_from(rule).ok().and_then(|rule| rule.checked_sub(1));
        let broken = place.and_then(|place| rules.get(place));
        let broken = broken.ok_or(PostgresError::Broke { what: what.clone() })?;
        let flaw = Flaw { table, column: broken.column, rule: broken.rule };
        checked.flaws.push((flaw, number));
    }
    Ok(checked)
}

/// What is wrong with the records.
pub(super) fn report(
    session: &mut Session,
    layout: &Layout,
) -> Result<QualityReport, PostgresError> {
    if layout.is_writable() {
        tracing::warn!(
            "the role may write to the tables; it needs SELECT alone (every transaction of this program is read-only)"
        );
    }
    let mut report = QualityReport::new(RejectedRows::Refuse);
    for one in Table::ALL {
        let is_present = layout.has(one);
        let checked = if is_present {
            table(session, layout, one)?
        } else {
            Checked { read: 0, flaws: Vec::new() }
        };
        let rejected = checked.flaws.iter().fold(0_u64, |sum, (_, rows)| sum.saturating_add(*rows));
        report.tables.push(TableReport {
            table: one,
            file: format!("{}.{one}", session.config().schema),
            present: is_present,
            read: checked.read,
            accepted: checked.read.saturating_sub(rejected),
            rejected,
            left_out: 0,
        });
        report.rejected.total = report.rejected.total.saturating_add(rejected);
        report
            .flaws
            .extend(checked.flaws.into_iter().map(|(flaw, rows)| FlawedRows { flaw, rows }));
    }
    Ok(report)
}

/// Refuses records of which any row cannot be used.
///
/// # Privacy
/// P3: the error says which rule is broken, and not by how many or whom.
pub(super) fn refuse_broken(session: &mut Session, layout: &Layout) -> Result<(), PostgresError> {
    let mut first = Vec::new();
    for one in Table::ALL.into_iter().filter(|one| layout.has(*one)) {
        first.extend(table(session, layout, one)?.flaws.into_iter().map(|(flaw, _)| flaw));
    }
    if first.is_empty() {
        return Ok(());
    }
    let more = first.len() > REFUSED_ROWS;
    first.truncate(REFUSED_ROWS);
    Err(PostgresError::Broken { first, more })
}

/// A rule of a table: whether a group of rows breaks it.
struct Test {
    column: &'static str,
    rule: FlawRule,
    /// Over the columns of the group.
    breaks: String,
}

/// What is seen of a column: its own text, or whether it is out of range.
fn seen_of(column: Column) -> Option<(String, String)> {
    let own = name(column.name);
    let seen = match column.kind {
        Kind::Person | Kind::Code(_) | Kind::OptionalCode(_) | Kind::Purpose => own.clone(),
        Kind::Date | Kind::OptionalDate | Kind::Month => format!(
            "coalesce({own} <> date '-infinity' and ({own} < date '1900-01-01' or {own} > date '2100-12-31'), false)"
        ),
        Kind::Year => format!("coalesce({own} < 1900 or {own} > 2100, false)"),
        Kind::Number if column.name == "score" => {
            format!("coalesce({own} < 1 or {own} > 7, false)")
        }
        Kind::Number if column.name == "count" => {
            format!(
                "case when {own} is null then 0 when {own} < 0 or {own} > 4294967295 then 2 else 1 end"
            )
        }
        Kind::Number => format!("coalesce({own} < 1 or {own} > 4294967295, false)"),
        Kind::Text => return None,
    };
    Some((seen, own))
}

/// The rules of a table, in the order in which a row is read.
fn rules(table: Table, form: ContactForm) -> Vec<Test> {
    let mut tests = Vec::new();
    for column in table.columns(form) {
        let (own, text) = (name(column.name), folded(column.name));
        let mut add = |rule, breaks: String| tests.push(Test { column: column.name, rule, breaks });
        let blank = format!("coalesce({text}, '') in ('', 'unknown')");
        let signs = format!("{} collate \"C\" ~ '[^ -~]'", trimmed(column.name));
        match column.kind {
            Kind::Person => {
                add(FlawRule::ParticipantBlank, blank);
                add(FlawRule::ParticipantSigns, signs);
            }
            Kind::Purpose => {
                add(FlawRule::PurposeMissing, blank);
                add(FlawRule::PurposeSigns, signs);
            }
            Kind::Code(codes) | Kind::OptionalCode(codes) => add(
                FlawRule::UnknownCode,
                format!("coalesce({text}, '') <> all ({} || ''::text)", texts(codes)),
            ),
            Kind::Date | Kind::OptionalDate | Kind::Month => add(FlawRule::NotADate, own),
            Kind::Year => add(FlawRule::BirthYear, own),
            Kind::Number if column.name == "score" => add(FlawRule::Score, own),
            Kind::Number if column.name == "count" => {
                add(FlawRule::NotANumber, format!("{own} = 2"));
                let recorded = folded("recorded");
                add(FlawRule::CountMissing, format!("{own} = 0 and {recorded} = 'yes'"));
            }
            Kind::Number => add(FlawRule::DwellingNumber, own),
            Kind::Text => {}
        }
    }
    let (rule, breaks) = match table {
        Table::Participant => (FlawRule::ParticipantTwice, "is_twice"),
        _ => (FlawRule::ParticipantMissing, "is_missing"),
    };
    tests.push(Test { column: PERSON, rule, breaks: breaks.to_owned() });
    tests
}

/// Rows of `(rule, rows)`, rule 0 being none.
fn statement(table: Table, layout: &Layout, rules: &[Test], look: Look) -> String {
    let columns = table.columns(layout.contact_form());
    let seen = columns.iter().filter(|column| look.sees(column.name));
    let seen: Vec<(String, String)> = seen.filter_map(|column| seen_of(*column)).collect();
    let select: Vec<String> = seen.iter().map(|(seen, own)| format!("{seen} as {own}")).collect();
    let group: Vec<String> = (1..=seen.len()).map(|number| number.to_string()).collect();
    let cases: Vec<String> = (1..)
        .zip(rules)
        .filter(|(_, rule): &(u32, &Test)| look.sees(rule.column))
        .map(|(number, rule)| format!("when {} then {number}", rule.breaks))
        .collect();
    let id = folded(PERSON);
    let (select, group, cases) = (select.join(", "), group.join(", "), cases.join("\n      "));
    let (from, people) = (layout.table(table), layout.table(Table::Participant));
    // Whose rows there are, another server tells rather than how many each has.
    let is_counted = look != Look::Whose || table == Table::Participant;
    let rows = if is_counted { "count(*)" } else { "1" };
    let (extra, joined) = match table {
        _ if look == Look::What => (String::new(), String::new()),
        Table::Participant => {
            (format!(", sum(rows) over (partition by {id}) > 1 as is_twice"), String::new())
        }
        _ => (
            ", people.id is null as is_missing".to_owned(),
            format!(
                "\n      left join (select distinct {id} as id from {people}) as people on people.id = {id_of}",
                id_of = id.replace("\"participant_id\"", "alike.\"participant_id\"")
            ),
        ),
    };
    format!(
        "select case {cases}\n      else 0 end as rule, sum(rows)::bigint as rows\nfrom (\n    select alike.*{extra}\n    from (\n      \
         select {select}, {rows} as rows\n      from {from}\n      group by {group}\n    ) as alike{joined}\n  ) as r\ngroup by 1\norder by 1"
    )
}
