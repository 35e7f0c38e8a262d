//! Who is let in.

use super::harness::*;
use fellestall_coordinator::authority::Authority;
use fellestall_coordinator::store::nodes::NodeStatus;
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
