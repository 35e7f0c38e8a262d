//! Which of the tables a database has, and whether their columns can be counted.
//!
//! **Invariant:** a layout exists only if every column of every table that is there has a type that the
//! statements read as an export's cell is read.

use super::config::PostgresConfig;
use super::error::{ColumnFault, PostgresError, What};
use super::session::Session;
use super::text::name;
use crate::kernel::source::{ContactForm, Kind, Table};
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};

/// The tables of one schema.
pub(super) struct Layout {
    schema: String,
    present: BTreeSet<Table>,
    form: ContactForm,
    is_writable: bool,
}

/// What the catalogue says of a column.
struct Found {
    kind: String,
    is_readable: bool,
    is_deterministic: bool,
}

const COLUMNS: &str = "select c.relname::text as relation, a.attname::text as attribute,
  case when b.typcategory in ('S', 'E') then 'text' when b.oid = 'date'::regtype then 'date'
    when b.oid in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) then 'whole'
    when b.oid = 'uuid'::regtype then 'uuid' else 'other' end as kind,
  has_column_privilege(c.oid, a.attnum, 'SELECT') as is_readable,
  has_table_privilege(c.oid, 'INSERT') or has_table_privilege(c.oid, 'UPDATE') or has_table_privilege(c.oid, 'DELETE') as is_writable,
  coalesce(l.collisdeterministic, true) as is_deterministic
from pg_namespace n
join pg_class c on c.relnamespace = n.oid and c.relkind in ('r', 'v', 'm', 'f', 'p')
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
left join pg_collation l on l.oid = a.attcollation
where n.nspname = $1 and c.relname = any($2)";

const SCHEMA: &str =
    "select count(*) from pg_namespace where nspname = $1 and has_schema_privilege(oid, 'USAGE')";

impl Layout {
    /// Looks up the tables of the configured schema.
    pub(super) fn read(session: &mut Session) -> Result<Self, PostgresError> {
        let PostgresConfig { schema, user, .. } = session.config().clone();
        let usable: i64 = session.one(What::Layout, sqlx::query_scalar(SCHEMA).bind(&schema))?;
        if usable == 0 {
            return Err(PostgresError::NoSchema { schema, user });
        }
        let names: Vec<String> = Table::ALL.iter().map(|table| table.name().to_owned()).collect();
        let rows = session.all(What::Layout, sqlx::query(COLUMNS).bind(&schema).bind(&names))?;
        let mut found: BTreeMap<String, BTreeMap<String, Found>> = BTreeMap::new();
        let mut is_writable = false;
        for row in rows {
            let broke = |_| PostgresError::Broke { what: What::Layout };
            let (relation, attribute): (String, String) =
                (row.try_get("relation").map_err(broke)?, row.try_get("attribute").map_err(broke)?);
            is_writable |= row.try_get::<bool, _>("is_writable").map_err(broke)?;
            let column = Found {
                kind: row.try_get("kind").map_err(broke)?,
                is_readable: row.try_get("is_readable").map_err(broke)?,
                is_deterministic: row.try_get("is_deterministic").map_err(broke)?,
            };
            found.entry(relation).or_default().insert(attribute, column);
        }
        let contact = found.get(Table::Contact.name());
        let has = |column| contact.is_some_and(|columns| columns.contains_key(column));
        let form =
            if has("date") && !has("month") { ContactForm::Events } else { ContactForm::Months };
        let mut present = BTreeSet::new();
        for table in Table::ALL {
            match found.get(table.name()) {
                Some(columns) => {
                    check(table, form, columns)?;
                    present.insert(table);
                }
                None if table.is_required() => {
                    return Err(PostgresError::Required { schema, table });
                }
                None => {}
            }
        }
        Ok(Self { schema, present, form, is_writable })
    }

    /// Whether a table is there.
    pub(super) fn has(&self, table: Table) -> bool {
        self.present.contains(&table)
    }

    /// A table's name in a statement.
    pub(super) fn table(&self, table: Table) -> String {
        format!("{}.{}", name(&self.schema), name(table.name()))
    }

    /// How contacts are recorded: by month, or one by one if there is a date and no month.
    pub(super) fn contact_form(&self) -> ContactForm {
        self.form
    }

    /// Whether the role could write to one of the tables, outside a read-only transaction.
    pub(super) fn is_writable(&self) -> bool {
        self.is_writable
    }
}

fn check(
    table: Table,
    form: ContactForm,
    columns: &BTreeMap<String, Found>,
) -> Result<(), PostgresError> {
    for column in table.columns(form) {
        let bad = |fault| PostgresError::Column { table, column: column.name, fault };
        let (needs, kinds): (_, &[&str]) = match column.kind {
            Kind::Person => ("text", &["text", "whole", "uuid"]),
            Kind::Code(_) | Kind::OptionalCode(_) | Kind::Purpose | Kind::Text => {
                ("text", &["text"])
            }
            Kind::Date | Kind::OptionalDate | Kind::Month => ("date", &["date"]),
            Kind::Year | Kind::Number => ("integer", &["whole"]),
        };
        let found = columns.get(column.name).ok_or_else(|| bad(ColumnFault::Missing { needs }))?;
        if !kinds.contains(&found.kind.as_str()) {
            return Err(bad(ColumnFault::Type { needs }));
        }
        if !found.is_readable {
            return Err(bad(ColumnFault::Denied));
        }
        if !found.is_deterministic {
            return Err(bad(ColumnFault::Collation));
        }
    }
    Ok(())
}
