//! Invitations, nodes and certificates.

use crate::harness::{NOW, application, at, at_once, digest, enrolled, municipality, open};
use fellestall_coordinator::store::certificates::Certificate;
use fellestall_coordinator::store::enrolment::ApplyError;
use fellestall_coordinator::store::nodes::{DecideError, NodeStatus};

/// S05: of 64 applications at once with one invitation exactly one is taken.
pub async fn an_invitation_is_good_for_one_application(address: String) {
    let store = open(&address).await;
    store.add_invitation(digest("s"), &municipality(4601), NOW, at(100)).await.expect("kept");
    let results = at_once(&address, 64, |store, number| async move {
        let key = u8::try_from(number).expect("small");
        store.apply(&application("s", 4601, key), NOW).await.ok().map(|node| (node, key))
    })
    .await;
    let taken: Vec<_> = results.into_iter().flatten().collect();
    assert_eq!(taken.len(), 1);
    let (node, key) = &taken[0];
    assert_eq!(node.node.as_str(), "4601-1");
    let again = store.apply(&application("s", 4601, *key), at(1_000)).await.expect("the same");
    assert_eq!(
        again, *node,
        "the answer was lost: the same request gives the same node, also later"
    );
    assert_eq!(store.nodes().await.expect("nodes").len(), 1);
}

/// S05: the same application 64 times at once is one node for all of them.
pub async fn one_application_repeated_is_one_node(address: String) {
    let store = open(&address).await;
    store.add_invitation(digest("s"), &municipality(4601), NOW, at(100)).await.expect("kept");
    let results = at_once(&address, 64, |store, _| async move {
        store.apply(&application("s", 4601, 1), NOW).await.expect("the node").node
    })
    .await;
    assert!(results.iter().all(|node| node.as_str() == "4601-1"));
}

/// S05: late, and for another municipality: none.
pub async fn an_invitation_ends_and_is_bound(address: String) {
    let store = open(&address).await;
    store.add_invitation(digest("s"), &municipality(4601), NOW, at(100)).await.expect("kept");
    for (application, now) in [
        (application("s", 4601, 1), at(100)),
        (application("s", 1108, 1), NOW),
        (application("other", 4601, 1), NOW),
    ] {
        let refused = store.apply(&application, now).await.expect_err("refused");
        assert!(matches!(refused, ApplyError::Invitation));
    }
    assert!(store.nodes().await.expect("nodes").is_empty());
    store.apply(&application("s", 4601, 1), at(99)).await.expect("still good");
}

pub async fn a_municipality_has_one_enrolled_node(address: String) {
    let store = open(&address).await;
    let first = enrolled(&store, 4601).await;
    store.add_invitation(digest("again"), &municipality(4601), NOW, at(100)).await.expect("kept");
    let second = store.apply(&application("again", 4601, 9), NOW).await.expect("taken").node;
    assert_eq!(second.as_str(), "4601-2");
    let refused = store.decide_node(&second, NodeStatus::Enrolled, NOW).await.expect_err("refused");
    assert!(matches!(refused, DecideError::Another { .. }), "{refused:?}");
    store.decide_node(&first.node, NodeStatus::Denied, NOW).await.expect("denied");
    store.decide_node(&first.node, NodeStatus::Denied, NOW).await.expect("a repeat is no change");
    store.decide_node(&second, NodeStatus::Enrolled, NOW).await.expect("approved");
    let back = store.decide_node(&first.node, NodeStatus::Enrolled, NOW).await;
    assert!(matches!(back, Err(DecideError::Status { .. })), "a denied node never comes back");
    let denied = store.audit(100).await.expect("a log");
    assert_eq!(denied.iter().filter(|line| line.event == "denied").count(), 1);
}

pub async fn a_certificate_counts_while_it_lasts_and_its_node_is_enrolled(address: String) {
    let store = open(&address).await;
    let node = enrolled(&store, 4601).await.node;
    let certificate = Certificate {
        serial: "4a".to_owned(),
        node: node.clone(),
        public_key: digest("key"),
        pem: "PEM".to_owned(),
        issued: NOW,
        expires: at(50),
    };
    let kept = store.add_certificate(&certificate, NOW).await.expect("kept");
    assert_eq!(kept, certificate);
    // The same request at another instance, at once.
    let second = Certificate { serial: "4c".to_owned(), ..certificate.clone() };
    let kept = store.add_certificate(&second, NOW).await.expect("an answer");
    assert_eq!(kept, certificate, "one certificate for one request");
    let who = async |serial: &str, now| store.node_by_serial(serial, now).await.expect("an answer");
    assert_eq!(who("4a", at(49)).await.expect("a node").node, node);
    assert!(who("4a", at(50)).await.is_none());
    assert!(who("4b", NOW).await.is_none());
    let stands = store.certificate(&node, digest("key"), at(49)).await.expect("an answer");
    assert_eq!(stands, Some(certificate));
    assert_eq!(store.certificate(&node, digest("other"), NOW).await.expect("an answer"), None);
    store.decide_node(&node, NodeStatus::Denied, NOW).await.expect("denied");
    assert!(who("4a", NOW).await.is_none());
}
