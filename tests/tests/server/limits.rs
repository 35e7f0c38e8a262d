//! Too large and too slow.

use super::harness::*;
use fellestall_shared::limits::DOCUMENT_BYTES;
use fellestall_shared::limits::RELEASE_BYTES;
use fellestall_shared::limits::REPORT_BYTES;
use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

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

/// S10: a report over its limit is refused before it is read if it says so of itself, and as soon as it is
/// over if it does not; one that is as large as a report may be is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_is_too_large_is_refused_and_not_held() {
    let world = World::new().await;
    let node = world.enrol("4601").await;
    let route = NODE_ROUTES[8];
    assert!(route.starts_with("PUT /v1/reports/"), "{route}");
    let head = |rest: &str| {
        format!("{route} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{rest}\r\n")
    };
    let declared = head(&format!("content-length: {}\r\n", REPORT_BYTES + 1));
    let reply = world.raw(Some(node.chain()), declared.as_bytes()).await.expect("an answer");
    assert_eq!(reply.status, 413, "declared, and not a byte of it sent");
    let stranger = world.raw(None, declared.as_bytes()).await.expect("an answer");
    assert_eq!(stranger.status, 401, "whoever is not known is not asked how much");

    let mut stream = world.connect(Some(node.chain())).await.expect("a connection");
    let chunked = head("transfer-encoding: chunked\r\n");
    stream.write_all(chunked.as_bytes()).await.expect("sent");
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend(vec![b' '; 0x10000]);
    chunk.extend(b"\r\n");
    // What lies in the buffers of both ends was sent, but is not held by the service.
    let (mut sent, most) = (0, REPORT_BYTES + 16 * 1024 * 1024);
    while sent < most && stream.write_all(&chunk).await.is_ok() {
        sent += chunk.len();
    }
    assert!(sent >= REPORT_BYTES, "refused at {sent} bytes, before the limit");
    assert!(sent < most, "the service stopped reading");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    // The answer may be lost to a connection that is closed while it still sends.
    assert!(Reply::parse(&answer).is_none_or(|reply| reply.status == 413));

    let whole = vec![b' '; REPORT_BYTES];
    let reply = world.request(Some(node.chain()), route, &whole).await;
    assert_eq!(reply.status, 400, "as large as a report may be, and none");
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

/// Strangers who declare bodies and never send them take none of the places that nodes have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_strangers_keep_no_node_waiting() {
    let world = World::new().await;
    let node = world.enrol("4601").await;
    let head = "POST /v1/enrolments HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n";
    let mut slow = Vec::new();
    // More than all places there are.
    for _ in 0..100 {
        let mut stream = world.connect(None).await.expect("a connection");
        stream.write_all(head.as_bytes()).await.expect("sent");
        slow.push(stream);
    }
    let request = world.request(Some(node.chain()), NODE_ROUTES[3], b"not an envelope");
    let reply = tokio::time::timeout(Duration::from_secs(10), request).await;
    assert_eq!(reply.expect("an answer while strangers are slow").status, 400);
    drop(slow);
    world.server.shutdown().await;
}
