//! Studies, decisions, releases and rounds.

use crate::harness::{
    NOW, at, at_once, digest, enrolled, municipality, print, release, round_id, with_round,
};
use fellestall_coordinator::store::releases::{Late, Upload};
use fellestall_coordinator::store::rounds::{PublishRoundError, RoundContents};
use fellestall_coordinator::store::studies::{Kept, PublishStudyError, StoredDecision};
use std::convert::Infallible;
use std::sync::Arc;

pub async fn a_study_version_has_one_content(address: String) {
    let store = with_round(&address).await;
    let mut study = store.study(digest("study")).await.expect("an answer").expect("the study");
    assert_eq!(store.add_study(&study).await.expect("stands"), Kept::Stood);
    study.digest = digest("other");
    study.envelope = b"other".to_vec();
    let refused = store.add_study(&study).await.expect_err("refused");
    assert!(matches!(refused, PublishStudyError::OtherContent { version: 1, .. }));
    assert_eq!(store.studies().await.expect("studies").len(), 1);
}

pub async fn a_decision_replaces_the_earlier_one(address: String) {
    let store = with_round(&address).await;
    let node = enrolled(&store, 4601).await.node;
    let decision = |content: &str| StoredDecision {
        node: node.clone(),
        study: digest("study"),
        digest: digest(content),
        envelope: content.as_bytes().to_vec(),
        received: NOW,
    };
    for (content, kept) in
        [("yes", Kept::New), ("yes", Kept::Stood), ("no", Kept::New), ("no", Kept::Stood)]
    {
        assert_eq!(store.add_decision(&decision(content)).await.expect("kept"), kept, "{content}");
    }
    let decisions = store.decisions(digest("study")).await.expect("decisions");
    assert_eq!(decisions, vec![decision("no")]);
}

/// N03: one release 1,000 times, 64 at once, is stored once.
pub async fn a_release_is_stored_once(address: String) {
    let store = with_round(&address).await;
    let node = Arc::new(enrolled(&store, 4601).await);
    let mut stored = 0;
    for _ in 0..16 {
        let results = at_once(&address, 64, |store, _| {
            let release = release(&node, "content");
            async move { store.add_release(&release, Late::Refused).await.expect("an answer") }
        })
        .await;
        assert!(results.iter().all(|upload| matches!(upload, Upload::Stored | Upload::Stood)));
        stored += results.iter().filter(|upload| **upload == Upload::Stored).count();
    }
    assert_eq!(stored, 1);
    assert_eq!(store.releases(&round_id()).await.expect("releases").len(), 1);
    assert_eq!(store.received(&municipality(4601)).await.expect("rounds"), vec![round_id()]);
}

/// N04: other content under the same id is refused and alarmed; the first stands.
pub async fn another_release_is_a_conflict(address: String) {
    let store = with_round(&address).await;
    let node = Arc::new(enrolled(&store, 4601).await);
    let results = at_once(&address, 32, |store, number| {
        let release = release(&node, &format!("content {number}"));
        async move {
            let upload = store.add_release(&release, Late::Refused).await.expect("an answer");
            (upload, release.release.digest)
        }
    })
    .await;
    let stored: Vec<_> = results.iter().filter(|(upload, _)| *upload == Upload::Stored).collect();
    assert_eq!(stored.len(), 1);
    let conflicts = results.iter().filter(|(upload, _)| *upload == Upload::Conflict).count();
    assert_eq!(conflicts, 31);
    let kept = store.releases(&round_id()).await.expect("releases");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].digest, stored[0].1);
    let log = store.audit(1_000).await.expect("a log");
    assert_eq!(log.iter().filter(|line| line.alarm).count(), 31);
}

/// Closers and uploads at once: one publication, and in it every release that was not late.
pub async fn a_round_closes_once_with_all_that_came(address: String) {
    let store = with_round(&address).await;
    let mut nodes = Vec::new();
    for number in 0..12 {
        nodes.push(enrolled(&store, 1100 + number).await);
    }
    let nodes = Arc::new(nodes);
    let results = at_once(&address, 36, |store, number| {
        let nodes = Arc::clone(&nodes);
        async move {
            if number % 3 == 2 {
                let closed = store
                    .close_round(&round_id(), NOW, |all| Ok::<_, Infallible>(print(&all)))
                    .await
                    .expect("a publication");
                Some(closed.document)
            } else {
                let release = release(&nodes[number % 12], "content");
                store.add_release(&release, Late::Taken).await.expect("an answer");
                None
            }
        }
    })
    .await;
    let mut published: Vec<_> = results.into_iter().flatten().collect();
    published.dedup();
    assert_eq!(published.len(), 1, "every closer was given the same publication");
    let stored = store.releases(&round_id()).await.expect("releases");
    let in_time: Vec<_> = stored.iter().filter(|r| !r.late).map(|r| r.node.to_string()).collect();
    assert_eq!(published[0], in_time.join(" ").into_bytes());
    assert_eq!(store.publications(10).await.expect("publications").len(), 1);
}

pub async fn late_releases_wait_for_a_revision_or_are_refused(address: String) {
    let store = with_round(&address).await;
    let (first, second) = (enrolled(&store, 1101).await, enrolled(&store, 1102).await);
    store.add_release(&release(&first, "content"), Late::Refused).await.expect("stored");
    let early = store
        .revise_round(&round_id(), NOW, |all| Ok::<_, Infallible>(Some(print(&all))))
        .await
        .expect_err("still open");
    assert!(matches!(early, PublishRoundError::Open { .. }));
    let failed = store
        .close_round(&round_id(), NOW, |_| Err(std::io::Error::other("too few")))
        .await
        .expect_err("not computed");
    assert!(matches!(failed, PublishRoundError::Compute(_)));
    let print_all = |all: RoundContents| Ok::<_, Infallible>(print(&all));
    store.close_round(&round_id(), NOW, print_all).await.expect("closed");
    let refused = store.add_release(&release(&second, "content"), Late::Refused).await;
    assert_eq!(refused.expect("an answer"), Upload::Closed);
    let repeat = store.add_release(&release(&first, "content"), Late::Refused).await;
    assert_eq!(repeat.expect("an answer"), Upload::Stood, "its answer was lost; the round closed");
    let late = store.add_release(&release(&second, "content"), Late::Taken).await;
    assert_eq!(late.expect("an answer"), Upload::Stored);
    let received = store.received(&municipality(1101)).await.expect("rounds");
    assert_eq!(received, vec![round_id()], "a closed round is not asked again of who answered");
    let revised = store
        .revise_round(&round_id(), at(9), |all| Ok::<_, Infallible>(Some(print(&all))))
        .await
        .expect("revised")
        .expect("a version");
    assert_eq!((revised.version, revised.document.as_slice()), (2, &b"1101-1 1102-1"[..]));
    let nothing = store.revise_round(&round_id(), at(9), |_| Ok::<_, Infallible>(None)).await;
    assert_eq!(nothing.expect("an answer"), None);
    let first = store.publication(&round_id(), 1).await.expect("an answer").expect("version 1");
    assert_eq!(first.document, b"1101-1", "the first version stands as it was");
}
