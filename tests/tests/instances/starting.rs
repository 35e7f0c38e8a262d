//! Instances that start at once over an empty database, and a directory that is of another coordinator.

use crate::scene::{command, give, home};
use crate::stage::binaries;
use fellestall_coordinator::store::Store;
use fellestall_tests::instances::Instance;
use fellestall_tests::postgres::Postgres;
use std::path::{Path, PathBuf};
use tokio::task::JoinSet;

const AT_ONCE: usize = 12;

/// Programs over a database that nobody has opened before.
async fn all_start(directories: Vec<PathBuf>, store: &str) {
    let mut tasks = JoinSet::new();
    for directory in directories {
        tasks.spawn_blocking(move || give(&directory, &["--json", "nodes", "list"]));
    }
    for ended in tasks.join_all().await {
        assert_eq!((ended.code, ended.out.trim()), (Some(0), "[]"), "{}", ended.err);
    }
    let store = Store::open(store).await.expect("a store");
    assert!(store.nodes().await.expect("nodes").is_empty());
    store.close().await;
}

fn copies(folder: &Path, original: &Path) -> Vec<Instance> {
    let copy = |number: usize| {
        let directory = folder.join(format!("instance-{number}"));
        Instance::copy(original, directory, binaries()).expect("a copy")
    };
    (0..AT_ONCE).map(copy).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_start_at_once_over_an_empty_postgresql_make_one_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Postgres::start().expect("a PostgreSQL to test with");
    let home = home(&folder.path().join("origin"), &cluster.address("postgres"));
    let copies = copies(folder.path(), &home.directory);
    let directories = copies.iter().map(|one| one.directory.clone()).collect();
    all_start(directories, &cluster.address("postgres")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_start_at_once_over_an_empty_sqlite_make_one_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder.path().join("origin"), "sqlite:coordinator.db");
    let directories = vec![home.directory.clone(); AT_ONCE];
    all_start(directories, &home.store_address().expect("an address")).await;
}

/// Two directories over one database are two coordinators: the second does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_of_another_coordinator_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Postgres::start().expect("a PostgreSQL to test with");
    command(&cluster, "CREATE DATABASE country".to_owned()).await;
    let address = cluster.address("country");
    let first = home(&folder.path().join("first"), &address);
    let second = home(&folder.path().join("second"), &address);
    assert_eq!(give(&first.directory, &["nodes", "list"]).code, Some(0));
    for arguments in [&["nodes", "list"][..], &["invite", "--municipality", "4601"], &["run"]] {
        let refused = give(&second.directory, arguments);
        assert_eq!(refused.code, Some(1), "{arguments:?}: {}", refused.out);
        assert!(refused.err.contains("authority.pem is not the one"), "{}", refused.err);
        assert!(refused.err.contains("copies of one directory"), "{}", refused.err);
    }
    // The same authority with another signing key.
    let signing_key = "signing-key.p8";
    for name in ["authority.pem", "authority-key.pem"] {
        std::fs::copy(first.directory.join(name), second.directory.join(name)).expect("copied");
    }
    let refused = give(&second.directory, &["nodes", "list"]);
    assert!(refused.err.contains("signing-key.p8 is not the one"), "{}", refused.err);
    std::fs::copy(first.directory.join(signing_key), second.directory.join(signing_key))
        .expect("copied");
    assert_eq!(give(&second.directory, &["nodes", "list"]).code, Some(0), "a copy now");
}
