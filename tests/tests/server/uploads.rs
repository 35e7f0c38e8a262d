//! What nodes send: once, again, altered.

use super::harness::*;
use fellestall_coordinator::authority::RequestKey;
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::Answer;
use fellestall_shared::wire::v1::Decision;
use fellestall_shared::wire::v1::Receipt;
use fellestall_shared::wire::v1::RenewalRequest;
use fellestall_shared::wire::v1::Work;
use rcgen::KeyPair;
use std::sync::Arc;
use tokio::task::JoinSet;

/// N02, N03, N04: repeats have one effect; other content under the same id is refused and alarmed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_sent_a_thousand_times_is_stored_once() {
    let world = Arc::new(World::new().await);
    let round = world.open_round().await;
    let node = Arc::new(world.enrol("4601").await);
    let document = node.release(&round, 0);
    let bytes = Arc::new(node.sign(&document));
    let mut created = 0;
    for wave in [64_usize; 15].into_iter().chain([40]) {
        let mut tasks = JoinSet::new();
        for _ in 0..wave {
            let (world, node, bytes) = (Arc::clone(&world), Arc::clone(&node), Arc::clone(&bytes));
            let id = document.release;
            tasks.spawn(async move {
                let reply = world.put_release(&node, id, &bytes).await;
                let receipt: Receipt = reply.json();
                let digest = Envelope::from_json(&bytes).expect("an envelope").payload_digest();
                assert_eq!(receipt, Receipt { release: id, digest });
                reply.status
            });
        }
        for status in tasks.join_all().await {
            assert!(status == 200 || status == 201);
            created += usize::from(status == 201);
        }
    }
    assert_eq!(created, 1);
    let other = node.sign(&node.release(&round, 5));
    assert_eq!(world.put_release(&node, document.release, &other).await.status, 409);
    let stored = world.server.store().releases(round.id()).await.expect("releases");
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].envelope, *bytes, "the first stands, byte for byte");
    let log = world.server.store().audit(10).await.expect("a log");
    assert!(log.iter().any(|line| line.alarm && line.event == "release-conflict"));
    let work: Work = world.request(Some(node.chain()), "GET /v1/work", b"").await.json();
    assert_eq!((work.studies.len(), work.rounds.len()), (1, 1));
    assert_eq!(work.received, vec![round.id().clone()]);
}

/// N02: a decision and a renewal, each sent twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_and_renewals_may_be_sent_again() {
    let world = World::new().await;
    let round = world.open_round().await;
    let node = world.enrol("4601").await;
    let study = round.study().digest();
    let decision = Decision { node: node.id.clone(), study, answer: Answer::Approved };
    let signed = node.key.sign(&decision).expect("signed").to_json().expect("JSON");
    let line = format!("PUT /v1/decisions/{study}");
    for status in [201, 200] {
        let reply = world.request(Some(node.chain()), &line, &signed).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    let foreign = Decision { node: "1108-1".parse().expect("an id"), ..decision };
    let foreign = node.key.sign(&foreign).expect("signed").to_json().expect("JSON");
    assert_eq!(world.request(Some(node.chain()), &line, &foreign).await.status, 422);
    let key = KeyPair::generate().expect("a key");
    let renewal = RenewalRequest { certificate_request: certificate_request(&key) };
    let first = world.post(Some(node.chain()), "/v1/certificates", &renewal).await;
    let again = world.post(Some(node.chain()), "/v1/certificates", &renewal).await;
    assert_eq!((first.status, &first.body), (200, &again.body));
    let issued: fellestall_shared::wire::v1::IssuedCertificate = first.json();
    let chain = (vec![der(&issued.certificate)], private(&key));
    assert_eq!(world.request(Some(chain), "GET /v1/work", b"").await.status, 200);
    RequestKey::from_request(&renewal.certificate_request).expect("a request");
    world.server.shutdown().await;
}

/// S07: every byte of a signed release flipped; replayed by another node, to another question.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_altered_or_replayed_release_is_refused() {
    let world = Arc::new(World::new().await);
    let round = world.open_round().await;
    let node = Arc::new(world.enrol("4601").await);
    let other = world.enrol("1108").await;
    let document = node.release(&round, 0);
    let bytes = Arc::new(node.sign(&document));
    let (parts, count) = (8, bytes.len());
    let mut tasks = JoinSet::new();
    for part in 0..parts {
        let (world, node, bytes) = (Arc::clone(&world), Arc::clone(&node), Arc::clone(&bytes));
        let id = document.release;
        tasks.spawn(async move {
            for at in (part..count).step_by(parts) {
                let mut flipped = bytes.to_vec();
                flipped[at] ^= 1;
                let status = world.put_release(&node, id, &flipped).await.status;
                assert!((400..500).contains(&status), "byte {at}: {status}");
            }
        });
    }
    tasks.join_all().await;
    let replayed = world.put_release(&other, document.release, &bytes).await;
    assert_eq!(replayed.status, 422, "by another node");
    let municipality = "1108".parse().expect("a number");
    let elsewhere = world.put_release(&node, round.question(&municipality), &bytes).await;
    assert_eq!(elsewhere.status, 422, "to another question");
    let mut moved = document.clone();
    moved.period = "2017H1".parse().expect("a period");
    let moved = world.put_release(&node, document.release, &node.sign(&moved)).await;
    assert_eq!(moved.status, 422, "in another period");
    let stored = world.server.store().releases(round.id()).await.expect("releases");
    assert!(stored.is_empty());
    assert_eq!(world.put_release(&node, document.release, &bytes).await.status, 201);
}
