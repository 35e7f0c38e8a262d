//! What someone on the network sees of a municipality that takes part: the same, however many people
//! its records hold.
#![cfg(test)]

use data_encoding::BASE64;
use fellestall_coordinator::authority::Authority;
use fellestall_coordinator::template::{self, Wish};
use fellestall_node::audit::{AuditLog, Event, Unanswered};
use fellestall_node::keys::KeyStore;
use fellestall_node::state::{Enrolment, State};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use fellestall_shared::secure::seal::SealingSecret;
use fellestall_shared::signed::{SigningKey, VerifyingKey};
use fellestall_shared::tls;
use fellestall_shared::wire::v1::{
    Aggregation, Answer, HelperIdentity, Residence, StudyDocument, TaskAcceptance,
};
use fellestall_tests::synthetic;
use fellestall_tests::world::{World, WorldNode};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::{TlsAcceptor, TlsConnector};

const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);

/// One request and its answer: everything but the contents.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exchange {
    /// Method and path, with ids as long as they are.
    request: String,
    /// Names of the request's headers, and the sizes of their values.
    headers: Vec<(String, usize)>,
    body: usize,
    status: String,
    answer_headers: Vec<(String, usize)>,
    answer: usize,
}

/// Stands between one node and the coordinator, opens TLS, and writes down what it sees.
struct Recorder {
    address: SocketAddr,
    authority: CertificateDer<'static>,
    seen: Arc<Mutex<Vec<Exchange>>>,
    _task: JoinSet<()>,
}

impl Recorder {
    async fn stand_before(world: &World, node: &WorldNode) -> Self {
        let home = world.home().expect("a coordinator");
        let own = Authority::create("Recorder", NOW).expect("an authority");
        let issuer_key = KeyPair::from_pem(&own.key).expect("a key");
        let issuer = Issuer::from_ca_cert_pem(&own.certificate, issuer_key).expect("an issuer");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let coordinator = home.authority.certificate().clone();
        let mut server =
            tls::server(vec![certificate.der().clone()], private, &coordinator).expect("settings");
        let identity = KeyStore::new(&node.directory).identity().expect("an identity");
        let mut client = tls::client(&[coordinator], Some(identity)).expect("settings");
        for protocols in [&mut server.alpn_protocols, &mut client.alpn_protocols] {
            *protocols = vec![b"http/1.1".to_vec()];
        }
        client.time_provider = Arc::new(Now);
        server.time_provider = Arc::new(Now);
        let (acceptor, connector) =
            (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let leads_to = world.server.as_ref().expect("it runs").address();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (mut task, written) = (JoinSet::new(), Arc::clone(&seen));
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, connector) = (acceptor.clone(), connector.clone());
                let written = Arc::clone(&written);
                connections.spawn(async move {
                    let node = acceptor.accept(stream).await.expect("TLS with the node");
                    let stream = TcpStream::connect(leads_to).await.expect("the coordinator");
                    let name = ServerName::try_from("127.0.0.1").expect("a name");
                    let coordinator = connector.connect(name, stream).await.expect("TLS with it");
                    carry(node, coordinator, &written).await;
                });
            }
        });
        let authority = CertificateDer::from_pem_slice(own.certificate.as_bytes()).expect("PEM");
        Self { address, authority: authority.into_owned(), seen, _task: task }
    }

    /// Lets the node dial the recorder in place of the coordinator.
    fn lead_here(&self, node: &WorldNode) {
        let mut state = State::open(&node.directory).expect("a state");
        let mut membership = state.membership().expect("readable").expect("enrolled");
        membership.url = format!("https://{}", self.address);
        membership.authority = BASE64.encode(&self.authority);
        state.set_enrolment(&Enrolment::Approved(membership)).expect("written");
    }

    fn seen(&self) -> Vec<Exchange> {
        self.seen.lock().expect("a lock").clone()
    }
}

/// The time of this country.
#[derive(Debug)]
struct Now;

impl rustls::time_provider::TimeProvider for Now {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let now = std::time::Duration::from_secs(1_790_000_000);
        Some(rustls::pki_types::UnixTime::since_unix_epoch(now))
    }
}

/// One message: its head, and its whole bytes; `None` at the end of the connection.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> Option<(String, usize, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = head {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                (name.eq_ignore_ascii_case("content-length")).then(|| value.trim().parse().ok())?
            });
            let body: usize = length.unwrap_or(0);
            if bytes.len() >= end + 4 + body {
                assert_eq!(bytes.len(), end + 4 + body, "one message at a time");
                return Some((head, body, bytes));
            }
        }
        let mut buffer = vec![0; 16 * 1024];
        let read = from.read(&mut buffer).await.ok()?;
        if read == 0 {
            return None;
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
}

async fn carry(
    mut node: impl AsyncRead + AsyncWrite + Unpin,
    mut coordinator: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Vec<Exchange>>,
) {
    while let Some((head, body, bytes)) = message(&mut node).await {
        coordinator.write_all(&bytes).await.expect("sent on");
        let Some((answer_head, answer, bytes)) = message(&mut coordinator).await else { return };
        let exchange = Exchange {
            request: shape(head.lines().next().expect("a first line")),
            headers: headers(&head),
            body,
            status: answer_head.lines().next().expect("a first line").to_owned(),
            answer_headers: headers(&answer_head),
            answer,
        };
        seen.lock().expect("a lock").push(exchange);
        node.write_all(&bytes).await.expect("answered");
    }
}

fn headers(head: &str) -> Vec<(String, usize)> {
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_lowercase(), value.trim().len())).collect()
}

/// A request's first line, with ids replaced by their size.
fn shape(line: &str) -> String {
    let parts = line.split('/').map(|part| {
        let id = part.split(' ').next().unwrap_or_default();
        if id.len() == 64 { part.replace(id, "{64}") } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Writes an export of so many participants: those of Bergen, and again under other names.
fn write_export(node: &WorldNode, people: usize) {
    let bergen = synthetic::bergen();
    let first = |row: &str| row.split(',').next().unwrap_or_default().to_owned();
    let there: Vec<_> = bergen.files()["participant.csv"].lines().skip(1).map(first).collect();
    for (name, text) in bergen.files() {
        let mut written = text.lines().next().expect("a header").to_owned() + "\n";
        for person in 0..people {
            let (id, again) = (&there[person % there.len()], person / there.len());
            for row in text.lines().skip(1).filter(|row| first(row) == *id) {
                written.extend([&again.to_string(), "x", row, "\n"]);
            }
        }
        std::fs::write(node.records().join(name), written).expect("written");
    }
}

/// How many participants the municipalities have.
const SIZES: [usize; 4] = [0, 1, 2, 198];

/// What stands between each node of a small country and its coordinator.
async fn country(folder: &Path) -> (World, Vec<Recorder>) {
    let mut world = World::found(folder, "sqlite:coordinator.db", NOW).await.expect("found");
    let mut recorders = Vec::new();
    for (number, people) in ["4601", "1108", "0301", "5001"].into_iter().zip(SIZES) {
        let number = number.parse().expect("a number");
        world.enrol(&synthetic::municipality(&number, period(), 7)).await.expect("enrolled");
        let node = world.nodes.last().expect("a node");
        write_export(node, people);
        let recorder = Recorder::stand_before(&world, node).await;
        recorder.lead_here(node);
        recorders.push(recorder);
    }
    (world, recorders)
}

fn period() -> Period {
    synthetic::PUBLISHED_PERIOD.parse().expect("a period")
}

fn study() -> StudyDocument {
    let wish = Wish {
        statistics: Vec::new(),
        rho: Rho::from_micro(125_000),
        starts: "2013-01-01".to_owned(),
        ends: "2035-12-31".to_owned(),
        minimum_nodes: 2,
        residence: Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
        municipal_figures: false,
    };
    template::study(&wish, Catalogue::builtin().expect("sound")).expect("a study")
}

async fn approve(world: &World, study: &StudyDocument) {
    world.publish_study(study).await.expect("a study");
    for node in &world.nodes {
        node.cycle().await.expect("a cycle");
        node.decide(Answer::Approved).expect("approved");
    }
}

async fn cycles(world: &World, times: usize) {
    for _ in 0..times {
        for node in &world.nodes {
            let report = node.cycle().await.expect("a cycle");
            assert!(report.failure.is_none() && report.not_released.is_empty(), "{report:?}");
        }
    }
}

/// Every node exchanged the same messages; what they were.
fn alike(recorders: &[Recorder]) -> Vec<String> {
    let first = recorders[0].seen();
    for (recorder, people) in recorders.iter().zip(SIZES) {
        assert_eq!(recorder.seen(), first, "{people} participants");
    }
    for exchange in &first {
        println!(
            "{} {} -> {} {}",
            exchange.request, exchange.body, exchange.status, exchange.answer
        );
    }
    first.into_iter().map(|exchange| exchange.request).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn d19_municipalities_of_0_1_2_and_198_participants_look_alike_on_the_wire() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, recorders) = country(folder.path()).await;
    let study = study();
    approve(&world, &study).await;
    let round = world.open_round(&study, period()).await.expect("a round");
    cycles(&world, 2).await;
    let stored = world.store.releases(&round).await.expect("releases");
    assert_eq!(stored.len(), 4);
    let by_size: BTreeSet<usize> = stored.iter().map(|release| release.envelope.len()).collect();
    assert!(by_size.len() > 1, "what is kept differs in size, so that equal sizes are made equal");
    assert!(stored.iter().all(|release| release.envelope.last() == Some(&b'}')), "without blanks");
    assert_eq!(
        alike(&recorders),
        [
            "GET /v1/work HTTP/1.1",
            "POST /v1/witness HTTP/1.1",
            "GET /v1/work HTTP/1.1",
            "PUT /v1/decisions/{64} HTTP/1.1",
            "POST /v1/witness HTTP/1.1",
            "PUT /v1/releases/{64} HTTP/1.1",
            "GET /v1/work HTTP/1.1",
            "POST /v1/witness HTTP/1.1",
        ]
    );
}

/// The same study with its first two tables shared, one of them alone.
fn shared_study(helper: &VerifyingKey) -> StudyDocument {
    let mut study = study();
    study.tables.truncate(3);
    let catalogue = Catalogue::builtin().expect("sound");
    let asked = study.tables.iter().map(|table| &table.statistic);
    let statistics = asked.map(|id| catalogue.statistic(id).expect("known"));
    study.fields = statistics.flat_map(|statistic| statistic.fields().iter().cloned()).collect();
    for table in study.tables.iter_mut().take(2) {
        table.shared = table.loss;
    }
    study.tables[0].loss = None;
    assert_eq!(study.tables.len(), 3);
    study.mode = None;
    study.aggregation = Some(Aggregation {
        tolerated: 0,
        largest_count: 1_000,
        helper: HelperIdentity {
            name: "The helper".to_owned(),
            signing_key: helper.clone(),
            sealing_key: SealingSecret::generate().0.public(),
        },
    });
    study
}

/// D19 with shared tables: a round waits for its task, and then the report goes before the release. The
/// same of all sizes, and nothing of the records is in what is kept.
#[tokio::test(flavor = "multi_thread")]
async fn d19_reports_of_0_1_2_and_198_participants_look_alike_on_the_wire() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, recorders) = country(folder.path()).await;
    let (helper, _) = SigningKey::generate().expect("a key");
    let study = shared_study(&helper.verifying_key());
    approve(&world, &study).await;
    let round = world.open_round(&study, period()).await.expect("a round");
    for node in &world.nodes {
        let report = node.cycle().await.expect("a cycle");
        assert!(report.waiting.contains(&round) && report.not_released.is_empty(), "{report:?}");
        assert!(report.cycle.sent.is_empty() && !report.refused);
    }
    assert!(world.store.releases(&round).await.expect("releases").is_empty());
    let task = world.store.task_of_round(&round).await.expect("readable").expect("a task").task;
    let acceptance = helper.sign(&TaskAcceptance { task }).expect("signed");
    let acceptance = acceptance.to_json().expect("JSON");
    world.store.accept_task(task, &acceptance, NOW).await.expect("accepted");
    cycles(&world, 2).await;
    assert_eq!(world.store.releases(&round).await.expect("releases").len(), 4);
    assert_eq!(
        alike(&recorders),
        [
            "GET /v1/work HTTP/1.1",
            "POST /v1/witness HTTP/1.1",
            "GET /v1/work HTTP/1.1",
            "PUT /v1/decisions/{64} HTTP/1.1",
            "POST /v1/witness HTTP/1.1",
            "GET /v1/work HTTP/1.1",
            "GET /v1/tasks/{64} HTTP/1.1",
            "POST /v1/witness HTTP/1.1",
            "PUT /v1/reports/{64} HTTP/1.1",
            "PUT /v1/releases/{64} HTTP/1.1",
            "GET /v1/work HTTP/1.1",
            "POST /v1/witness HTTP/1.1",
        ]
    );
}

/// A task of another helper, or one that the coordinator changed, is not answered: nothing is read, sent
/// or charged, and the log says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_does_not_check_out_is_not_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, _recorders) = country(folder.path()).await;
    let (helper, _) = SigningKey::generate().expect("a key");
    let (stranger, _) = SigningKey::generate().expect("a key");
    let study = shared_study(&helper.verifying_key());
    approve(&world, &study).await;
    let round = world.open_round(&study, period()).await.expect("a round");
    let task = world.store.task_of_round(&round).await.expect("readable").expect("a task").task;
    let acceptance = stranger.sign(&TaskAcceptance { task }).expect("signed");
    let acceptance = acceptance.to_json().expect("JSON");
    world.store.accept_task(task, &acceptance, NOW).await.expect("stored");
    let node = &world.nodes[3];
    // Records that cannot be read would be an error: they are not looked at.
    std::fs::remove_dir_all(node.records()).expect("removed");
    for _ in 0..2 {
        let report = node.cycle().await.expect("a cycle");
        let why = report.not_released.get(&round).expect("refused");
        assert!(why.contains("helper") && report.refused && report.waiting.is_empty(), "{why}");
    }
    let log = AuditLog::open(&node.directory).expect("a log").entries().expect("entries");
    let refused = log.iter().filter(|entry| {
        matches!(&entry.body.what, Event::NotReleased { reason: Unanswered::Task, .. })
    });
    assert_eq!(refused.count(), 1);
    assert!(world.store.releases(&round).await.expect("releases").is_empty());
}
