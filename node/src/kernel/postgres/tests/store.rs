//! A database that holds drawn records.
//!
//! **Invariant:** for tests alone. What a row says is what the person says, however it is written.

use super::cluster::Postgres;
use super::drawn::Draw;
use crate::kernel::person::{EndMode, EndReason, ExitReason, Person, PersonId, When};
use crate::kernel::postgres::{PostgresConfig, Tls};
use crate::kernel::records::{Member, Records};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::fmt::Write;
use std::time::Duration;
use time::Date;
use tokio::runtime::Runtime;

/// The eight tables, as a municipality may make them.
pub const TABLES: &str = "
create table participant (participant_id text, intake_date date, birth_year integer, gender text, housing_at_intake varchar(40), specialist_follow_up text, substitution_treatment text, exit_date date, exit_reason text);
create table consent (participant_id text, purpose text, status text, mode text, date date, form_version text, valid_until date, withdrawn_on date);
create table tenancy (participant_id text, dwelling_no integer, tenure text, setting text, moved_in date, moved_out date, end_mode text, end_reason text);
create table stay (participant_id text, kind text, \"from\" date, \"to\" date);
create table complaint (participant_id text, date date, source text, kind text, three_way_meeting text);
create table contact (participant_id text, month date, category text, count bigint, recorded text);
create table baseline (participant_id text, date date, alcohol text, drugs text, mental_health text);
create table satisfaction (participant_id text, date date, item text, score smallint);
";

const NAMES: [&str; 8] = [
    "participant",
    "consent",
    "tenancy",
    "stay",
    "complaint",
    "contact",
    "baseline",
    "satisfaction",
];

/// A cluster with one schema of tables.
pub struct Store {
    // Before the cluster: the connection is closed while it runs.
    admin: PgConnection,
    runtime: Runtime,
    pub config: PostgresConfig,
    /// Runs as long as the store is there.
    _cluster: Postgres,
}

impl Store {
    /// A cluster with these tables in the schema `stat`.
    pub fn new(tables: &str) -> Self {
        let mut store = Self::of(Postgres::start().expect("PostgreSQL"), "postgres");
        store.run(&format!("create schema stat; set search_path = stat; {tables}"));
        store
    }

    /// A database of a cluster, as its owner sees it.
    fn of(cluster: Postgres, database: &str) -> Self {
        let config = PostgresConfig {
            host: cluster.folder().display().to_string(),
            port: 5432,
            database: database.to_owned(),
            user: "test".to_owned(),
            schema: "stat".to_owned(),
            password_file: None,
            ca_file: None,
            tls: Tls::Off,
            statement_timeout: Duration::from_mins(1),
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let admin = runtime.block_on(connect(&config));
        Self { admin, runtime, config, _cluster: cluster }
    }

    /// Runs statements.
    pub fn run(&mut self, statements: &str) {
        let asked = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut self.admin);
        self.runtime.block_on(asked).expect("statements that run");
    }

    /// Connects to another database of the cluster instead.
    pub fn turn_to(&mut self, database: &str) {
        self.config.database = database.to_owned();
        self.admin = self.runtime.block_on(connect(&self.config));
    }

    /// Puts these records in the place of all others.
    pub fn load(&mut self, records: &Records, draw: &mut Draw) {
        self.load_as(records, draw, true);
    }

    /// The same where contacts are recorded one by one.
    pub fn load_events(&mut self, records: &Records, draw: &mut Draw) {
        self.load_as(records, draw, false);
    }

    fn load_as(&mut self, records: &Records, draw: &mut Draw, is_monthly: bool) {
        let mut text = String::new();
        for name in NAMES {
            write!(text, "delete from stat.{name};").expect("a text");
        }
        for Member { id, person, .. } in records.people() {
            insert(&mut text, id, person, (draw, is_monthly));
        }
        self.run(&text);
    }
}

/// The same tables, each in three parts by the hash of the participant's identifier.
pub fn partitioned() -> String {
    let mut text = TABLES.replace(");\n", ") partition by hash (participant_id);\n");
    for name in NAMES {
        for part in 0..3 {
            write!(
                text,
                "create table {name}_{part} partition of {name} for values with (modulus 3, remainder {part});"
            )
            .expect("a text");
        }
    }
    text
}

/// A cluster with two databases that hold half of each table, and a third that counts over both.
pub fn sharded() -> Store {
    let mut store = Store::new("");
    let folder = store.config.host.clone();
    let mut text = TABLES.replace(");\n", ") partition by hash (participant_id);\n");
    for shard in 0..2 {
        store.run(&format!("create database shard{shard}"));
    }
    for shard in 0..2 {
        store.turn_to(&format!("shard{shard}"));
        store.run(&format!("create schema stat; set search_path = stat; {TABLES}"));
        write!(
            text,
            "create server shard{shard} foreign data wrapper postgres_fdw options (host '{folder}', dbname 'shard{shard}', use_remote_estimate 'true');
             create user mapping for test server shard{shard} options (user 'test', password_required 'false');"
        )
        .expect("a text");
        for name in NAMES {
            write!(
                text,
                "create foreign table {name}_{shard} partition of {name} for values with (modulus 2, remainder {shard})
                 server shard{shard} options (schema_name 'stat', table_name '{name}');"
            )
            .expect("a text");
        }
    }
    store.turn_to("postgres");
    store.run(&format!("create extension postgres_fdw; set search_path = stat, public; {text}"));
    store
}

async fn connect(config: &PostgresConfig) -> PgConnection {
    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
        .socket(&config.host)
        .username(&config.user)
        .database(&config.database)
        .disable_statement_logging();
    PgConnection::connect_with(&options).await.expect("a connection")
}

/// A text as somebody may have written it.
fn dirty(text: &str, draw: &mut Draw) -> String {
    let text = match draw.below(6) {
        0 => text.to_uppercase(),
        1 => format!("  {text}"),
        2 => format!("\t{text} \n"),
        _ => text.to_owned(),
    };
    format!("'{text}'")
}

fn code(code: &str, draw: &mut Draw) -> String {
    match draw.below(4) {
        0 if code == "unknown" => "null".to_owned(),
        1 if code == "unknown" => "' '".to_owned(),
        _ => dirty(code, draw),
    }
}

fn optional(code: Option<&'static str>, draw: &mut Draw) -> String {
    match code {
        None if draw.one_in(2) => "''".to_owned(),
        None => "null".to_owned(),
        Some(code) => dirty(code, draw),
    }
}

fn on(day: Date) -> String {
    format!("'{day}'")
}

fn day(when: When, draw: &mut Draw) -> String {
    match when {
        When::On(day) => on(day),
        When::Unknown if draw.one_in(2) => "'-infinity'".to_owned(),
        When::Unknown => "null".to_owned(),
    }
}

fn optional_day(when: Option<When>) -> String {
    match when {
        None => "null".to_owned(),
        Some(When::Unknown) => "'-infinity'".to_owned(),
        Some(When::On(day)) => on(day),
    }
}

fn number<T: std::fmt::Display>(number: Option<T>) -> String {
    number.map_or("null".to_owned(), |number| number.to_string())
}

/// The rows of one person.
fn insert(
    text: &mut String,
    id: &PersonId,
    person: &Person,
    (draw, is_monthly): (&mut Draw, bool),
) {
    let id = String::from_utf8(id.as_bytes().to_vec()).expect("a text");
    let mut row = |table: &str, draw: &mut Draw, values: &[String]| {
        let id = dirty(&id, draw);
        write!(text, "insert into stat.{table} values ({id}, {});", values.join(", "))
            .expect("a text");
    };
    let p = &person.participant;
    let values = [
        day(p.intake, draw),
        number(p.birth_year),
        code(p.gender.code(), draw),
        code(p.housing_at_intake.code(), draw),
        code(p.specialist_follow_up.code(), draw),
        code(p.substitution_treatment.code(), draw),
        optional_day(p.exit),
        optional(p.exit_reason.map(ExitReason::code), draw),
    ];
    row("participant", draw, &values);
    for one in &person.consents {
        let values = [
            dirty(&one.purpose, draw),
            code(one.status.code(), draw),
            code(one.mode.code(), draw),
            day(one.date, draw),
            format!("' {} '", one.form_version),
            optional_day(one.valid_until),
            optional_day(one.withdrawn_on),
        ];
        row("consent", draw, &values);
    }
    for one in &person.tenancies {
        let values = [
            number(one.dwelling_no),
            code(one.tenure.code(), draw),
            code(one.setting.code(), draw),
            day(one.moved_in, draw),
            optional_day(one.moved_out),
            optional(one.end_mode.map(EndMode::code), draw),
            optional(one.end_reason.map(EndReason::code), draw),
        ];
        row("tenancy", draw, &values);
    }
    for one in &person.stays {
        let values = [code(one.kind.code(), draw), day(one.from, draw), optional_day(one.to)];
        row("stay", draw, &values);
    }
    for one in &person.complaints {
        let values = [
            day(one.date, draw),
            code(one.source.code(), draw),
            code(one.kind.code(), draw),
            code(one.three_way_meeting.code(), draw),
        ];
        row("complaint", draw, &values);
    }
    for one in &person.contacts {
        let month = one.month.map_or("null".to_owned(), |month| {
            format!("'{}-{:02}-{:02}'", month.year, month.month, draw.of(&[1, 15, 28]))
        });
        let category = code(one.category.code(), draw);
        let mut values = vec![month, category];
        if is_monthly {
            values.extend([one.count.to_string(), code(one.recorded.code(), draw)]);
        }
        row("contact", draw, &values);
    }
    for one in &person.baselines {
        let codes =
            [one.alcohol, one.drugs, one.mental_health].map(|severity| code(severity.code(), draw));
        let [alcohol, drugs, mental_health] = codes;
        let values = [day(one.date, draw), alcohol, drugs, mental_health];
        row("baseline", draw, &values);
    }
    for one in &person.satisfactions {
        let values = [day(one.date, draw), code(one.item.code(), draw), number(one.score)];
        row("satisfaction", draw, &values);
    }
}
