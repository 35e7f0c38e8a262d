//! Nodes that are no more than keys, certificates and signed messages: many of them, quickly.
//!
//! They speak to a coordinator as nodes do, over mutual TLS with a certificate and a key of their own
//! each, and every release is signed. Their figures are made up by a formula, so that a sum is known.
//!
//! **Invariant:** nothing is mocked at the coordinator; a node is enrolled by the store's own steps, with
//! a certificate of the coordinator's authority.

use anyhow::{Context, Result, bail, ensure};
use fellestall_coordinator::authority::RequestKey;
use fellestall_coordinator::home::Home;
use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::certificates::Certificate;
use fellestall_coordinator::store::enrolment::Application;
use fellestall_coordinator::store::nodes::NodeStatus;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::round::Round;
use fellestall_shared::signed::{Envelope, SigningKey};
use fellestall_shared::tls;
use fellestall_shared::wire::v1::{
    Answer as Answered, Decision, LedgerHead, ReleaseDocument, ReleasedTable, Standing,
};
use rcgen::{KeyPair, PublicKeyData};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// An enrolled node.
pub struct FleetNode {
    /// Its id.
    pub id: NodeId,
    /// Its municipality.
    pub municipality: MunicipalityNumber,
    key: SigningKey,
    tls: Arc<ClientConfig>,
    place: i64,
}

/// The municipality numbers of so many nodes: those of the country first, then others.
///
/// # Errors
/// If there are more than numbers of four digits.
pub fn numbers(count: usize) -> Result<Vec<MunicipalityNumber>> {
    ensure!(count <= 10_000, "a municipality number has four digits: no more than 10,000 nodes");
    let known = fellestall_shared::municipality::all();
    let mut numbers: Vec<_> = known.iter().take(count).map(|one| one.number.clone()).collect();
    for number in 0..10_000_u32 {
        if numbers.len() >= count {
            break;
        }
        let number: MunicipalityNumber = format!("{number:04}").parse()?;
        if fellestall_shared::municipality::find(&number).is_none() {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

/// Enrols a node of this municipality through the store, with a certificate of the authority.
///
/// # Errors
/// Whatever a step of it answers.
pub async fn enrol(
    store: &Store,
    home: &Home,
    municipality: MunicipalityNumber,
    place: usize,
    now: Timestamp,
) -> Result<FleetNode> {
    let (key, _) = SigningKey::generate()?;
    let tls_key = KeyPair::generate()?;
    let request_key = RequestKey::from_stored(tls_key.subject_public_key_info());
    let secret = Digest::of("fleet", municipality.as_str().as_bytes());
    let expires = now.plus(Duration::from_hours(1));
    store.add_invitation(secret, &municipality, now, expires).await?;
    let application = Application {
        secret,
        municipality: municipality.clone(),
        release_key: key.verifying_key(),
        request_key: request_key.as_bytes().to_vec(),
    };
    let id = store.apply(&application, now).await?.node;
    store.decide_node(&id, NodeStatus::Enrolled, now).await?;
    let issued = home.authority.issue_client(&id, &request_key, now)?;
    let certificate = Certificate {
        serial: issued.serial,
        node: id.clone(),
        public_key: request_key.digest(),
        pem: issued.pem,
        issued: now,
        expires: issued.expires,
    };
    store.add_certificate(&certificate, now).await?;
    let chain = vec![CertificateDer::from_pem_slice(certificate.pem.as_bytes())?.into_owned()];
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(tls_key.serialize_der()));
    let authority = home.authority.certificate().clone();
    let mut tls = tls::client(&[authority], Some((chain, private)))?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let place = i64::try_from(place)?;
    Ok(FleetNode { id, municipality, key, tls: Arc::new(tls), place })
}

impl FleetNode {
    /// What the node counts in one cell of one of a round's tables.
    #[must_use]
    pub fn count(&self, table: usize, cell: usize) -> i64 {
        let (table, cell) = (i64::try_from(table).unwrap_or(0), i64::try_from(cell).unwrap_or(0));
        (self.place * 7 + table * 31 + cell * 13) % 23 - 4
    }

    /// The node's release in a round: its `sequence`-th, after the one with this head.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn release(&self, round: &Round, sequence: u64, previous: Digest) -> Result<Envelope> {
        let mut tables = Vec::new();
        for (place, table) in round.study().tables().iter().enumerate() {
            let Some(loss) = table.local else { continue };
            let statistic = table.statistic;
            tables.push(ReleasedTable {
                statistic: statistic.id().clone(),
                definition: statistic.definition(),
                definition_digest: statistic.digest(),
                loss,
                bound: statistic.bound(),
                scale: loss.nominal_scale(statistic.bound()),
                values: (0..statistic.cells()).map(|cell| self.count(place, cell)).collect(),
            });
        }
        let document = ReleaseDocument {
            release: round.question(&self.municipality),
            node: self.id.clone(),
            municipality: self.municipality.clone(),
            round: round.id().clone(),
            study: round.study().digest(),
            period: round.period(),
            tables,
            report: None,
            charge_micro: round.study().charge(),
            consent_snapshot: Digest::of("fleet", b"consent"),
            ledger_sequence: sequence,
            ledger_previous: previous,
        };
        Ok(self.key.sign(&document)?)
    }

    /// What the operator answers to a study.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn decision(&self, study: Digest, answer: Answered) -> Result<Vec<u8>> {
        let decision = Decision { node: self.id.clone(), study, answer };
        Ok(self.key.sign(&decision)?.to_json()?)
    }

    /// Where the node stands before it has answered anything, to be countersigned.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn standing(&self) -> Result<Vec<u8>> {
        let standing = Standing {
            node: self.id.clone(),
            number: 0,
            previous: Digest::ZERO,
            nonce: Digest::of("fleet", self.id.as_str().as_bytes()),
            ledger: LedgerHead { sequence: 0, head: Digest::ZERO },
            since: Vec::new(),
            log: Digest::of("fleet/log", self.id.as_str().as_bytes()),
        };
        Ok(self.key.sign(&standing)?.to_json()?)
    }

    /// Connects to a coordinator, or to a balancer before it.
    ///
    /// # Errors
    /// If nobody is there, or not the coordinator.
    pub async fn connect(&self, address: SocketAddr) -> Result<Connection> {
        let connecting = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let name = ServerName::from(address.ip());
            TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await
        };
        let stream = tokio::time::timeout(PATIENCE, connecting).await.context("no handshake")??;
        Ok(Connection { stream })
    }

    /// Sends a release on a connection of its own; gives the status.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn send(&self, address: SocketAddr, round: &Round, body: &[u8]) -> Result<u16> {
        let path = format!("/v1/releases/{}", round.question(&self.municipality));
        let answer = self.connect(address).await?.ask("PUT", &path, body).await?;
        Ok(answer.status)
    }
}

/// An open connection to a coordinator.
pub struct Connection {
    stream: TlsStream<TcpStream>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

impl Connection {
    /// Asks, and reads the answer; the connection can be asked again.
    ///
    /// # Errors
    /// If there is no answer of a coordinator's.
    pub async fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let length = body.len();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: fleet\r\ncontent-length: {length}\r\n\r\n")
                .into_bytes();
        request.extend_from_slice(body);
        let exchange = async {
            self.stream.write_all(&request).await?;
            self.stream.flush().await?;
            self.read().await
        };
        tokio::time::timeout(PATIENCE, exchange).await.context("no answer in time")?
    }

    async fn read(&mut self) -> Result<Answer> {
        let mut bytes = Vec::new();
        let mut part = vec![0_u8; 16 * 1024];
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end.saturating_add(4);
            }
            self.more(&mut bytes, &mut part).await?;
        };
        let text = String::from_utf8_lossy(bytes.get(..head).unwrap_or_default()).to_lowercase();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = match length {
            Some(length) => length.trim().parse()?,
            None => 0,
        };
        let whole = head.saturating_add(length);
        while bytes.len() < whole {
            self.more(&mut bytes, &mut part).await?;
        }
        let body = bytes.get(head..whole).unwrap_or_default().to_vec();
        Ok(Answer { status: status.context("no status")?, body })
    }

    async fn more(&mut self, bytes: &mut Vec<u8>, part: &mut [u8]) -> Result<()> {
        let read = self.stream.read(part).await?;
        if read == 0 {
            bail!("the connection ended before its answer");
        }
        bytes.extend_from_slice(part.get(..read).unwrap_or_default());
        Ok(())
    }
}
