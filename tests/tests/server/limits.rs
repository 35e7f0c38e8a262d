//! Too large and too slow.

use super::harness::*;
use fellestall_shared::limits::DOCUMENT_BYTES;
use fellestall_shared::limits::RELEASE_BYTES;
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
