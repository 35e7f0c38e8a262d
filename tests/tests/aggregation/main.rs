//! The leader of secure aggregation with a real helper over real TLS, over both databases, with faults
//! between them at every message and a leader that is killed at every step.
//!
//! Reports are made by the tests themselves, from counts without noise, so that an opened sum is the
//! plain sum or the test fails; only in `country` real nodes report, with their noise.
#![cfg(test)]

mod chaos;
mod cheats;
mod country;
mod late;
mod link;
mod pages;
mod publication;
mod reports;
mod scene;
mod unchanged;

use fellestall_tests::postgres::Postgres;
use sqlx::Connection;

/// A case over a PostgreSQL of its own.
async fn over_postgres<F: Future<Output = ()>>(case: impl FnOnce(String) -> F) {
    let cluster = Postgres::start().expect("a PostgreSQL to test with");
    sqlx::any::install_default_drivers();
    let mut connection =
        sqlx::AnyConnection::connect(&cluster.address("postgres")).await.expect("connected");
    sqlx::query("CREATE DATABASE leader").execute(&mut connection).await.expect("a database");
    connection.close().await.expect("closed");
    case(cluster.address("leader")).await;
}

/// The store of a case in the coordinator's own directory.
const SQLITE: &str = "sqlite:coordinator.db";
