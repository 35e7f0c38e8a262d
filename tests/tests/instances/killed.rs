//! N08: instances are killed again and again while many nodes upload.

use crate::scene::{Scene, files, give};
use fellestall_coordinator::publish::verify;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const NODES: usize = 24;
/// So often one of the two is killed and started again.
const KILLS: usize = 10;
const PATIENCE: Duration = Duration::from_mins(3);

/// What the nodes have lived through.
#[derive(Default)]
struct Seen {
    /// Uploads that were acknowledged.
    acknowledged: AtomicUsize,
    /// Uploads whose answer did not come.
    lost: AtomicUsize,
    /// Whether there will be no more kills.
    quiet: AtomicBool,
}

/// Every node answers every round, and sends what is acknowledged again for as long as instances are
/// killed; all over the balancer.
fn upload(scene: &Scene, seen: &Arc<Seen>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for (place, node) in scene.nodes.iter().enumerate() {
        let releases = scene.releases(node);
        let (nodes, rounds) = (Arc::clone(&scene.nodes), Arc::clone(&scene.rounds));
        let (seen, address) = (Arc::clone(seen), scene.balancer.address);
        tasks.spawn(async move {
            let mut next = 0;
            while next < releases.len() || !seen.quiet.load(Ordering::SeqCst) {
                let which = next.min(releases.len() - 1);
                match nodes[place].send(address, &rounds[which], &releases[which]).await {
                    Ok(200 | 201) => {
                        seen.acknowledged.fetch_add(1, Ordering::SeqCst);
                        // One answer a life or so: the last round is reached under fire.
                        next += 1;
                    }
                    // Its database connection was cut, or it is ending: as lost.
                    Ok(500..=599) | Err(_) => {
                        seen.lost.fetch_add(1, Ordering::SeqCst);
                    }
                    Ok(status) => panic!("{status}"),
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    tasks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_instances_that_are_killed_while_nodes_upload_publish_the_sum_of_all() {
    let mut scene = Scene::set(2, NODES).await;
    let before: Vec<_> = scene.instances.iter().map(|one| files(&one.directory)).collect();
    let seen = Arc::new(Seen::default());
    let mut tasks = upload(&scene, &seen);
    let deadline = Instant::now() + PATIENCE;
    for kill in 0..KILLS {
        // Somewhere in the midst of what is under way, after some progress.
        let reached = seen.acknowledged.load(Ordering::SeqCst) + 5 + kill;
        while seen.acknowledged.load(Ordering::SeqCst) < reached {
            assert!(Instant::now() < deadline, "nothing is acknowledged");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let instance = &mut scene.instances[kill % 2];
        instance.kill().expect("it ran");
        if kill % 3 != 2 {
            instance.start().expect("an instance");
            continue;
        }
        // Now and then there is none for a while.
        scene.instances[(kill + 1) % 2].kill().expect("it ran");
        for instance in &mut scene.instances {
            instance.start().expect("an instance");
        }
    }
    seen.quiet.store(true, Ordering::SeqCst);
    while let Some(done) = tasks.join_next().await {
        done.expect("every node is done");
        assert!(Instant::now() < deadline, "not every node is done");
    }
    let lost = seen.lost.load(Ordering::SeqCst);
    println!("{} acknowledged, {lost} lost", seen.acknowledged.load(Ordering::SeqCst));
    assert!(lost > 0, "no upload was cut off");
    assert_eq!(scene.logged("release-stored").await, NODES * scene.rounds.len());
    assert_eq!(scene.alarms().await, 0);
    let key = scene.home.signing_key.verifying_key();
    for (number, round) in scene.rounds.iter().enumerate() {
        let directory = scene.instances[number % 2].directory.clone();
        let closed = give(&directory, &["round", "close", round.id().as_str()]);
        assert_eq!(closed.code, Some(0), "{}", closed.err);
        let published = scene.store.publication(round.id(), 1).await.expect("an answer");
        let published = published.expect("version 1");
        Scene::check_sum(&published.document, round, scene.nodes.iter());
        let verified = verify(&published.bundle, Some(&key), crate::scene::catalogue());
        assert!(verified.expect("it holds").is_complete());
    }
    for (instance, before) in scene.instances.iter().zip(before) {
        assert_eq!(files(&instance.directory), before, "nothing at run time writes there");
    }
}
