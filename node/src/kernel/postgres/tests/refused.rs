//! A database that gives no count: each failure says what, where, and how to mend it.

use super::store::{Store, TABLES};
use crate::kernel::postgres::layout::Layout;
use crate::kernel::postgres::session::Session;
use crate::kernel::postgres::{PostgresConfig, PostgresError, What, check};
use std::time::Duration;

/// What `check` answers to a configuration.
fn refusal(config: &PostgresConfig) -> PostgresError {
    let found = Session::open(config).and_then(|mut session| {
        let layout = Layout::read(&mut session)?;
        check::refuse_broken(&mut session, &layout)
    });
    found.expect_err("refused")
}

/// Whether a failure says all of this, and with its causes.
fn says(error: &PostgresError, words: &[&str]) {
    let text = crate::daemon::explain(error);
    for word in words {
        assert!(text.contains(word), "{text} lacks {word}");
    }
}

#[test]
fn what_is_wrong_with_the_schema_is_said() {
    let mut store = Store::new(TABLES);
    let config = store.config.clone();
    says(
        &refusal(&PostgresConfig { schema: "other".to_owned(), ..config.clone() }),
        &["no schema other", "GRANT USAGE", "records.postgres.schema"],
    );
    says(
        &refusal(&PostgresConfig { database: "other".to_owned(), ..config.clone() }),
        &["no such database", "records.postgres.database"],
    );
    let mut changed = |change: &str, back: &str, words: &[&str]| {
        store.run(change);
        says(&refusal(&config), words);
        store.run(back);
    };
    changed(
        "alter table stat.consent rename to agreement",
        "alter table stat.agreement rename to consent",
        &["stat", "consent", "make a view"],
    );
    changed(
        "alter table stat.tenancy rename setting to place",
        "alter table stat.tenancy rename place to setting",
        &["tenancy.setting", "no such column", "null::text"],
    );
    changed(
        "alter table stat.stay alter \"from\" type text",
        "alter table stat.stay alter \"from\" type date using \"from\"::date",
        &["stay.from", "another type than date", "cast it in the view"],
    );
    changed(
        "create collation stat.fuzzy (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
         alter table stat.contact alter category type text collate stat.fuzzy",
        "alter table stat.contact alter category type text collate \"default\"",
        &["contact.category", "nondeterministic"],
    );
}

#[test]
fn a_role_that_only_reads_is_enough_and_one_that_may_not_is_told() {
    let mut store = Store::new(TABLES);
    store.run("create role reader login; grant usage on schema stat to reader");
    let reader = PostgresConfig { user: "reader".to_owned(), ..store.config.clone() };
    says(&refusal(&reader), &["participant.participant_id", "GRANT SELECT"]);
    store.run("grant select on all tables in schema stat to reader");
    let mut session = Session::open(&reader).expect("a session");
    let layout = Layout::read(&mut session).expect("a layout");
    assert!(!layout.is_writable());
    check::refuse_broken(&mut session, &layout).expect("sound, since empty");
    let mut owner = Session::open(&store.config).expect("a session");
    assert!(Layout::read(&mut owner).expect("a layout").is_writable());
}

/// A policy that hides withdrawals would have people counted who said no.
#[test]
fn rows_that_are_hidden_from_the_role_are_not_taken_for_none() {
    let mut store = Store::new(TABLES);
    store.run(
        "create role reader login; grant usage on schema stat to reader;
         grant select on all tables in schema stat to reader;
         alter table stat.consent enable row level security;
         create policy given on stat.consent using (status = 'given')",
    );
    let reader = PostgresConfig { user: "reader".to_owned(), ..store.config.clone() };
    says(&refusal(&reader), &["checking the table consent", "reader", "row security"]);
}

#[test]
fn nothing_can_be_written_whatever_the_role_may() {
    let mut store = Store::new(TABLES);
    store.run(
        "create function stat.mark() returns text language plpgsql as
           $$ begin insert into stat.stay values ('x', 'prison'); return 'x'; end $$;
         drop table stat.complaint;
         create view stat.complaint as select stat.mark() as participant_id, null::date as date,
           null::text as source, null::text as kind, null::text as three_way_meeting",
    );
    let error = refusal(&store.config);
    // read_only_sql_transaction.
    says(&error, &["SQLSTATE 25006", "checking the table complaint"]);
}

#[test]
fn a_statement_that_takes_too_long_is_ended() {
    let mut store = Store::new(TABLES);
    store.run(
        "drop table stat.stay;
         create view stat.stay as select 'p1' as participant_id, 'prison' as kind,
           case when pg_sleep(30) is not null then null::date end as \"from\", null::date as \"to\"",
    );
    let config =
        PostgresConfig { statement_timeout: Duration::from_secs(1), ..store.config.clone() };
    let error = refusal(&config);
    assert!(matches!(error, PostgresError::Timeout { what: What::Check(_), seconds: 1 }));
    says(&error, &["stay", "1 seconds", "statement_timeout_seconds"]);
}

#[test]
fn what_the_server_says_of_a_row_is_not_repeated() {
    let mut store = Store::new(TABLES);
    store.run(
        "drop table stat.stay;
         create table stat.old_stay (who text, day text);
         insert into stat.old_stay values ('p1', 'secret-day');
         create view stat.stay as select who as participant_id, 'prison' as kind, day::date as \"from\", null::date as \"to\" from stat.old_stay",
    );
    let error = refusal(&store.config);
    says(&error, &["checking the table stay", "SQLSTATE 22007"]);
    let all = format!("{error:?} {}", crate::daemon::explain(&error));
    assert!(!all.contains("secret-day"), "{all}");
}
