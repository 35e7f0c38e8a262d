//! The schema, and what it refuses to change.

use crate::harness::{NOW, enrolled, open, print, raw, release, round_id, with_round};
use fellestall_coordinator::store::releases::Late;
use fellestall_coordinator::store::rounds::RoundContents;
use fellestall_coordinator::store::{Store, StoreError};
use std::convert::Infallible;
use tokio::task::JoinSet;

pub async fn two_programs_make_the_schema_at_once(address: String) {
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let address = address.clone();
        tasks.spawn(async move { open(&address).await.close().await });
    }
    assert_eq!(tasks.join_all().await.len(), 8);
}

pub async fn a_schema_from_the_future_is_refused(address: String) {
    open(&address).await.close().await;
    raw(&address, "INSERT INTO schema_version (version) VALUES (4711)").await.expect("written");
    let refused = Store::open(&address).await.expect_err("refused");
    assert!(matches!(refused, StoreError::Future { found: 4711, .. }), "{refused:?}");
}

pub async fn what_is_published_or_logged_cannot_be_changed(address: String) {
    let store = with_round(&address).await;
    let node = enrolled(&store, 1101).await;
    store.add_release(&release(&node, "content"), Late::Refused).await.expect("stored");
    let print_all = |all: RoundContents| Ok::<_, Infallible>(print(&all));
    store.close_round(&round_id(), NOW, print_all).await.expect("closed");
    store.close().await;
    for statement in [
        "UPDATE publication SET version = 2",
        "DELETE FROM publication",
        "UPDATE audit SET event = 'nothing'",
        "DELETE FROM audit",
        "UPDATE release SET municipality = '0301'",
        "UPDATE ledger_link SET sequence = 2",
        "DELETE FROM ledger_link",
        "UPDATE ledger_place SET sequence = 2",
        "DELETE FROM ledger_place",
    ] {
        assert!(raw(&address, statement).await.is_err(), "{statement}");
    }
}
