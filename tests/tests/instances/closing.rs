//! Several operators close and revise one round by several instances' directories, while nodes upload.

use crate::scene::{Scene, give};
use fellestall_coordinator::store::publications::StoredPublication;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Commands at once, by each instance's directory.
const EACH: usize = 3;

/// Gives every instance's directory the same command, several times, all at once.
async fn everywhere(scene: &Scene, arguments: &[&str]) -> Vec<String> {
    let mut tasks = JoinSet::new();
    for instance in &scene.instances {
        for _ in 0..EACH {
            let directory = instance.directory.clone();
            let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
            tasks.spawn_blocking(move || {
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                give(&directory, &arguments)
            });
        }
    }
    let ended = tasks.join_all().await;
    let check = |one: fellestall_tests::process::Ended| {
        assert_eq!(one.code, Some(0), "{}", one.err);
        one.out
    };
    ended.into_iter().map(check).collect()
}

async fn version(scene: &Scene, version: u32) -> StoredPublication {
    let found = scene.store.publication(scene.rounds[0].id(), version).await;
    found.expect("an answer").expect("a version")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_that_is_closed_and_revised_by_both_instances_at_once_is_published_once() {
    const FIRST: usize = 4;
    const LATE: usize = 4;
    let scene = Scene::set(2, 16).await;
    let (round, address) = (&scene.rounds[0], scene.balancer.address);
    for node in scene.nodes.iter().take(FIRST) {
        let status = node.send(address, round, &scene.releases(node)[0]).await;
        assert_eq!(status.expect("an answer"), 201);
    }
    // The others upload while it is closed: each is in the first version or late.
    let mut uploads = JoinSet::new();
    let (early, latest) = scene.nodes.split_at(scene.nodes.len() - LATE);
    for place in FIRST..early.len() {
        let body = scene.releases(&scene.nodes[place]).remove(0);
        let (nodes, rounds) = (Arc::clone(&scene.nodes), Arc::clone(&scene.rounds));
        uploads.spawn(async move { nodes[place].send(address, &rounds[0], &body).await });
    }
    let id = round.id().as_str();
    let said = everywhere(&scene, &["--json", "round", "close", id]).await;
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "one publication: {said:?}");
    for status in uploads.join_all().await {
        assert_eq!(status.expect("an answer"), 201);
    }
    assert_eq!((scene.logged("round-closed").await, scene.logged("published").await), (1, 1));
    let first = version(&scene, 1).await;
    let stored = scene.store.releases(round.id()).await.expect("releases");
    assert_eq!(stored.len(), early.len());
    let in_time: Vec<_> = stored.iter().filter(|one| !one.late).map(|one| &one.node).collect();
    let counted = scene.nodes.iter().filter(|node| in_time.contains(&&node.id));
    Scene::check_sum(&first.document, round, counted);

    for node in latest {
        let status = node.send(address, round, &scene.releases(node)[0]).await;
        assert_eq!(status.expect("an answer"), 201);
    }
    everywhere(&scene, &["--json", "round", "revise", id]).await;
    let all = scene.store.publications(10).await.expect("publications");
    assert_eq!(all.len(), 2, "one version for those that came late");
    assert_eq!(scene.logged("published").await, 2);
    Scene::check_sum(&version(&scene, 2).await.document, round, scene.nodes.iter());
    assert_eq!(version(&scene, 1).await, first, "the first version stands");
    assert_eq!(scene.alarms().await, 0);
}
