//! The schema, and what it refuses to change.

use crate::harness::{NOW, digest, enrolled, open, print, raw, release, round_id, with_round};
use fellestall_coordinator::store::batches::{Claim, OpenedWith, StoredBatch};
use fellestall_coordinator::store::jobs::{BatchSum, NewJob};
use fellestall_coordinator::store::nodes::Node;
use fellestall_coordinator::store::releases::Late;
use fellestall_coordinator::store::reports::NewReport;
use fellestall_coordinator::store::rounds::{RoundContents, StoredRound};
use fellestall_coordinator::store::studies::StoredStudy;
use fellestall_coordinator::store::tasks::NewTask;
use fellestall_coordinator::store::{Store, StoreError};
use fellestall_shared::secure::Bytes;
use fellestall_shared::wire::v1::Rejection;
use std::convert::Infallible;
use std::time::Duration;
use tokio::task::JoinSet;

pub async fn two_programs_make_the_schema_at_once(address: String) {
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let address = address.clone();
        tasks.spawn(async move { open(&address).await.close().await });
    }
    assert_eq!(tasks.join_all().await.len(), 8);
}

/// A database as the version before several instances left it, with something in it.
pub async fn as_it_was_before_instances(address: &str) {
    let store = with_round(address).await;
    enrolled(&store, 4601).await;
    store.close().await;
    for statement in [
        "DROP TABLE lease",
        "DROP TABLE directory_file",
        "DROP TABLE sign_in_attempt",
        "DROP INDEX release_of_municipality",
        "DROP INDEX audit_alarm",
        "DROP INDEX report_waits",
        "DELETE FROM schema_version WHERE version = 6",
    ] {
        raw(address, statement).await.expect(statement);
    }
}

pub async fn many_programs_bring_an_older_schema_up_at_once(address: String) {
    as_it_was_before_instances(&address).await;
    let mut tasks = JoinSet::new();
    for number in 0..16 {
        let address = address.clone();
        tasks.spawn(async move {
            let store = open(&address).await;
            let name = number.to_string();
            let taken = store.take_lease("work", &name, Duration::from_mins(10)).await;
            let nodes = store.nodes().await.expect("nodes").len();
            store.close().await;
            (taken.expect("a table of leases"), nodes)
        });
    }
    let done = tasks.join_all().await;
    assert_eq!(done.iter().filter(|(taken, _)| *taken).count(), 1);
    assert!(done.iter().all(|(_, nodes)| *nodes == 1), "what was there is there");
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

/// Asserts that these statements are refused because of what they change, and not for another reason.
async fn refused(address: &str, statements: &[&'static str]) {
    for statement in statements {
        let error = raw(address, statement).await.expect_err(statement).to_string();
        assert!(
            error.contains("immutable") || error.contains("append only"),
            "{statement}: {error}"
        );
    }
}

/// What tasks, jobs, reports and batches stand on, at each step from a task that is not accepted to a batch
/// that is opened.
pub async fn what_was_aggregated_cannot_be_changed(address: String) {
    let store = with_shared_round(&address).await;
    let task = digest("task");
    refused(
        &address,
        &[
            "UPDATE task SET task = 'x'",
            "UPDATE task SET round = 'x'",
            "UPDATE task SET envelope = 'x'",
            "UPDATE task SET created = 1",
            "DELETE FROM task",
        ],
    )
    .await;
    store.accept_task(task, b"acceptance", NOW).await.expect("accepted");
    refused(&address, &["UPDATE task SET acceptance = 'x'", "UPDATE task SET accepted = NULL"])
        .await;

    let (one, two) = (enrolled(&store, 1101).await, enrolled(&store, 1102).await);
    let (one, two) = (report(&one, "one"), report(&two, "two"));
    for report in [&one, &two] {
        store.add_report(report, Late::Refused).await.expect("stored");
    }
    refused(
        &address,
        &[
            "UPDATE report SET release = 'x'",
            "UPDATE report SET task = 'x'",
            "UPDATE report SET node = '1102-1'",
            "UPDATE report SET municipality = '0301'",
            "UPDATE report SET digest = 'x'",
            "UPDATE report SET envelope = 'x'",
            "UPDATE report SET received = 1",
            "DELETE FROM report",
        ],
    )
    .await;
    let new = NewJob { task, batch: 1, request: digest("job"), reports: vec![one.release] };
    let job = store.add_job(&new, NOW).await.expect("written").expect("a job");
    refused(
        &address,
        &[
            "UPDATE job SET job = 2",
            "UPDATE job SET batch = 2",
            "UPDATE job SET request = 'x'",
            "UPDATE job SET made = 1",
            "DELETE FROM job",
            "DELETE FROM batch",
        ],
    )
    .await;
    let sum = |_: BatchSum| Ok::<_, StoreError>(sum());
    store.finish_job(&job, &[(one.release, None)], NOW, sum).await.expect("done");
    store.reject_reports(task, &[(two.release, Rejection::Proof)], NOW).await.expect("rejected");
    refused(
        &address,
        &[
            "UPDATE job SET done = NULL",
            "UPDATE report SET state = 'waiting', leader_share = 'x', reason = NULL",
            "UPDATE report SET leader_share = 'x' WHERE state = 'verified'",
            "UPDATE report SET state = 'rejected', reason = 'proof' WHERE state = 'verified'",
            "UPDATE report SET reason = 'binding' WHERE state = 'rejected'",
            "UPDATE report SET job = NULL",
        ],
    )
    .await;
    let yes = |_: &RoundContents, _: &StoredBatch| Ok::<_, StoreError>(true);
    let claim = store.claim_batch(&round_id(), task, NOW, yes).await.expect("an answer");
    let Claim::Claimed(claimed) = claim else { panic!("{claim:?}") };
    let of_batch = [
        "UPDATE batch SET batch = 2",
        "UPDATE batch SET accumulator = 'x'",
        "UPDATE batch SET count = 9",
        "UPDATE batch SET checksum = 'x'",
        "UPDATE batch SET claimed = NULL",
        "UPDATE batch SET claimed = 1",
        "DELETE FROM batch",
    ];
    refused(&address, &of_batch).await;
    let opened = OpenedWith { helper: b"half".to_vec(), values: vec![4, -1] };
    store.open_batch(&round_id(), &claimed, &opened, NOW).await.expect("opened");
    refused(&address, &of_batch).await;
    refused(
        &address,
        &[
            "UPDATE batch SET sums = '[5,-1]'",
            "UPDATE batch SET opened = 'x'",
            "UPDATE batch SET opened = NULL, sums = NULL",
        ],
    )
    .await;
    let batches = store.batches(&round_id()).await.expect("batches");
    assert_eq!(batches, [StoredBatch { opened: Some(opened), ..claimed }]);
    store.close().await;
}

/// A store with an open round that has shared tables.
async fn with_shared_round(address: &str) -> Store {
    let store = open(address).await;
    let study = StoredStudy {
        digest: digest("study"),
        study: "core".parse().expect("an id"),
        version: 1,
        envelope: b"study".to_vec(),
        published: NOW,
    };
    store.add_study(&study).await.expect("kept");
    let round = StoredRound {
        round: round_id(),
        study: digest("study"),
        envelope: b"round".to_vec(),
        closed: None,
    };
    let task =
        NewTask { task: digest("task"), envelope: b"task".to_vec(), participants: Vec::new() };
    store.add_round_with(&round, Some(&task), NOW).await.expect("kept");
    store
}

fn report(node: &Node, content: &str) -> NewReport {
    NewReport {
        release: digest(node.municipality.as_str()).into(),
        task: digest("task"),
        round: round_id(),
        node: node.node.clone(),
        municipality: node.municipality.clone(),
        digest: digest(content),
        envelope: content.as_bytes().to_vec(),
        leader_share: Bytes(vec![7; 16]),
        received: NOW,
    }
}

fn sum() -> BatchSum {
    BatchSum { share: Bytes(vec![1; 16]), count: 1, checksum: Bytes(vec![2; 32]) }
}
