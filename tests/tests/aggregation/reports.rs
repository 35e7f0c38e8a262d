//! Which reports are in a sum and which are not, and what the leader's store says of any of them.

use crate::SQLITE;
use crate::scene::{Made, NOW, Scene};
use fellestall_coordinator::aggregation::AggregationError;
use fellestall_coordinator::aggregation::opening::Opening;
use fellestall_coordinator::publish::PublishError;
use fellestall_coordinator::store::nodes::NodeStatus;
use fellestall_coordinator::store::presentations::NewPresentation;
use fellestall_coordinator::store::releases::{Late, Upload};
use fellestall_coordinator::store::reports::ReportState;
use fellestall_coordinator::store::rounds::NewPublication;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::wire::v1::Rejection;
use std::convert::Infallible;

/// D27: fewer valid reports than the study's minimum are never opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d27_too_few_reports_are_not_opened() {
    let scene = Scene::set(SQLITE, 4).await;
    let leader = scene.leader().await;
    let none = leader.open(&scene.loaded).await.expect("an answer");
    assert_eq!(none, Opening::Nothing);
    scene.send(&scene.make(0)).await;
    scene.send(&scene.make(1)).await;
    // The third does not hold.
    scene.send(&scene.make_with(2, |share| share[40] ^= 1, |_| {})).await;
    for _ in 0..2 {
        let refused = leader.open(&scene.loaded).await.expect_err("sealed");
        let AggregationError::Refused(PublishError::TooFewNodes { found: 2, minimum: 3 }) = refused
        else {
            panic!("{refused:?}")
        };
    }
    let batches = scene.store.batches(scene.loaded.round.id()).await.expect("batches");
    assert!(batches.iter().all(|batch| batch.claimed.is_none()), "the helper was not even asked");
    scene.send(&scene.make(3)).await;
    assert_eq!(leader.open(&scene.loaded).await.expect("opened"), Opening::Opened);
    assert_eq!(scene.opened(1).await.expect("opened"), scene.sums([0, 1, 3]));
}

/// Tampered reports are rejected with an alarm, whoever finds out, and the batch is that of the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_do_not_hold_leave_the_batch_intact() {
    let scene = Scene::set(SQLITE, 9).await;
    let leader = scene.leader().await;
    for place in 0..4 {
        scene.send(&scene.make(place)).await;
    }
    let wrong: [(Made, &[Rejection]); 5] = [
        (scene.make_with(4, |share| share[40] ^= 1, |_| {}), &[Rejection::Proof]),
        (scene.make_with(5, |share| share.truncate(64), |_| {}), &[Rejection::Malformed]),
        (scene.make_with(6, |_| {}, |report| report.helper_share.0[50] ^= 1), &[Rejection::Sealed]),
        (
            scene.make_with(7, |_| {}, |report| report.public_share.0[3] ^= 1),
            &[Rejection::Sealed, Rejection::Proof],
        ),
        (
            scene.make_with(8, |_| {}, |report| report.leader_share = Digest::ZERO),
            &[Rejection::Binding],
        ),
    ];
    for (made, _) in &wrong {
        scene.send(made).await;
    }
    leader.open(&scene.loaded).await.expect("opened");
    assert_eq!(scene.opened(1).await.expect("opened"), scene.sums(0..4));
    let reports = scene.store.reports(scene.loaded.round.id()).await.expect("reports");
    for (made, reasons) in &wrong {
        let line = reports.iter().find(|line| line.node == made.report.node).expect("a report");
        let ReportState::Rejected { reason } = line.state else { panic!("{line:?}") };
        assert!(reasons.contains(&reason), "{line:?}");
    }
    let alarms = scene.store.audit(1_000).await.expect("a log");
    let alarms: Vec<_> = alarms.into_iter().filter(|line| line.alarm).collect();
    assert_eq!(alarms.len(), wrong.len(), "{alarms:?}");
    assert!(alarms.iter().all(|line| line.event == "report-rejected"));
}

/// N03, N04: a report a thousand times is one report; another one under its question is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_is_stored_once_and_another_is_refused() {
    let scene = Scene::set(SQLITE, 4).await;
    let (made, other) = (scene.make(0), scene.make(0));
    let mut stored = 0;
    for _ in 0..16 {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (store, report) = (scene.store.clone(), made.report.clone());
            tasks.spawn(async move { store.add_report(&report, Late::Taken).await });
        }
        for upload in tasks.join_all().await {
            stored += usize::from(upload.expect("an answer") == Upload::Stored);
        }
    }
    assert_eq!(stored, 1);
    let refused = scene.store.add_report(&other.report, Late::Taken).await;
    assert_eq!(refused.expect("an answer"), Upload::Conflict);
    let stands = scene.store.report_digest(made.report.release).await.expect("an answer");
    assert_eq!(stands, Some(made.report.digest));
}

/// N05: what is counted is what was answered in full: a report without a release waits; one whose node
/// is shut out after it has answered counts, as its release does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n05_a_report_without_a_release_waits_and_a_denied_nodes_answer_stands() {
    let scene = Scene::set(SQLITE, 5).await;
    let leader = scene.leader().await;
    for place in 0..3 {
        scene.send(&scene.make(place)).await;
    }
    let unfinished = scene.make(3);
    scene.store.add_report(&unfinished.report, Late::Taken).await.expect("stored");
    let denied = &scene.municipalities[0].node;
    scene.store.decide_node(denied, NodeStatus::Denied, NOW).await.expect("denied");
    leader.open(&scene.loaded).await.expect("opened");
    assert_eq!(scene.opened(1).await.expect("opened"), scene.sums(0..3));
    let reports = scene.store.reports(scene.loaded.round.id()).await.expect("reports");
    let waits = reports.iter().filter(|line| line.state == ReportState::Waiting);
    assert_eq!(waits.count(), 1);
}

/// Late reports wait until there are enough of them for a batch of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_reports_wait_for_a_batch_of_their_own() {
    let mut scene = Scene::set(SQLITE, 7).await;
    let leader = scene.leader().await;
    for place in 0..4 {
        scene.send(&scene.make(place)).await;
    }
    leader.open(&scene.loaded).await.expect("opened");
    let counted = scene.municipalities.iter().take(4).map(|one| one.municipality.clone());
    publish(&scene, counted.collect()).await;
    scene.reload().await;
    for (place, opening) in [(4, Opening::Nothing), (5, Opening::Nothing), (6, Opening::Opened)] {
        scene.send(&scene.make(place)).await;
        assert_eq!(leader.open(&scene.loaded).await.expect("an answer"), opening, "{place}");
    }
    assert_eq!(scene.opened(1).await.expect("opened"), scene.sums(0..4));
    assert_eq!(scene.opened(2).await.expect("opened"), scene.sums(4..7));
    let claimed = scene.store.batches(scene.loaded.round.id()).await.expect("batches");
    assert!(claimed.iter().all(|batch| batch.claimed.is_some()));
}

/// Closes the round with a version about these municipalities, whatever its figures are.
async fn publish(scene: &Scene, municipalities: Vec<MunicipalityNumber>) {
    let summary = serde_json::json!({
        "period": "2016H2",
        "statistics": ["S5"],
        "municipalities": municipalities,
        "minimum_difference": 2,
    });
    let digest = Digest::of("test", b"version");
    let made = NewPublication {
        digest,
        document: b"{}".to_vec(),
        bundle: b"{}".to_vec(),
        summary: summary.to_string(),
        presentation: NewPresentation {
            digest,
            document: b"{}".to_vec(),
            period: "2016H2".parse().expect("a period"),
            tables: Vec::new(),
        },
    };
    let close =
        scene.store.close_round(scene.loaded.round.id(), NOW, |_| Ok::<_, Infallible>(made));
    close.await.expect("closed");
}

/// Nothing in the leader's or the helper's directory is a municipality's counts, in any encoding that
/// the servers use; the leader keeps no share of a report that is in a sum.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_store_holds_a_municipalitys_counts() {
    let mut scene = Scene::set(SQLITE, 4).await;
    let leader = scene.leader().await;
    let made: Vec<Made> = (0..4).map(|place| scene.make(place)).collect();
    for one in &made {
        scene.send(one).await;
    }
    leader.open(&scene.loaded).await.expect("opened");
    for one in &made {
        let kept = scene.store.waiting_report(one.report.release).await.expect("an answer");
        assert!(kept.is_none(), "no share is left to be read");
    }
    scene.helper.take().expect("a helper").shutdown().await;
    let bytes = everything(scene.folder.path());
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    let sums = scene.sums(0..4);
    assert!(holds(text(&sums).as_bytes()), "what was opened is found: the search works");
    let layout = scene.loaded.round.study().layout().expect("shared");
    for place in 0..4 {
        let scaled = scene.sums([place]);
        assert!(!holds(text(&scaled).as_bytes()) && !holds(text(&scene.counts(place)).as_bytes()));
        for value in scaled.iter().take(3) {
            let entry = layout.entry(*value).expect("within the range");
            assert!(!holds(&entry.to_le_bytes()) && !holds(&entry.to_be_bytes()));
            assert!(!holds(&value.to_le_bytes()) && !holds(&value.to_be_bytes()));
        }
    }
}

/// The first three of a vector, as JSON holds them.
fn text(values: &[i64]) -> String {
    let first: Vec<_> = values.iter().take(3).map(ToString::to_string).collect();
    first.join(",")
}

fn everything(folder: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            bytes.extend(everything(&path));
        } else {
            bytes.extend(std::fs::read(&path).expect("a file"));
        }
    }
    bytes
}
