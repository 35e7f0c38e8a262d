use super::super::sending::{Activity, UnderWay};
use super::{Look, Patience, Watched, serve_http1};
use crate::api::peer::Shown;
use axum::Router;
use axum::routing::get;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

const BODY: usize = 400_000;
const SHORT: Patience =
    Patience { headers: Duration::from_millis(40), sending: Duration::from_secs(20) };

/// A connection to a service with one large answer; `stop` ends it.
fn served(patience: Patience) -> (DuplexStream, watch::Sender<bool>, JoinSet<()>) {
    let (client, server) = tokio::io::duplex(4_096);
    let router = Router::new().route("/", get(async || "#".repeat(BODY)));
    let (stop, stopped) = watch::channel(false);
    let remote = SocketAddr::from(([192, 0, 2, 1], 1));
    let mut tasks = JoinSet::new();
    tasks.spawn(serve_http1(server, remote, Shown::Nothing, router, patience, stopped));
    (client, stop, tasks)
}

async fn ask(client: &mut DuplexStream) {
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
}

/// How much of the body is in these bytes.
fn letters(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).matches('#').count()
}

/// Whoever reads slowly gets everything, over many times the patience for headers.
#[tokio::test]
async fn a_slow_reader_gets_the_whole_answer() {
    let (mut client, _stop, mut tasks) = served(SHORT);
    ask(&mut client).await;
    let mut got = Vec::new();
    let mut part = vec![0; 4_096];
    while letters(&got) < BODY {
        let read = client.read(&mut part).await.expect("an open connection");
        assert_ne!(read, 0, "closed after {} bytes", got.len());
        got.extend_from_slice(&part[..read]);
        // The pace of the client: a good deal slower than the service.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let head = String::from_utf8_lossy(&got[..200]).to_lowercase();
    assert!(head.contains(&format!("content-length: {BODY}")), "the length is said: {head}");
    // And afterwards it idles, and is closed.
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.expect("closed");
    assert!(rest.is_empty());
    tasks.join_next().await.expect("a task").expect("its end");
}

/// Whoever takes nothing of an answer is left after a while.
#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_left() {
    let patience = Patience { sending: Duration::from_millis(200), ..SHORT };
    let (mut client, _stop, mut tasks) = served(patience);
    ask(&mut client).await;
    tasks.join_next().await.expect("a task").expect("its end");
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.expect("closed");
    assert!(rest.len() < BODY);
}

/// A stop lets an answer under way be taken to its end.
#[tokio::test]
async fn a_stop_waits_for_answers_under_way() {
    let (mut client, stop, mut tasks) = served(SHORT);
    ask(&mut client).await;
    let mut first = [0; 1];
    client.read_exact(&mut first).await.expect("an answer");
    stop.send_replace(true);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.expect("closed");
    assert_eq!(letters(&rest), BODY);
    tasks.join_next().await.expect("a task").expect("its end");
}

#[test]
fn what_a_connection_does_is_told_from_what_it_does_not() {
    let activity = Arc::new(Activity::default());
    let mut watched = Watched::default();
    assert_eq!(watched.look(&activity, SHORT, false), Look::Over, "never a request");
    let request = UnderWay::new(&activity);
    for _ in 0..3 {
        assert_eq!(watched.look(&activity, SHORT, true), Look::Busy, "an answer is made");
    }
    drop(request);
    drop(UnderWay::new(&activity));
    assert_eq!(watched.look(&activity, SHORT, false), Look::Busy, "one came since");
    assert_eq!(watched.look(&activity, SHORT, false), Look::Idle);
    assert_eq!(watched.look(&activity, SHORT, true), Look::Over);
}
