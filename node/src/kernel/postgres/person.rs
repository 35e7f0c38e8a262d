//! One participant's rows, for that participant's own report.
//!
//! **Invariant:** the identifier is a parameter, and only rows that have it are read.

use super::cohort;
use super::error::{PostgresError, What};
use super::layout::Layout;
use super::session::Session;
use super::text::{code, folded, name, optional_code};
use crate::kernel::person::{
    Baseline, CalendarMonth, Complaint, ComplaintKind, ComplaintSource, Consent, ConsentMode,
    ConsentStatus, Contact, ContactCategory, EndMode, EndReason, ExitReason, Gender,
    HousingAtIntake, Participant, Person, PersonId, Satisfaction, SatisfactionItem, Setting,
    Severity, SpecialistFollowUp, Stay, StayKind, Tenancy, Tenure, When, YesNo,
};
use crate::kernel::source::{ContactForm, Kind, Table};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};
use time::Date;
use time::macros::format_description;

/// The cells of one row, as text.
struct Cells<'r> {
    row: &'r PgRow,
    table: Table,
}

/// What a cell may be, if the row was checked.
type Read<T> = Result<T, PostgresError>;

impl Cells<'_> {
    fn broke(&self) -> PostgresError {
        PostgresError::Broke { what: What::Person(self.table) }
    }

    fn text(&self, column: &str) -> Read<Option<String>> {
        self.row.try_get(column).map_err(|_| self.broke())
    }

    fn code<T>(&self, column: &str, from_code: fn(&str) -> Option<T>) -> Read<T> {
        self.optional_code(column, from_code)?.ok_or_else(|| self.broke())
    }

    fn optional_code<T>(&self, column: &str, from_code: fn(&str) -> Option<T>) -> Read<Option<T>> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        from_code(&text).map(Some).ok_or_else(|| self.broke())
    }

    fn optional_date(&self, column: &str) -> Read<Option<When>> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        if text == "-infinity" {
            return Ok(Some(When::Unknown));
        }
        let day = Date::parse(&text, format_description!("[year]-[month]-[day]"));
        day.map(|day| Some(When::On(day))).map_err(|_| self.broke())
    }

    fn date(&self, column: &str) -> Read<When> {
        Ok(self.optional_date(column)?.unwrap_or(When::Unknown))
    }

    fn number<T: std::str::FromStr>(&self, column: &str) -> Read<Option<T>> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.broke())
    }
}

/// Everything that is recorded of one participant; `None` of somebody who is none.
pub(super) fn read(session: &mut Session, layout: &Layout, id: &PersonId) -> Read<Option<Person>> {
    let Some(participant) =
        rows(session, layout, id, Table::Participant, participant)?.into_iter().next()
    else {
        return Ok(None);
    };
    let contact = match layout.contact_form() {
        ContactForm::Months => contact_month,
        ContactForm::Events => contact_event,
    };
    Ok(Some(Person {
        participant,
        consents: rows(session, layout, id, Table::Consent, consent)?,
        tenancies: rows(session, layout, id, Table::Tenancy, tenancy)?,
        stays: rows(session, layout, id, Table::Stay, stay)?,
        complaints: rows(session, layout, id, Table::Complaint, complaint)?,
        contacts: rows(session, layout, id, Table::Contact, contact)?,
        baselines: rows(session, layout, id, Table::Baseline, baseline)?,
        satisfactions: rows(session, layout, id, Table::Satisfaction, satisfaction)?,
    }))
}

fn rows<T>(
    session: &mut Session,
    layout: &Layout,
    id: &PersonId,
    table: Table,
    parse: fn(&Cells<'_>) -> Read<T>,
) -> Read<Box<[T]>> {
    if !layout.has(table) {
        return Ok(Box::default());
    }
    let columns: Vec<String> = table
        .columns(layout.contact_form())
        .iter()
        .map(|column| {
            let own = name(column.name);
            let text = match column.kind {
                Kind::Person => "''".to_owned(),
                Kind::Code(_) => code(column.name),
                Kind::OptionalCode(_) => optional_code(column.name),
                Kind::Purpose => cohort::purpose(),
                Kind::Text => cohort::form(),
                Kind::Date | Kind::OptionalDate | Kind::Month | Kind::Year | Kind::Number => {
                    format!("{own}::text")
                }
            };
            format!("{text} as {own}")
        })
        .collect();
    let (key, from) = (folded("participant_id"), layout.table(table));
    let statement = format!("select {} from {from} where {key} = $1::text", columns.join(", "));
    let key = String::from_utf8_lossy(id.as_bytes()).into_owned();
    let query = sqlx::query(AssertSqlSafe(statement)).bind(key);
    let found = session.all(What::Person(table), query)?;
    found.iter().map(|row| parse(&Cells { row, table })).collect()
}

fn participant(row: &Cells<'_>) -> Read<Participant> {
    Ok(Participant {
        intake: row.date("intake_date")?,
        birth_year: row.number("birth_year")?,
        gender: row.code("gender", Gender::from_code)?,
        housing_at_intake: row.code("housing_at_intake", HousingAtIntake::from_code)?,
        specialist_follow_up: row.code("specialist_follow_up", SpecialistFollowUp::from_code)?,
        substitution_treatment: row.code("substitution_treatment", YesNo::from_code)?,
        exit: row.optional_date("exit_date")?,
        exit_reason: row.optional_code("exit_reason", ExitReason::from_code)?,
    })
}

fn consent(row: &Cells<'_>) -> Read<Consent> {
    Ok(Consent {
        purpose: row.text("purpose")?.unwrap_or_default().into(),
        status: row.code("status", ConsentStatus::from_code)?,
        mode: row.code("mode", ConsentMode::from_code)?,
        date: row.date("date")?,
        form_version: row.text("form_version")?.unwrap_or_default().into(),
        valid_until: row.optional_date("valid_until")?,
        withdrawn_on: row.optional_date("withdrawn_on")?,
    })
}

fn tenancy(row: &Cells<'_>) -> Read<Tenancy> {
    Ok(Tenancy {
        dwelling_no: row.number("dwelling_no")?,
        tenure: row.code("tenure", Tenure::from_code)?,
        setting: row.code("setting", Setting::from_code)?,
        moved_in: row.date("moved_in")?,
        moved_out: row.optional_date("moved_out")?,
        end_mode: row.optional_code("end_mode", EndMode::from_code)?,
        end_reason: row.optional_code("end_reason", EndReason::from_code)?,
    })
}

fn stay(row: &Cells<'_>) -> Read<Stay> {
    Ok(Stay {
        kind: row.code("kind", StayKind::from_code)?,
        from: row.date("from")?,
        to: row.optional_date("to")?,
    })
}

fn complaint(row: &Cells<'_>) -> Read<Complaint> {
    Ok(Complaint {
        date: row.date("date")?,
        source: row.code("source", ComplaintSource::from_code)?,
        kind: row.code("kind", ComplaintKind::from_code)?,
        three_way_meeting: row.code("three_way_meeting", YesNo::from_code)?,
    })
}

fn month_of(when: When) -> Option<CalendarMonth> {
    when.day().map(|day| CalendarMonth { year: day.year(), month: u8::from(day.month()) })
}

fn contact_month(row: &Cells<'_>) -> Read<Contact> {
    let count = row.number("count")?;
    let recorded = row.code("recorded", YesNo::from_code)?;
    Ok(Contact {
        month: month_of(row.date("month")?),
        category: row.code("category", ContactCategory::from_code)?,
        count: count.unwrap_or(0),
        recorded: if count.is_some() { recorded } else { YesNo::No },
    })
}

fn contact_event(row: &Cells<'_>) -> Read<Contact> {
    Ok(Contact {
        month: month_of(row.date("date")?),
        category: row.code("category", ContactCategory::from_code)?,
        count: 1,
        recorded: YesNo::Yes,
    })
}

fn baseline(row: &Cells<'_>) -> Read<Baseline> {
    Ok(Baseline {
        date: row.date("date")?,
        alcohol: row.code("alcohol", Severity::from_code)?,
        drugs: row.code("drugs", Severity::from_code)?,
        mental_health: row.code("mental_health", Severity::from_code)?,
    })
}

fn satisfaction(row: &Cells<'_>) -> Read<Satisfaction> {
    Ok(Satisfaction {
        date: row.date("date")?,
        item: row.code("item", SatisfactionItem::from_code)?,
        score: row.number("score")?,
    })
}
