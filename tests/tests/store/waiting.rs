//! Who closes a round is not kept waiting by those who upload.

use crate::harness::{NOW, enrolled, open, print, release, round_id, with_round};
use fellestall_coordinator::store::releases::Late;
use fellestall_coordinator::store::rounds::RoundContents;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
