//! Lost messages, a leader that is killed, a helper that is restarted, and several leaders at once.

use crate::link::Fault;
use crate::scene::{Scene, catalogue, clock};
use crate::{SQLITE, over_postgres};
use fellestall_coordinator::aggregation::opening::Opening;
use fellestall_coordinator::aggregation::{AggregationError, Leader};
use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::reports::ReportState;
use std::future::poll_fn;
use std::task::Poll;
use tokio::task::JoinSet;

/// Runs a step until it has waited so often, and then kills it: as a crash between any two things that
/// it does outside of memory.
pub async fn killed_after<T>(waits: usize, step: impl Future<Output = T>) -> Option<T> {
    let mut step = Box::pin(step);
    let mut left = waits;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        step.as_mut().poll(context).map(Some)
    })
    .await
}

/// A leader that lives for so long.
async fn short_life<T>(
    scene: &Scene,
    waits: usize,
    live: impl AsyncFnOnce(&Leader) -> Result<T, AggregationError>,
) -> Option<T> {
    let store = Store::open(&scene.address).await.expect("a store");
    let leader = Leader::new(&scene.home(), store.clone(), catalogue(), clock());
    let done = killed_after(waits, live(&leader)).await;
    // What a dead process held, its database gives free.
    store.close().await;
    match done {
        // What the dead one asked for is still being answered.
        Some(Err(AggregationError::Helper { .. })) | None => None,
        Some(Err(error)) => panic!("{error:?}"),
        Some(Ok(done)) => Some(done),
    }
}

/// N02: a request or an answer is lost at each message between the servers, and sent again.
async fn every_message_is_lost_both_ways(store: String) {
    let scene = Scene::set(&store, 4).await;
    let leader = scene.leader().await;
    let faulty = async |step: &str| {
        for fault in [Fault::Request, Fault::Answer] {
            let before = scene.link.lost();
            scene.link.set(fault);
            let failed = match step {
                "open" => leader.open(&scene.loaded).await.map(drop),
                _ => leader.drive(&scene.loaded).await,
            };
            assert!(
                matches!(failed, Err(AggregationError::Helper { .. })),
                "{step} {fault:?}: {failed:?}"
            );
            assert!(scene.link.lost() > before, "{step} {fault:?}");
        }
        scene.link.set(Fault::None);
    };
    faulty("accept").await;
    leader.drive(&scene.loaded).await.expect("accepted");
    for place in 0..4 {
        scene.send(&scene.make(place)).await;
    }
    faulty("job").await;
    leader.drive(&scene.loaded).await.expect("verified");
    faulty("open").await;
    assert_eq!(leader.open(&scene.loaded).await.expect("opened"), Opening::Opened);
    assert_eq!(scene.opened(1).await.expect("opened"), scene.sums(0..4));
    let again = leader.open(&scene.loaded).await.expect("an answer");
    assert_eq!(again, Opening::Nothing, "the first version has what it is made from");
    assert_eq!(scene.store.batches(scene.loaded.round.id()).await.expect("batches").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n02_every_message_is_lost_both_ways_over_sqlite() {
    every_message_is_lost_both_ways(SQLITE.to_owned()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n02_every_message_is_lost_both_ways_over_postgresql() {
    over_postgres(every_message_is_lost_both_ways).await;
}

/// N08: the leader is killed between any two steps, report after report and while it opens; the helper
/// is restarted in between. The sum is the plain sum.
async fn killed_at_every_step(store: String) {
    let mut scene = Scene::set(&store, 6).await;
    let mut deaths = 0;
    for place in 0..6 {
        scene.send(&scene.make(place)).await;
        let stride = if place == 0 { 1 } else { 2 * place + 1 };
        for life in 1.. {
            let waits = place + life * stride;
            let done = short_life(&scene, waits, async |leader| leader.drive(&scene.loaded).await);
            if done.await.is_some() {
                break;
            }
            deaths += 1;
        }
        if place % 2 == 1 {
            scene.restart_helper().await;
        }
    }
    for waits in 1.. {
        let open = short_life(&scene, waits, async |leader| leader.open(&scene.loaded).await);
        if open.await.is_some() {
            break;
        }
        deaths += 1;
        let opened = scene.opened(1).await;
        assert!(opened.is_none() || opened == Some(scene.sums(0..6)));
    }
    println!("{deaths} deaths");
    assert!(deaths > 20, "{deaths}");
    assert_eq!(scene.opened(1).await.expect("opened"), scene.sums(0..6));
    let reports = scene.store.reports(scene.loaded.round.id()).await.expect("reports");
    assert!(reports.iter().all(|one| one.state == ReportState::Verified { batch: 1 }));
    let log = scene.store.audit(1_000).await.expect("a log");
    assert_eq!(log.iter().filter(|line| line.alarm).count(), 0, "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_a_leader_killed_at_every_step_opens_the_plain_sum_over_sqlite() {
    killed_at_every_step(SQLITE.to_owned()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_a_leader_killed_at_every_step_opens_the_plain_sum_over_postgresql() {
    over_postgres(killed_at_every_step).await;
}

/// N03: several leaders over one store drive and open one round at once: each report is counted once.
async fn several_leaders_at_once(store: String) {
    let scene = Scene::set(&store, 8).await;
    for place in 0..8 {
        scene.send(&scene.make(place)).await;
    }
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let (leader, loaded) = (scene.leader().await, scene.load().await);
        tasks.spawn(async move { leader.open(&loaded).await });
    }
    let results = tasks.join_all().await;
    assert!(results.iter().any(Result::is_ok), "{results:?}");
    let leader = scene.leader().await;
    leader.open(&scene.loaded).await.expect("opened, now or before");
    assert_eq!(scene.opened(1).await.expect("opened"), scene.sums(0..8));
    assert!(scene.opened(2).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n03_several_leaders_at_once_over_sqlite() {
    several_leaders_at_once(SQLITE.to_owned()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n03_several_leaders_at_once_over_postgresql() {
    over_postgres(several_leaders_at_once).await;
}
