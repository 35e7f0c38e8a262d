//! The coordinator's service over real TLS on loopback: who is let in, what is stored, what is
//! refused.
#![cfg(test)]

use fellestall_coordinator::authority::{Authority, RequestKey};
use fellestall_coordinator::config::Config;
use fellestall_coordinator::home::Home;
use fellestall_coordinator::invitation;
use fellestall_coordinator::rounds::{self, Opening};
use fellestall_coordinator::server::Server;
use fellestall_coordinator::store::nodes::NodeStatus;
use fellestall_coordinator::template::{self, Wish};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, SystemClock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::NodeId;
use fellestall_shared::limits::{DOCUMENT_BYTES, RELEASE_BYTES};
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::Round;
use fellestall_shared::signed::{Envelope, SigningKey};
use fellestall_shared::tls;
use fellestall_shared::wire::v1::{
    Answer, Decision, EnrolmentQuery, EnrolmentRequest, EnrolmentState, Invitation, Receipt,
    ReleaseDocument, ReleasedTable, RenewalRequest, Work,
};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

type Chain = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A running coordinator, and a second look at its keys.
struct World {
    server: Server,
    home: Home,
    _folder: TempDir,
}

/// An enrolled node.
struct Node {
    id: NodeId,
    key: SigningKey,
    tls_key: KeyPair,
    certificate: CertificateDer<'static>,
}

/// An answer.
#[derive(Debug)]
struct Reply {
    status: u16,
    body: Vec<u8>,
}

fn now() -> Timestamp {
    SystemClock.now()
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config {
            url: "https://localhost".to_owned(),
            hosts: vec!["localhost".to_owned()],
            listen: "127.0.0.1:0".parse().expect("an address"),
            public: Some("127.0.0.1:0".parse().expect("an address")),
            store: "sqlite:coordinator.db".to_owned(),
        };
        let directory = folder.path().join("coordinator");
        Home::create(&directory, &config, now()).expect("a coordinator");
        let open = || Home::open(&directory).expect("a coordinator");
        let server = Server::start(open(), Arc::new(SystemClock)).await.expect("a service");
        Self { server, home: open(), _folder: folder }
    }

    async fn invite(&self, number: &str) -> Invitation {
        let number = number.parse().expect("a number");
        let (store, home) = (self.server.store(), &self.home);
        let invited = invitation::invite(store, &home.authority, &home.config.url, &number, now())
            .await
            .expect("an invitation");
        let text = invited.text.strip_prefix(invitation::PREFIX).expect("the prefix");
        let json = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url");
        serde_json::from_slice(&json).expect("an invitation")
    }

    async fn enrol(&self, number: &str) -> Node {
        let (request, key, tls_key) = application(&self.invite(number).await);
        // N02: the answer to the first request is lost, so that it is sent again.
        for _ in 0..2 {
            let reply = self.post(None, "/v1/enrolments", &request).await;
            assert_eq!(reply.status, 202, "{reply:?}");
            let state = reply.json::<EnrolmentState>();
            assert!(
                matches!(state, EnrolmentState::Pending { fingerprint } if fingerprint == key.verifying_key().fingerprint())
            );
        }
        let id = NodeId::new(&request.municipality, 1);
        let store = self.server.store();
        store.decide_node(&id, NodeStatus::Enrolled, now()).await.expect("approved");
        let query = EnrolmentQuery { secret: request.secret, release_key: key.verifying_key() };
        let first = self.post(None, "/v1/enrolments/state", &query).await.json::<EnrolmentState>();
        let again = self.post(None, "/v1/enrolments/state", &query).await.json::<EnrolmentState>();
        assert_eq!(first, again, "N02: the same certificate when the answer was lost");
        let EnrolmentState::Approved { node, certificate, coordinator_key } = first else {
            panic!("not approved")
        };
        assert_eq!(node, id);
        assert_eq!(coordinator_key, self.home.signing_key.verifying_key());
        let certificate = der(&certificate.certificate);
        Node { id, key, tls_key, certificate }
    }

    /// A study of the core set and its open round over 2016H2.
    async fn open_round(&self) -> Round {
        let catalogue = Catalogue::builtin().expect("a catalogue");
        let wish = Wish {
            statistics: Vec::new(),
            rho: Rho::from_micro(125_000),
            starts: "2016-01-01".to_owned(),
            ends: "2099-12-31".to_owned(),
            minimum_nodes: 2,
        };
        let document = template::study(&wish, catalogue).expect("a study");
        let (store, key) = (self.server.store(), &self.home.signing_key);
        rounds::publish_study(store, key, catalogue, &document, now()).await.expect("published");
        let opening = Opening {
            study: document.study,
            version: None,
            period: "2016H2".parse().expect("a period"),
            closes: now().plus(Duration::from_hours(24)),
        };
        let (id, _) =
            rounds::open_round(store, key, catalogue, &opening, now()).await.expect("open");
        let loaded = rounds::load_round(store, &key.verifying_key(), catalogue, &id).await;
        loaded.expect("a round").round
    }

    async fn connect(&self, chain: Option<Chain>) -> std::io::Result<TlsStream<TcpStream>> {
        let authority = self.home.authority.certificate().clone();
        let mut config = tls::client(&[authority], chain).expect("settings");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TcpStream::connect(self.server.address()).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// Sends raw bytes on a new connection and reads what comes until its end.
    async fn raw(&self, chain: Option<Chain>, bytes: &[u8]) -> std::io::Result<Reply> {
        let mut stream = self.connect(chain).await?;
        // The service may answer and close before it has taken everything.
        let sent = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer).await;
        match Reply::parse(&answer) {
            Some(reply) => Ok(reply),
            None => {
                Err(sent.err().or(read.err()).unwrap_or_else(|| std::io::Error::other("no answer")))
            }
        }
    }

    async fn request(&self, chain: Option<Chain>, line: &str, body: &[u8]) -> Reply {
        let bytes = message(line, &[], body);
        self.raw(chain, &bytes).await.expect("an answer")
    }

    async fn post<T: Serialize>(&self, chain: Option<Chain>, path: &str, body: &T) -> Reply {
        let body = serde_json::to_vec(body).expect("JSON");
        self.request(chain, &format!("POST {path}"), &body).await
    }

    async fn put_release(&self, node: &Node, id: impl ToString, body: &[u8]) -> Reply {
        let line = format!("PUT /v1/releases/{}", id.to_string());
        self.request(Some(node.chain()), &line, body).await
    }
}

impl Reply {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let status = std::str::from_utf8(bytes.get(9..12)?).ok()?.parse().ok()?;
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        Some(Self { status, body: bytes[end + 4..].to_vec() })
    }

    fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).expect("the JSON that was promised")
    }
}

impl Node {
    fn chain(&self) -> Chain {
        (vec![self.certificate.clone()], private(&self.tls_key))
    }

    /// A valid release of this node: small counts, some of them negative.
    fn release(&self, round: &Round, seed: i64) -> ReleaseDocument {
        let municipality = self.id.as_str()[..4].parse().expect("a number");
        let table = |table: &fellestall_shared::study::Table| {
            let statistic = table.statistic;
            ReleasedTable {
                statistic: statistic.id().clone(),
                definition: statistic.definition(),
                definition_digest: statistic.digest(),
                loss: table.loss,
                bound: statistic.bound(),
                scale: table.loss.nominal_scale(statistic.bound()),
                values: (-1..).take(statistic.cells()).map(|value| value + seed).collect(),
            }
        };
        ReleaseDocument {
            release: round.question(&municipality),
            node: self.id.clone(),
            municipality,
            round: round.id().clone(),
            study: round.study().digest(),
            period: round.period(),
            tables: round.study().tables().iter().map(table).collect(),
            charge_micro: round.study().charge(),
            consent_snapshot: Digest::of("test", b"consent"),
            ledger_sequence: 1,
            ledger_previous: Digest::ZERO,
        }
    }

    fn sign(&self, document: &ReleaseDocument) -> Vec<u8> {
        self.key.sign(document).expect("signed").to_json().expect("JSON")
    }
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM").into_owned()
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()))
}

fn certificate_request(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).expect("made").pem().expect("PEM")
}

fn application(invitation: &Invitation) -> (EnrolmentRequest, SigningKey, KeyPair) {
    let (key, _) = SigningKey::generate().expect("a key");
    let tls_key = KeyPair::generate().expect("a key");
    let request = EnrolmentRequest {
        secret: invitation.secret.clone(),
        municipality: invitation.municipality.clone(),
        certificate_request: certificate_request(&tls_key),
        release_key: key.verifying_key(),
    };
    (request, key, tls_key)
}

fn message(line: &str, headers: &[String], body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{}\r\n",
        headers.concat()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Every route that only an enrolled node may use.
const NODE_ROUTES: [&str; 4] = [
    "GET /v1/work",
    "POST /v1/certificates",
    "PUT /v1/decisions/0000000000000000000000000000000000000000000000000000000000000000",
    "PUT /v1/releases/0000000000000000000000000000000000000000000000000000000000000000",
];

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

/// S10: bodies over the limit, declared or in chunks; too many headers; encoded bodies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_refused() {
    let world = World::new().await;
    let node = world.enrol("4601").await;
    let release = NODE_ROUTES[3];
    let declared = format!(
        "{release} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        RELEASE_BYTES + 1
    );
    let reply = world.raw(Some(node.chain()), declared.as_bytes()).await.expect("an answer");
    assert_eq!(reply.status, 413, "declared");
    let mut stream = world.connect(None).await.expect("a connection");
    let head = "POST /v1/enrolments HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend(vec![b' '; 0x10000]);
    chunk.extend(b"\r\n");
    let mut sent = 0;
    // Never ends by itself: only the service's refusal ends it.
    while sent < 64 * DOCUMENT_BYTES && stream.write_all(&chunk).await.is_ok() {
        sent += 0x10000;
    }
    assert!(sent < 64 * DOCUMENT_BYTES, "the service stopped reading");
    let headers: Vec<_> = (0..10_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    let bytes = message("GET /v1/health", &headers, b"");
    match world.raw(None, &bytes).await {
        Ok(reply) => assert_eq!(reply.status, 431),
        // It answered and closed while headers were still being sent.
        Err(error) => assert_ne!(error.kind(), std::io::ErrorKind::TimedOut),
    }
    let encoded = message("POST /v1/enrolments", &["content-encoding: gzip\r\n".to_owned()], b"x");
    assert_eq!(world.raw(None, &encoded).await.expect("an answer").status, 400);
    assert_eq!(world.request(None, "GET /v1/health", b"").await.status, 200);
    world.server.shutdown().await;
}

/// S09: connections that say nothing, or dribble, are closed within 10 s, and keep nobody out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_connections_are_closed() {
    let world = World::new().await;
    let started = Instant::now();
    let silent: SocketAddr = world.server.address();
    let mut open = Vec::new();
    for _ in 0..50 {
        open.push(TcpStream::connect(silent).await.expect("a connection"));
    }
    let mut dribble = world.connect(None).await.expect("a connection");
    dribble.write_all(b"GET /v1/health HTTP/1.1\r\nx: ").await.expect("sent");
    assert_eq!(world.request(None, "GET /v1/health", b"").await.status, 200);
    let mut rest = Vec::new();
    dribble.read_to_end(&mut rest).await.ok();
    for mut stream in open {
        stream.read_to_end(&mut rest).await.ok();
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    world.server.shutdown().await;
}
