//! Who is let in.

use super::harness::*;
use fellestall_coordinator::authority::{Authority, RequestKey};
use fellestall_coordinator::store::certificates::Certificate;
use fellestall_coordinator::store::nodes::NodeStatus;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::NodeId;
use fellestall_shared::wire::v1::{
    Answer, Decision, EnrolmentRequest, LedgerHead, OwnReleases, Standing,
};
use rcgen::CertificateParams;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::IsCa;
use rcgen::Issuer;
use rcgen::KeyPair;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

/// S01, S06: no certificate, and every wrong one, on every route for nodes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_certificates_are_refused_on_every_route() {
    let world = World::new().await;
    let node = world.enrol("4601").await;
    let other = Authority::create("Other", now()).expect("an authority");
    let other_key = KeyPair::from_pem(&other.key).expect("a key");
    let other_ca = Issuer::from_ca_cert_pem(&other.certificate, other_key).expect("an issuer");
    let ours = std::fs::read_to_string(world.home.directory.join("authority-key.pem"));
    let our_key = KeyPair::from_pem(&ours.expect("a file")).expect("a key");
    let our_ca_der = world.home.authority.certificate().clone();
    let our_ca = Issuer::from_ca_cert_der(&our_ca_der, our_key).expect("an issuer");
    let day = |days: i64| {
        OffsetDateTime::from_unix_timestamp(now().unix() + days * 86_400).expect("a day")
    };
    let client = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let params = |name: &str, from, to, usage: &Vec<ExtendedKeyUsagePurpose>| {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        (params.not_before, params.not_after) = (day(from), day(to));
        params.extended_key_usages.clone_from(usage);
        params
    };
    let mut ca = params("4601-1", -1, 1, &client);
    ca.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let server_only = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let wrong = [
        ("another authority", params("4601-1", -1, 1, &client), &other_ca),
        ("expired", params("4601-1", -2, -1, &client), &our_ca),
        ("not yet valid", params("4601-1", 1, 2, &client), &our_ca),
        ("for servers only", params("4601-1", -1, 1, &server_only), &our_ca),
        ("an authority as a leaf", ca, &our_ca),
        ("never issued", params("4601-1", -1, 1, &client), &our_ca),
        ("no node's name", params("Bergen kommune", -1, 1, &client), &our_ca),
    ];
    for route in NODE_ROUTES {
        let reply = world.request(None, route, b"{}").await;
        assert_eq!(reply.status, 401, "{route} without a certificate");
        for (what, params, issuer) in &wrong {
            let key = KeyPair::generate().expect("a key");
            let certificate = params.signed_by(&key, issuer).expect("a certificate");
            let chain = (vec![certificate.der().clone()], private(&key));
            match world.raw(Some(chain), &message(route, &[], b"{}")).await {
                Err(_) => {}
                Ok(reply) => assert_eq!(reply.status, 403, "{route}: {what}"),
            }
        }
    }
    let reply = world.request(Some(node.chain()), "GET /v1/work", b"").await;
    assert_eq!(reply.status, 200, "the right one is let in");
    world.server.shutdown().await;
}

/// S02: a denied node is cut off at its next request, on its open connection too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_node_is_cut_off_on_an_open_connection() {
    let world = World::new().await;
    let node = world.enrol("4601").await;
    let mut stream = world.connect(Some(node.chain())).await.expect("a connection");
    let request = b"GET /v1/work HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut statuses = Vec::new();
    for denied in [false, true] {
        if denied {
            let store = world.server.store();
            store.decide_node(&node.id, NodeStatus::Denied, now()).await.expect("denied");
        }
        stream.write_all(request).await.expect("sent");
        let mut buffer = vec![0; 64 * 1024];
        let read = stream.read(&mut buffer).await.expect("an answer");
        statuses.push(Reply::parse(&buffer[..read]).expect("an answer").status);
    }
    assert_eq!(statuses, [200, 403]);
    let reply = world.request(Some(node.chain()), "GET /v1/work", b"").await;
    assert_eq!(reply.status, 403, "on a new connection");
    world.server.shutdown().await;
}

/// S05: 64 nodes at once with one invitation: exactly one gets in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_nodes_with_one_invitation_one_gets_in() {
    let world = Arc::new(World::new().await);
    let invitation = world.invite("4601").await;
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let (world, (request, ..)) = (Arc::clone(&world), application(&invitation));
        tasks.spawn(async move { world.post(None, "/v1/enrolments", &request).await.status });
    }
    let statuses = tasks.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 202).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 63);
    let (mut request, ..) = application(&world.invite("1108").await);
    request.municipality = "4601".parse().expect("a number");
    let reply = world.post(None, "/v1/enrolments", &request).await;
    assert_eq!(reply.status, 403, "an invitation for another municipality");
}

/// A certificate of ours for a node that is not enrolled, as one that was issued before it was shut
/// out, or by mistake.
async fn issue(world: &World, node: &NodeId, request: &EnrolmentRequest, key: &KeyPair) -> Chain {
    let request_key = RequestKey::from_request(&request.certificate_request).expect("a request");
    let issued = world.home.authority.issue_client(node, &request_key, now()).expect("issued");
    let stored = Certificate {
        serial: issued.serial,
        node: node.clone(),
        public_key: request_key.digest(),
        pem: issued.pem.clone(),
        issued: now(),
        expires: issued.expires,
    };
    world.server.store().add_certificate(&stored, now()).await.expect("stored");
    (vec![der(&issued.pem)], private(key))
}

/// A node that applied and was decided about in this way, or not at all, with a certificate all the
/// same.
async fn outsider(world: &World, number: &str, decided: &[NodeStatus]) -> Chain {
    let (request, _, tls_key) = application(&world.invite(number).await);
    assert_eq!(world.post(None, "/v1/enrolments", &request).await.status, 202);
    let id = NodeId::new(&request.municipality, 1);
    for status in decided {
        world.server.store().decide_node(&id, *status, now()).await.expect("decided");
    }
    issue(world, &id, &request, &tls_key).await
}

fn again((chain, key): &Chain) -> Chain {
    (chain.clone(), key.clone_key())
}

const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Every route, and what an enrolled node is answered to an empty object; `None` if anyone may ask.
const ROUTES: [(&str, Option<u16>, u16); 19] = [
    ("GET /v1/health", None, 200),
    ("POST /v1/enrolments", None, 400),
    ("POST /v1/enrolments/state", None, 400),
    ("GET /v1/work", Some(401), 200),
    ("POST /v1/certificates", Some(401), 400),
    ("PUT /v1/decisions/{}", Some(401), 400),
    ("GET /v1/tasks/{}", Some(401), 404),
    ("PUT /v1/reports/{}", Some(401), 400),
    ("PUT /v1/releases/{}", Some(401), 400),
    ("GET /v1/releases?after=0", Some(401), 200),
    ("GET /v1/releases", Some(401), 400),
    ("POST /v1/witness", Some(401), 400),
    ("GET /v1/witness", Some(401), 404),
    // What is not there is not there for anybody.
    ("GET /v1/releases/{}", None, 404),
    ("DELETE /v1/releases/{}", None, 404),
    ("GET /v1/nodes", None, 404),
    ("GET /", None, 404),
    ("GET /publications", None, 404),
    ("PUT /v1/witness", None, 404),
];

/// S06: every route x every identity: only the cells that are meant to be open are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s06_every_route_answers_every_identity_as_it_should() {
    let world = World::new().await;
    let other = Authority::create("Other", now()).expect("an authority");
    let other_key = KeyPair::from_pem(&other.key).expect("a key");
    let other_ca = Issuer::from_ca_cert_pem(&other.certificate, other_key).expect("an issuer");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "4601-1");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let foreign = params.signed_by(&key, &other_ca).expect("a certificate");
    let foreign = (vec![foreign.der().clone()], private(&key));
    let enrolled = world.enrol("4601").await;
    let identities: [(&str, Option<Chain>, u16); 6] = [
        ("nobody", None, 401),
        ("a pending node", Some(outsider(&world, "1108", &[]).await), 403),
        ("a refused node", Some(outsider(&world, "0301", &[NodeStatus::Refused]).await), 403),
        (
            "a denied node",
            Some(outsider(&world, "5001", &[NodeStatus::Enrolled, NodeStatus::Denied]).await),
            403,
        ),
        ("an enrolled node", Some(enrolled.chain()), 0),
        ("a node of another authority", Some(foreign), 403),
    ];
    let mut cells = 0;
    for (route, guarded, answered) in ROUTES {
        let line = route.replace("{}", ZERO);
        for (who, chain, refused) in &identities {
            let bytes = message(&line, &[], b"{}");
            let reply = world.raw(chain.as_ref().map(again), &bytes).await;
            let expected = if guarded.is_some() && *refused != 0 { *refused } else { answered };
            match reply {
                // The handshake does not let it in at all.
                Err(_) => assert_eq!(*who, "a node of another authority", "{route}"),
                Ok(reply) => assert_eq!(reply.status, expected, "{route}: {who}"),
            }
            cells += 1;
        }
    }
    // The public pages serve nobody's node, and nothing is written there.
    let public = world.server.public_address().expect("public pages");
    for (route, _, _) in ROUTES {
        let line = route.replace("{}", ZERO);
        let mut stream = tokio::net::TcpStream::connect(public).await.expect("a connection");
        stream.write_all(&message(&line, &[], b"")).await.expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        let status = Reply::parse(&answer).expect("an answer").status;
        let open = ["GET /", "GET /publications"].contains(&route);
        assert!(open || [404, 405].contains(&status), "{route} on the public side: {status}");
        cells += 1;
    }
    println!("{cells} cells");
    assert_eq!(cells, ROUTES.len() * 7);
    world.server.shutdown().await;
}

/// S06: what is another enrolled node's is neither given nor taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s06_an_enrolled_node_reaches_nothing_of_another() {
    let world = World::new().await;
    let round = world.open_round().await;
    let (one, other) = (world.enrol("4601").await, world.enrol("1108").await);
    let document = one.release(&round, 0);
    let release = one.sign(&document);
    let study = round.study().digest();
    let decision = Decision { node: one.id.clone(), study, answer: Answer::Approved };
    let decision = one.key.sign(&decision).expect("signed").to_json().expect("JSON");
    let standing = Standing {
        node: one.id.clone(),
        number: 0,
        previous: Digest::ZERO,
        nonce: Digest::ZERO,
        ledger: LedgerHead { sequence: 0, head: Digest::ZERO },
        since: Vec::new(),
        log: Digest::ZERO,
    };
    // In the other's name, and under the other's key in this one's name.
    let forged = other.key.sign(&standing).expect("signed").to_json().expect("JSON");
    let standing = one.key.sign(&standing).expect("signed").to_json().expect("JSON");
    let sent = [
        ("POST /v1/witness".to_owned(), &standing),
        (format!("PUT /v1/decisions/{study}"), &decision),
        (format!("PUT /v1/releases/{}", document.release), &release),
        ("POST /v1/witness".to_owned(), &forged),
    ];
    for (line, body) in &sent {
        let reply = world.request(Some(other.chain()), line, body).await;
        assert_eq!(reply.status, 422, "{line}: {reply:?}");
    }
    for (line, body) in &sent[..3] {
        let reply = world.request(Some(one.chain()), line, body).await;
        assert!([200, 201].contains(&reply.status), "{line}: {reply:?}");
    }
    let held = |node: &Node| {
        let chain = node.chain();
        async {
            let own = world.request(Some(chain), "GET /v1/releases?after=0", b"").await;
            own.json::<OwnReleases>().releases.len()
        }
    };
    // A release key is public: naming another's at enrolment gives nothing of what it signed.
    let borrower = world.enrol_naming("0301", Some(one.key.verifying_key())).await;
    let held = [held(&one).await, held(&other).await, held(&borrower).await];
    assert_eq!(held, [1, 0, 0]);
    for (node, status) in [(&one, 200), (&other, 404)] {
        let reply = world.request(Some(node.chain()), "GET /v1/witness", b"").await;
        assert_eq!(reply.status, status);
    }
    world.server.shutdown().await;
}
