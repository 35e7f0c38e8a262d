//! The coordinator's store: one suite, over SQLite and over a real PostgreSQL.
//!
//! Each case gets a database of its own and as many handles to it as it likes: each handle stands
//! for one more instance of the coordinator.
#![cfg(test)]

mod harness;
mod instances;
mod nodes;
mod rounds;
mod schema;
mod staff;
mod waiting;
mod witnesses;

use fellestall_coordinator::store::StoreError;
use fellestall_coordinator::store::enrolment::ApplyError;
use fellestall_tests::postgres::Postgres;
use harness::{NOW, application, enrolled, open};
use sqlx::Connection;

macro_rules! suite {
    ($($module:ident::$case:ident),* $(,)?) => {
        /// Every case over a database that `fresh` makes.
        async fn run(fresh: impl AsyncFn(&str) -> String) {
            $(
                println!("{}", stringify!($case));
                $module::$case(fresh(stringify!($case)).await).await;
            )*
        }
    };
}

suite!(
    schema::two_programs_make_the_schema_at_once,
    schema::many_programs_bring_an_older_schema_up_at_once,
    schema::a_schema_from_the_future_is_refused,
    nodes::an_invitation_is_good_for_one_application,
    nodes::one_application_repeated_is_one_node,
    nodes::an_invitation_ends_and_is_bound,
    nodes::a_municipality_has_one_enrolled_node,
    nodes::a_certificate_counts_while_it_lasts_and_its_node_is_enrolled,
    rounds::a_study_version_has_one_content,
    rounds::a_decision_replaces_the_earlier_one,
    rounds::a_release_is_stored_once,
    rounds::another_release_is_a_conflict,
    rounds::a_round_closes_once_with_all_that_came,
    rounds::late_releases_wait_for_a_revision_or_are_refused,
    schema::what_is_published_or_logged_cannot_be_changed,
    schema::what_was_aggregated_cannot_be_changed,
    witnesses::a_node_has_one_chain_of_witnesses,
    witnesses::releases_of_a_node_form_one_chain,
    staff::a_name_and_a_subject_are_one_person,
    staff::a_session_ends_with_idleness_age_and_its_person,
    staff::sessions_are_few_and_can_be_ended,
    staff::the_administration_reads_what_stands,
    waiting::a_round_is_closed_while_uploads_never_pause,
    instances::a_lease_has_one_holder_until_it_runs_out,
    instances::attempts_to_sign_in_are_counted_at_all_instances,
    instances::a_directory_with_other_files_is_told,
);

/// A stranger who guesses secrets never waits for SQLite's only writer, and so never holds it either.
#[tokio::test]
async fn an_unknown_secret_takes_no_writer() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("sqlite://{}?mode=rwc", folder.path().join("store.sqlite").display());
    let store = open(&address).await;
    let mut writer = sqlx::AnyConnection::connect(&address).await.expect("a connection");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut writer).await.expect("the writer");
    let application = application("nobody's", 4601, 1);
    let answer = store.apply(&application, NOW);
    let answer = tokio::time::timeout(std::time::Duration::from_secs(5), answer).await;
    assert!(matches!(answer, Ok(Err(ApplyError::Invitation))), "{answer:?}");
}

/// What was deleted leaves the log, or it is said that it has not: a reader keeps it for as long as it reads.
#[tokio::test]
async fn a_log_that_is_read_is_not_said_to_be_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.sqlite");
    let address = format!("sqlite://{}?mode=rwc", path.display());
    let store = open(&address).await;
    let length = || std::fs::metadata(path.with_extension("sqlite-wal")).expect("a log").len();
    let mut reader = sqlx::AnyConnection::connect(&address).await.expect("a connection");
    for statement in ["BEGIN", "SELECT count(*) FROM node"] {
        sqlx::query(statement).fetch_all(&mut reader).await.expect("it reads");
    }
    enrolled(&store, 4601).await;
    assert!(length() > 0);
    let kept = store.empty_log().await;
    assert!(matches!(kept, Err(StoreError::LogIsRead)), "{kept:?}");
    assert!(length() > 0);
    sqlx::query("COMMIT").execute(&mut reader).await.expect("it has read");
    store.empty_log().await.expect("nobody reads");
    assert_eq!(length(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_round_is_closed_beside_a_writer_who_begins_again_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("sqlite://{}?mode=rwc", folder.path().join("store.sqlite").display());
    waiting::a_round_is_closed_beside_a_writer_who_begins_again_at_once(address).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_holds_over_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    run(async |case: &str| {
        let path = folder.path().join(case);
        std::fs::File::create(&path).expect("a file");
        format!("sqlite://{}", path.display())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_holds_over_postgresql() {
    let cluster = Postgres::start().expect("a PostgreSQL to test with");
    run(async |case: &str| {
        // Its first 20 characters name a case well enough for a database.
        let name: String = case.chars().take(20).collect();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::any::install_default_drivers();
        let mut connection =
            sqlx::AnyConnection::connect(&cluster.address("postgres")).await.expect("connected");
        sqlx::query(create).execute(&mut connection).await.expect("a database");
        connection.close().await.expect("closed");
        cluster.address(&name)
    })
    .await;
}
