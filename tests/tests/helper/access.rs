//! Who may talk to the helper: the coordinator that its operator trusts, and nobody else.

use crate::stage::{Stage, clock, now, refused, start};
use fellestall_coordinator::authority::{Authority, RequestKey};
use fellestall_coordinator::helper::client::{HelperCallError, HelperClient};
use fellestall_coordinator::home::Home;
use fellestall_shared::problem::ProblemKind;
use fellestall_shared::signed::SigningKey;
use fellestall_shared::tls;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Puts nothing, as whoever has this certificate; `None` if no answer came.
async fn put(stage: &Stage, identity: Option<Identity>) -> Option<u16> {
    let tls = tls::client(&[stage.helper.authority()], identity).expect("settings");
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build();
    let url = format!("{}/v1/helper/tasks/{}", stage.helper.url, stage.task().task.digest());
    let sent = client.expect("a client").put(url).body("{}").send().await;
    sent.ok().map(|answer| answer.status().as_u16())
}

fn node_certificate(authority: &Authority, name: &str) -> Identity {
    let key = KeyPair::generate().expect("a key");
    let request = CertificateParams::default().serialize_request(&key).expect("a request");
    let public = RequestKey::from_request(&request.pem().expect("PEM")).expect("a key");
    let issued = authority.issue_client(&name.parse().expect("an id"), &public, now());
    let pem = issued.expect("issued").pem;
    let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    (vec![certificate], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_trusted_coordinator_is_let_in() {
    let stage = Stage::new(3).await;
    let ours = &stage.home.authority;
    assert_eq!(put(&stage, None).await, None, "without a certificate there is no connection");
    assert_eq!(put(&stage, Some(node_certificate(ours, "1101-1"))).await, Some(403));
    let made = Authority::create("Somebody else", now()).expect("an authority");
    let foreign = Authority::from_pem(&made.certificate, &made.key).expect("an authority");
    let leader = foreign.issue_leader(now()).expect("issued");
    assert_eq!(put(&stage, Some((leader.chain, leader.key))).await, None);
    let leader = ours.issue_leader(now()).expect("issued");
    assert_eq!(
        put(&stage, Some((leader.chain, leader.key))).await,
        Some(400),
        "and `{{}}` is no task"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_talks_to_the_helper_on_the_card_alone() {
    let stage = Stage::new(3).await;
    // Somebody else's helper at the address of the card.
    let folder = tempfile::tempdir().expect("a folder");
    let (impostor, _) = start(folder.path().join("helper"), &stage.home, "sqlite:helper.db").await;
    let client = crate::stage::client_at(&stage, impostor.address());
    let told = stage.task();
    let called = client.task(told.task.digest(), &told.new).await;
    assert!(
        matches!(&called, Err(error @ HelperCallError::Unreachable { .. }) if error.is_transient())
    );
    // A card with another signing key: the answer is not believed.
    let mut home = Home::open(&stage.home.directory).expect("a coordinator");
    let mut card = stage.helper.clone();
    card.signing_key = SigningKey::generate().expect("a key").0.verifying_key();
    home.helper = Some(card);
    let client = HelperClient::new(&home, clock()).expect("a client").expect("a helper");
    let called = client.task(told.task.digest(), &told.new).await;
    assert!(matches!(&called, Err(HelperCallError::Signature(_))));
    home.helper = None;
    assert!(HelperClient::new(&home, clock()).expect("nothing fails").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_refused_unless_everything_about_it_is_right() {
    let stage = Stage::before_admission(5).await;
    let client = &stage.client;
    let told = stage.task();
    let digest = told.task.digest();
    // The operator has admitted three of five: the other two are named by their numbers alone.
    let admitted: Vec<_> = stage.nodes.iter().take(3).map(|node| node.identity.clone()).collect();
    stage.server.store().admit(&admitted, now()).await.expect("admitted");
    let (kind, detail) = refused(client.task(digest, &told.new).await);
    assert_eq!(kind, ProblemKind::ParticipantsUnknown);
    assert!(detail.contains("1104, 1105") && !detail.contains("1101"), "{detail}");
    assert!(!detail.contains("1104-1"), "{detail}");
    // Another key for an admitted node is as unknown.
    let mut swapped = admitted.clone();
    swapped[0].release_key = SigningKey::generate().expect("a key").0.verifying_key();
    let other = stage.task_of(swapped, &stage.home.signing_key);
    let (kind, detail) = refused(client.task(other.task.digest(), &other.new).await);
    assert_eq!(kind, ProblemKind::ParticipantsUnknown);
    assert!(detail.contains("1101"), "{detail}");
    // Signed by another key than the coordinator's.
    let (stranger, _) = SigningKey::generate().expect("a key");
    let forged = stage.task_of(admitted.clone(), &stranger);
    let (kind, _) = refused(client.task(forged.task.digest(), &forged.new).await);
    assert_eq!(kind, ProblemKind::SignatureInvalid);
    // Under another name.
    let right = stage.task_of(admitted, &stage.home.signing_key);
    assert_eq!(refused(client.task(digest, &right.new).await).0, ProblemKind::ReleaseInvalid);
    // A key that is too short.
    let mut short = right.new.clone();
    short.verify_key.0.pop();
    let called = client.task(right.task.digest(), &short).await;
    assert_eq!(refused(called).0, ProblemKind::Malformed);
    client.task(right.task.digest(), &right.new).await.expect("accepted");
}
