//! N03 and N09: one release at all instances at once, and releases in any order.

use crate::scene::{DATABASE, Scene, command, now};
use crate::stage::binaries;
use fellestall_coordinator::rounds::publication;
use fellestall_coordinator::store::Store;
use fellestall_shared::limits::CONNECTIONS_OF_ADDRESS;
use fellestall_tests::instances::Instance;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// N03: one release 1,000 times, 64 at once, over two instances: stored once, and counted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n03_a_release_sent_a_thousand_times_to_two_instances_is_counted_once() {
    let scene = Scene::set(2, 2).await;
    let (round, address) = (&scene.rounds[0], scene.balancer.address);
    let other = &scene.nodes[1];
    let status = other.send(address, round, &scene.releases(other)[0]).await.expect("an answer");
    assert_eq!(status, 201);
    let body = Arc::new(scene.releases(&scene.nodes[0]).remove(0));
    let (mut tasks, mut created, mut sent) = (JoinSet::new(), 0, 0);
    while sent < 1_000 || !tasks.is_empty() {
        while sent < 1_000 && tasks.len() < 64 {
            sent += 1;
            let (nodes, rounds) = (Arc::clone(&scene.nodes), Arc::clone(&scene.rounds));
            let body = Arc::clone(&body);
            tasks.spawn(async move { nodes[0].send(address, &rounds[0], &body).await });
        }
        let status = tasks.join_next().await.expect("a task").expect("no panic");
        let status = status.expect("an answer");
        assert!(matches!(status, 200 | 201), "{status}");
        created += usize::from(status == 201);
    }
    assert_eq!((sent, created), (1_000, 1));
    assert_eq!(scene.store.releases(round.id()).await.expect("releases").len(), 2);
    assert_eq!((scene.logged("release-stored").await, scene.alarms().await), (2, 0));
    let loaded = scene.load(round).await;
    let closed = publication::close(&scene.store, scene.home.printer(), &loaded, now()).await;
    Scene::check_sum(&closed.expect("closed").document, round, scene.nodes.iter());
}

/// N09: the same releases, in other orders and by other instances, are published in the same bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n09_arrival_order_over_two_instances_changes_no_byte() {
    const NODES: usize = 12;
    let scene = Scene::prepared(0, NODES).await;
    let published = now();
    scene.store.close().await;
    let mut printed = Vec::new();
    for (number, stride) in [1, 5, 7].into_iter().enumerate() {
        // The same coordinator with the same nodes and rounds, as it was before anything came.
        let name = format!("copy_{number}");
        command(&scene.cluster, format!("CREATE DATABASE {name} TEMPLATE {DATABASE}")).await;
        let mut instances = Vec::new();
        for instance in 0..2 {
            let directory = scene.folder.path().join(format!("{name}-{instance}"));
            let copied = Instance::copy(&scene.home.directory, directory, binaries());
            let mut copied = copied.expect("a copy");
            let file = copied.directory.join("coordinator.toml");
            let text = std::fs::read_to_string(&file).expect("a configuration");
            let (old, new) = (scene.cluster.address(DATABASE), scene.cluster.address(&name));
            std::fs::write(&file, text.replace(&old, &new)).expect("written");
            copied.start().expect("an instance");
            instances.push(copied);
        }
        let mut tasks = JoinSet::new();
        for step in 0..NODES {
            let place = (step * stride + number) % NODES;
            let body = scene.releases(&scene.nodes[place]).remove(0);
            let (nodes, rounds) = (Arc::clone(&scene.nodes), Arc::clone(&scene.rounds));
            let address = instances[(place + number) % 2].address;
            tasks.spawn(async move { nodes[place].send(address, &rounds[0], &body).await });
            if number == 0 {
                // Strictly one after the other; otherwise as it happens.
                tasks.join_next().await.expect("a task").expect("no panic").expect("an answer");
            }
        }
        while let Some(status) = tasks.join_next().await {
            assert_eq!(status.expect("no panic").expect("an answer"), 201);
        }
        let store = Store::open(&scene.cluster.address(&name)).await.expect("a store");
        let loaded = scene.load_from(&store, &scene.rounds[0]).await;
        let closed = publication::close(&store, scene.home.printer(), &loaded, published).await;
        let closed = closed.expect("closed");
        Scene::check_sum(&closed.document, &scene.rounds[0], scene.nodes.iter());
        let shown = store.presentation(scene.rounds[0].id(), 1).await.expect("an answer");
        printed.push((closed.document, closed.bundle, shown.expect("a presentation")));
        store.close().await;
    }
    assert!(printed.windows(2).all(|pair| pair[0] == pair[1]), "the very bytes");
}

/// A balancer asks whether an instance is well; it is while its database answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_well_while_its_database_answers() {
    let mut scene = Scene::set(1, 1).await;
    let (instance, node) = (&scene.instances[0], &scene.nodes[0]);
    let public = instance.public.to_string();
    let ask = || fellestall_tests::http::ask(&public, "GET", "/healthz", &[("Host", &public)], "");
    let answer = ask().expect("an answer");
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let mut connection = node.connect(instance.address).await.expect("connected");
    let health = connection.ask("GET", "/v1/health", b"").await.expect("an answer");
    assert_eq!(health.status, 200);
    scene.cluster.stop().expect("stopped");
    let asked = Instant::now();
    let answer = ask().expect("an answer");
    assert_eq!((answer.status, answer.body.as_str()), (503, "the database does not answer\n"));
    let health = connection.ask("GET", "/v1/health", b"").await.expect("an answer");
    assert_eq!(health.status, 503);
    assert!(asked.elapsed() < Duration::from_secs(20), "no balancer waits for longer");
    scene.cluster.start_again().expect("started");
    assert_eq!(ask().expect("an answer").status, 200, "it is well again by itself");
    let body = scene.releases(node).remove(0);
    let stored = node.send(instance.address, &scene.rounds[0], &body).await;
    assert_eq!(stored.expect("an answer"), 201);
}

/// Behind a balancer all nodes come from one address, which has no share of the connections if it is
/// named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_behind_a_named_balancer_have_more_than_one_addresss_share() {
    let scene = Scene::set(1, 1).await;
    let (address, node) = (scene.instances[0].address, &scene.nodes[0]);
    // They are silent, and are closed after five seconds: time enough for another.
    let silent: Vec<_> = (0..CONNECTIONS_OF_ADDRESS + 100)
        .map(|_| std::net::TcpStream::connect(address).expect("a file handle for each"))
        .collect();
    let mut connection = node.connect(address).await.expect("a place");
    let work = connection.ask("GET", "/v1/work", b"").await.expect("an answer");
    assert_eq!(work.status, 200);
    drop(silent);
}
