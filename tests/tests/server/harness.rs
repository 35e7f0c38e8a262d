//! A running coordinator and its nodes, and a client that can be as wrong as a test wants.

use fellestall_coordinator::config::{Config, Web};
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
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::Round;
use fellestall_shared::signed::{SigningKey, VerifyingKey};
use fellestall_shared::tls;
use fellestall_shared::wire::v1::{
    EnrolmentQuery, EnrolmentRequest, EnrolmentState, Invitation, ReleaseDocument, ReleasedTable,
};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub type Chain = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A running coordinator, and a second look at its keys.
pub struct World {
    pub server: Server,
    pub home: Home,
    _folder: TempDir,
}

/// An enrolled node.
pub struct Node {
    pub id: NodeId,
    pub key: SigningKey,
    pub tls_key: KeyPair,
    pub certificate: CertificateDer<'static>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

pub fn now() -> Timestamp {
    SystemClock.now()
}

impl World {
    pub async fn new() -> Self {
        Self::found(|_, _| (), Arc::new(SystemClock)).await
    }

    /// A coordinator with a changed configuration, which may name files in its directory.
    pub async fn found(
        change: impl FnOnce(&mut Config, &std::path::Path),
        clock: Arc<dyn Clock>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config {
            url: "https://localhost".to_owned(),
            hosts: vec!["localhost".to_owned()],
            listen: "127.0.0.1:0".parse().expect("an address"),
            public: Some("127.0.0.1:0".parse().expect("an address")),
            store: "sqlite:coordinator.db".to_owned(),
            web: Web::default(),
            admin: None,
        };
        let directory = folder.path().join("coordinator");
        std::fs::create_dir(&directory).expect("a directory");
        change(&mut config, &directory);
        Home::create(&directory, &config, now()).expect("a coordinator");
        let open = || Home::open(&directory).expect("a coordinator");
        let server = Server::start(open(), clock).await.expect("a service");
        Self { server, home: open(), _folder: folder }
    }

    pub async fn invite(&self, number: &str) -> Invitation {
        let number = number.parse().expect("a number");
        let (store, home) = (self.server.store(), &self.home);
        let invited = invitation::invite(store, &home.authority, &home.config.url, &number, now())
            .await
            .expect("an invitation");
        let text = invited.text.strip_prefix(invitation::PREFIX).expect("the prefix");
        let json = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url");
        serde_json::from_slice(&json).expect("an invitation")
    }

    pub async fn enrol(&self, number: &str) -> Node {
        self.enrol_naming(number, None).await
    }

    /// Enrols a node that names this release key as its own, whoever holds the secret half.
    pub async fn enrol_naming(&self, number: &str, named: Option<VerifyingKey>) -> Node {
        let (mut request, key, tls_key) = application(&self.invite(number).await);
        request.release_key = named.unwrap_or(request.release_key);
        let release_key = request.release_key.clone();
        // N02: the answer to the first request is lost, so that it is sent again.
        for _ in 0..2 {
            let reply = self.post(None, "/v1/enrolments", &request).await;
            assert_eq!(reply.status, 202, "{reply:?}");
            let state = reply.json::<EnrolmentState>();
            assert!(
                matches!(state, EnrolmentState::Pending { fingerprint } if fingerprint == release_key.fingerprint())
            );
        }
        let id = NodeId::new(&request.municipality, 1);
        let store = self.server.store();
        store.decide_node(&id, NodeStatus::Enrolled, now()).await.expect("approved");
        let query = EnrolmentQuery { secret: request.secret, release_key };
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
    pub async fn open_round(&self) -> Round {
        let catalogue = Catalogue::builtin().expect("a catalogue");
        let wish = Wish {
            statistics: Vec::new(),
            rho: Rho::from_micro(125_000),
            starts: "2016-01-01".to_owned(),
            ends: "2099-12-31".to_owned(),
            minimum_nodes: 2,
            municipal_figures: false,
            residence: fellestall_shared::wire::v1::Residence::Anywhere,
            sharing: fellestall_coordinator::template::Sharing::default(),
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

    pub async fn connect(&self, chain: Option<Chain>) -> std::io::Result<TlsStream<TcpStream>> {
        let authority = self.home.authority.certificate().clone();
        let mut config = tls::client(&[authority], chain).expect("settings");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let stream = TcpStream::connect(self.server.address()).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// Sends raw bytes on a new connection and reads what comes until its end.
    pub async fn raw(&self, chain: Option<Chain>, bytes: &[u8]) -> std::io::Result<Reply> {
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

    pub async fn request(&self, chain: Option<Chain>, line: &str, body: &[u8]) -> Reply {
        let bytes = message(line, &[], body);
        self.raw(chain, &bytes).await.expect("an answer")
    }

    pub async fn post<T: Serialize>(&self, chain: Option<Chain>, path: &str, body: &T) -> Reply {
        let body = serde_json::to_vec(body).expect("JSON");
        self.request(chain, &format!("POST {path}"), &body).await
    }

    pub async fn put_release(&self, node: &Node, id: impl ToString, body: &[u8]) -> Reply {
        let line = format!("PUT /v1/releases/{}", id.to_string());
        self.request(Some(node.chain()), &line, body).await
    }
}

impl Reply {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let status = std::str::from_utf8(bytes.get(9..12)?).ok()?.parse().ok()?;
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        Some(Self { status, body: bytes[end + 4..].to_vec() })
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).expect("the JSON that was promised")
    }
}

impl Node {
    pub fn chain(&self) -> Chain {
        (vec![self.certificate.clone()], private(&self.tls_key))
    }

    /// A valid release of this node: small counts, some of them negative.
    pub fn release(&self, round: &Round, seed: i64) -> ReleaseDocument {
        let municipality = self.id.as_str()[..4].parse().expect("a number");
        let table = |table: &fellestall_shared::study::Table| {
            let statistic = table.statistic;
            ReleasedTable {
                statistic: statistic.id().clone(),
                definition: statistic.definition(),
                definition_digest: statistic.digest(),
                loss: table.local.expect("local"),
                bound: statistic.bound(),
                scale: table.local.expect("local").nominal_scale(statistic.bound()),
                values: (-1..).take(statistic.cells()).map(|value| value + seed).collect(),
            }
        };
        let local = round.study().tables().iter().filter(|table| table.local.is_some());
        ReleaseDocument {
            release: round.question(&municipality),
            node: self.id.clone(),
            municipality,
            round: round.id().clone(),
            study: round.study().digest(),
            period: round.period(),
            tables: local.map(table).collect(),
            report: None,
            charge_micro: round.study().charge(),
            consent_snapshot: Digest::of("test", b"consent"),
            ledger_sequence: 1,
            ledger_previous: Digest::ZERO,
        }
    }

    pub fn sign(&self, document: &ReleaseDocument) -> Vec<u8> {
        self.key.sign(document).expect("signed").to_json().expect("JSON")
    }
}

pub fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM").into_owned()
}

pub fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()))
}

pub fn certificate_request(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).expect("made").pem().expect("PEM")
}

pub fn application(invitation: &Invitation) -> (EnrolmentRequest, SigningKey, KeyPair) {
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

pub fn message(line: &str, headers: &[String], body: &[u8]) -> Vec<u8> {
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
pub const NODE_ROUTES: [&str; 9] = [
    "GET /v1/work",
    "POST /v1/certificates",
    "PUT /v1/decisions/0000000000000000000000000000000000000000000000000000000000000000",
    "PUT /v1/releases/0000000000000000000000000000000000000000000000000000000000000000",
    "POST /v1/witness",
    "GET /v1/witness",
    "GET /v1/releases?after=0",
    "GET /v1/tasks/0000000000000000000000000000000000000000000000000000000000000000",
    "PUT /v1/reports/0000000000000000000000000000000000000000000000000000000000000000",
];
