//! Who closes a round is not kept waiting by those who upload.

use crate::harness::{NOW, enrolled, open, print, release, round_id, with_round};
use fellestall_coordinator::store::releases::Late;
use fellestall_coordinator::store::rounds::RoundContents;
use sqlx::Connection;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::task::JoinSet;

const NODES: u32 = 300;
const AT_ONCE: usize = 16;

/// Uploads that overlap without a pause: the closer gets in between them, and the rest are late.
pub async fn a_round_is_closed_while_uploads_never_pause(address: String) {
    let store = with_round(&address).await;
    let mut nodes = Vec::new();
    for number in 0..NODES {
        nodes.push(enrolled(&store, 1_000 + number).await);
    }
    let (nodes, next) = (Arc::new(nodes), Arc::new(AtomicUsize::new(0)));
    let mut uploads = JoinSet::new();
    let handles = [open(&address).await, open(&address).await];
    for number in 0..AT_ONCE {
        let (nodes, next) = (Arc::clone(&nodes), Arc::clone(&next));
        let store = handles[number % 2].clone();
        uploads.spawn(async move {
            while let Some(node) = nodes.get(next.fetch_add(1, Ordering::SeqCst)) {
                store.add_release(&release(node, "content"), Late::Taken).await.expect("stored");
            }
        });
    }
    while next.load(Ordering::SeqCst) < 2 * AT_ONCE {
        tokio::task::yield_now().await;
    }
    let print_all = |all: RoundContents| Ok::<_, Infallible>(print(&all));
    store.close_round(&round_id(), NOW, print_all).await.expect("closed");
    uploads.join_all().await;
    let stored = store.releases(&round_id()).await.expect("releases");
    let late = stored.iter().filter(|release| release.late).count();
    println!("{late} of {} came late", stored.len());
    assert_eq!(stored.len(), nodes.len());
    assert!(late > stored.len() / 2, "the closer waited for {} uploads", stored.len() - late);
}

/// How often a closer closes beside a writer, and how often the writer's turn may come meanwhile.
const CLOSED: usize = 20;
const TURNS: usize = 200;

/// SQLite has no line for its only writer: who closes gets in even where another one writes again at once.
pub async fn a_round_is_closed_beside_a_writer_who_begins_again_at_once(address: String) {
    let store = with_round(&address).await;
    let mut writer = sqlx::AnyConnection::connect(&address).await.expect("a connection");
    let (turns, has_closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut writing = JoinSet::new();
    let (counted, ended) = (Arc::clone(&turns), Arc::clone(&has_closed));
    writing.spawn(async move {
        let slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
                    SELECT count(*) FROM n";
        while !ended.load(Ordering::SeqCst) && counted.load(Ordering::SeqCst) < 2 * TURNS {
            for statement in ["BEGIN IMMEDIATE", slow, "COMMIT"] {
                sqlx::query(statement).fetch_all(&mut writer).await.expect("written");
            }
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    while turns.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    // Who closes a round that is closed has waited as long.
    for _ in 0..CLOSED {
        let print_all = |all: RoundContents| Ok::<_, Infallible>(print(&all));
        store.close_round(&round_id(), NOW, print_all).await.expect("closed");
    }
    has_closed.store(true, Ordering::SeqCst);
    writing.join_all().await;
    let turns = turns.load(Ordering::SeqCst);
    println!("closed {CLOSED} times beside {turns} turns of a writer");
    assert!(turns < TURNS, "the closer waited for {turns} turns of the writer");
}
