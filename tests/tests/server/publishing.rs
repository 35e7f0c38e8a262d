//! Closing a round, and what the public can read and check.

use super::harness::*;
use fellestall_coordinator::publish::verify;
use fellestall_coordinator::rounds::{self, LoadedRound, publication};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::round::Round;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

pub async fn load(world: &World, round: &Round) -> LoadedRound {
    let catalogue = Catalogue::builtin().expect("a catalogue");
    let key = world.home.signing_key.verifying_key();
    rounds::load_round(world.server.store(), &key, catalogue, round.id()).await.expect("a round")
}

pub async fn report(world: &World, round: &Round, number: &str) -> u16 {
    let node = world.enrol(number).await;
    let document = node.release(round, 0);
    world.put_release(&node, document.release, &node.sign(&document)).await.status
}

async fn page(address: SocketAddr, path: &str) -> Reply {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(&message(&format!("GET {path}"), &[], b"")).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    Reply::parse(&answer).expect("an answer")
}

/// Two operators close at once: one publication, which anyone can read and check offline; a late
/// node leads to a second version, and the first stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_is_published_once_and_can_be_checked() {
    let world = Arc::new(World::new().await);
    let round = world.open_round().await;
    let (store, key) = (world.server.store(), &world.home.signing_key);
    assert_eq!(report(&world, &round, "4601").await, 201);
    let early =
        publication::close(store, world.home.printer(), &load(&world, &round).await, now()).await;
    assert!(early.is_err(), "one node is fewer than the study's minimum");
    assert_eq!(report(&world, &round, "1108").await, 201, "so that the round stayed open");
    let mut closers = JoinSet::new();
    for _ in 0..8 {
        let (world, loaded) = (Arc::clone(&world), load(&world, &round).await);
        closers.spawn(async move {
            let store = world.server.store();
            publication::close(store, world.home.printer(), &loaded, now())
                .await
                .expect("closed")
                .digest
        });
    }
    let mut digests = closers.join_all().await;
    digests.dedup();
    assert_eq!(digests.len(), 1);
    let first = store.publication(round.id(), 1).await.expect("an answer").expect("version 1");
    let catalogue = Catalogue::builtin().expect("a catalogue");
    let verified = verify(&first.bundle, Some(&key.verifying_key()), catalogue).expect("it holds");
    assert!(verified.is_complete() && verified.releases == 2, "{verified}");

    let public = world.server.public_address().expect("public pages");
    let id = format!("{}.v1", round.id());
    let index = page(public, "/nb/").await;
    assert!(String::from_utf8_lossy(&index.body).contains(&id));
    let json = page(public, &format!("/publications/{id}.json")).await;
    assert_eq!((json.status, &json.body), (200, &first.document), "the bytes that were sealed");
    let csv = page(public, &format!("/publications/{id}.csv")).await;
    assert!(csv.status == 200 && csv.body.starts_with(b"round,version,period,"));
    for path in ["/publications/core.1.2016H2.v9.json", "/v1/work", "/publications/..%2f.json"] {
        assert_eq!(page(public, path).await.status, 404, "{path}");
    }

    for late in ["0301", "5001"] {
        assert_eq!(report(&world, &round, late).await, 201, "the study takes late releases");
    }
    let loaded = load(&world, &round).await;
    let second =
        publication::revise(store, world.home.printer(), &loaded, now()).await.expect("revised");
    assert_eq!(second.expect("a version").version, 2);
    let again =
        publication::revise(store, world.home.printer(), &loaded, now()).await.expect("an answer");
    assert_eq!(again, None, "nothing new came");
    let stands = store.publication(round.id(), 1).await.expect("an answer");
    assert_eq!(stands, Some(first));
}
