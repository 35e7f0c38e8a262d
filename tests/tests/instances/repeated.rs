//! N02: an answer of one instance is lost, and the node asks the other.

use crate::scene::Scene;
use fellestall_shared::wire::v1::{Answer, RenewalRequest};
use fellestall_tests::fleet;
use rcgen::{CertificateParams, KeyPair};

/// Every message of a node at both instances at once, and again: one effect and one answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n02_a_message_that_is_repeated_at_the_other_instance_has_one_effect() {
    let scene = Scene::set(2, 1).await;
    let (node, round) = (&scene.nodes[0], &scene.rounds[0]);
    let key = KeyPair::generate().expect("a key");
    let request = CertificateParams::default().serialize_request(&key).expect("made");
    let renewal = RenewalRequest { certificate_request: request.pem().expect("PEM") };
    let study = round.study().digest();
    let decision = node.decision(study, Answer::Approved).expect("signed");
    let messages = [
        ("PUT", format!("/v1/decisions/{study}"), decision),
        ("POST", "/v1/certificates".to_owned(), serde_json::to_vec(&renewal).expect("JSON")),
        ("POST", "/v1/witness".to_owned(), node.standing().expect("signed")),
        (
            "PUT",
            format!("/v1/releases/{}", round.question(&node.municipality)),
            scene.releases(node).remove(0),
        ),
    ];
    let before = scene.logged("certificate-issued").await;
    let [one, two] = [&scene.instances[0], &scene.instances[1]].map(|one| one.address);
    let mut one = node.connect(one).await.expect("connected");
    let mut two = node.connect(two).await.expect("connected");
    for (method, path, body) in &messages {
        let (first, second) =
            tokio::join!(one.ask(method, path, body), two.ask(method, path, body));
        let (first, second) = (first.expect("an answer"), second.expect("an answer"));
        let mut created = 0;
        for answer in [&first, &second] {
            assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.status);
            created += usize::from(answer.status == 201);
        }
        assert!(created <= 1, "{path}: new at one of them");
        assert_eq!(first.body, second.body, "{path}");
        for again in [one.ask(method, path, body).await, two.ask(method, path, body).await] {
            let expected = fleet::Answer { status: 200, body: first.body.clone() };
            assert_eq!(again.expect("an answer"), expected, "{path}");
        }
    }
    let last = scene.store.last_witness(&node.id).await.expect("an answer");
    assert_eq!(last.expect("a witness").number, 1);
    assert_eq!(scene.logged("certificate-issued").await, before + 1);
    assert_eq!((scene.logged("decided").await, scene.logged("release-stored").await), (1, 1));
    assert_eq!(scene.alarms().await, 0);
}
