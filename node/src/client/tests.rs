use super::{Client, ClientError, Endpoint, Meaning, SetupError};
use fellestall_shared::clock::{FixedClock, Timestamp};
use fellestall_shared::problem::{Problem, ProblemKind};
use fellestall_shared::tls;
use fellestall_shared::wire::v1::Health;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// 2026-01-01.
const NOW: Timestamp = Timestamp::from_unix(1_767_225_600);

struct Authority {
    certificate: CertificateDer<'static>,
    issuer: rcgen::Issuer<'static, KeyPair>,
}

fn authority() -> Authority {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("an authority").der().clone();
    Authority { certificate, issuer: rcgen::Issuer::new(params, key) }
}

/// Answers one connection with fixed bytes over TLS, or gives up when the handshake fails.
fn serve(authority: &Authority, name: &str, answer: Vec<u8>) -> (u16, JoinHandle<()>) {
    use std::io::{Read, Write};
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.not_before = rcgen::date_time_ymd(2025, 12, 1);
    params.not_after = rcgen::date_time_ymd(2026, 3, 1);
    let leaf = params.signed_by(&key, &authority.issuer).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let mut config = tls::server(vec![leaf.der().clone()], key, &authority.certificate)
        .expect("a configuration");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let served = std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().expect("a connection");
        tcp.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        let mut tls = rustls::ServerConnection::new(Arc::new(config)).expect("a session");
        let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
        let mut seen = Vec::new();
        let mut byte = [0_u8; 1];
        while !seen.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => seen.push(byte[0]),
                _ => return,
            }
        }
        // The client may close as soon as it has read more than its limit.
        drop(stream.write_all(&answer).and_then(|()| stream.flush()));
    });
    (port, served)
}

fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn ask(port: u16, trusted: &Authority, now: Timestamp) -> Result<Health, ClientError> {
    let endpoint = Endpoint {
        url: format!("https://localhost:{port}"),
        authorities: vec![trusted.certificate.clone()],
        proxy: None,
    };
    let client = Client::new(&endpoint, None, Arc::new(FixedClock(now))).expect("a client");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(client.health())
}

#[test]
fn an_answer_is_read_and_one_of_no_coordinator_is_told_from_it() {
    let authority = authority();
    let health = Health { version: "1".to_owned(), now: NOW };
    let body = serde_json::to_vec(&health).expect("written");
    let (port, served) = serve(&authority, "localhost", answer("200 OK", &body));
    assert_eq!(ask(port, &authority, NOW), Ok(health));
    served.join().expect("served");
    let (port, served) = serve(&authority, "localhost", answer("404 Not Found", b"<html>"));
    assert_eq!(ask(port, &authority, NOW), Err(ClientError::NotACoordinator { status: 404 }));
    served.join().expect("served");
    let (port, served) = serve(&authority, "localhost", answer("200 OK", b"<html>"));
    assert_eq!(ask(port, &authority, NOW), Err(ClientError::Answer));
    served.join().expect("served");
}

#[test]
fn an_answer_over_the_limit_is_not_read() {
    let authority = authority();
    let body = vec![b' '; super::DOCUMENT_BYTES + 1];
    let (port, served) = serve(&authority, "localhost", answer("200 OK", &body));
    let limit = super::DOCUMENT_BYTES;
    assert_eq!(ask(port, &authority, NOW), Err(ClientError::AnswerTooLarge { limit }));
    served.join().expect("served");
}

#[test]
fn a_refusal_is_told_with_its_remedy() {
    let authority = authority();
    let check = |kind: ProblemKind, meaning, remedy: &str| {
        let body = serde_json::to_vec(&Problem::new(kind, "said so")).expect("written");
        let status = format!("{} Refused", kind.status());
        let (port, served) = serve(&authority, "localhost", answer(&status, &body));
        let error = ask(port, &authority, NOW).expect_err("refused");
        served.join().expect("served");
        assert_eq!(error, ClientError::Refused { kind, detail: "said so".to_owned() });
        assert_eq!(error.meaning(), meaning, "{kind:?}");
        assert!(error.to_string().contains(remedy), "{error}");
    };
    check(ProblemKind::NodeDenied, Meaning::Denied, "coordinator's operator");
    check(ProblemKind::InvitationInvalid, Meaning::Final, "operator for a new one");
    check(ProblemKind::Conflict, Meaning::Final, "Nothing was overwritten");
    check(ProblemKind::RoundClosed, Meaning::Final, "said so");
    check(ProblemKind::Busy, Meaning::Passing, "tried again");
}

#[test]
fn a_clock_that_is_off_by_a_year_is_named() {
    let authority = authority();
    for (now, state) in [(1_798_761_600, "not valid after"), (1_735_689_600, "not valid before")] {
        let (port, served) = serve(&authority, "localhost", Vec::new());
        let error = ask(port, &authority, Timestamp::from_unix(now)).expect_err("refused");
        served.join().expect("served");
        let text = error.to_string();
        assert!(text.contains(state) && text.contains("clock"), "{text}");
        assert!(text.contains(&Timestamp::from_unix(now).to_string()), "{text}");
        assert_eq!(error.meaning(), Meaning::Passing);
    }
}

#[test]
fn s01_another_authority_or_name_is_refused() {
    let (ours, theirs) = (authority(), authority());
    let host = || "localhost".to_owned();
    let (port, served) = serve(&theirs, "localhost", Vec::new());
    assert_eq!(ask(port, &ours, NOW), Err(ClientError::UnknownAuthority { host: host() }));
    served.join().expect("served");
    let (port, served) = serve(&ours, "elsewhere.example.no", Vec::new());
    assert_eq!(ask(port, &ours, NOW), Err(ClientError::OtherName { host: host() }));
    served.join().expect("served");
}

#[test]
fn nobody_there_is_told_from_no_such_name() {
    let authority = authority();
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    let error = ask(port, &authority, NOW).expect_err("nobody listens");
    assert_eq!(error, ClientError::Unreachable { host: "localhost".to_owned() });
    assert!(error.is_unreached());
}

#[test]
fn only_https_is_dialled() {
    let authorities = vec![authority().certificate];
    for url in ["http://localhost:1", "localhost:1", "https://"] {
        let endpoint =
            Endpoint { url: url.to_owned(), authorities: authorities.clone(), proxy: None };
        let refused = Client::new(&endpoint, None, Arc::new(FixedClock(NOW))).err();
        assert!(matches!(refused, Some(SetupError::Url)), "{url}");
    }
}
