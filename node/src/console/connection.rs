//! Connections to the console: HTTP/1.1 on loopback, with limits.
//!
//! **Invariant:** a connection on which no request completes its headers within
//! `limits::HEADER_TIMEOUT` is closed, at its start and later; there are at most [`CONNECTIONS`].

use axum::Router;
use axum::body::Body;
use fellestall_shared::limits::{HEADER_BYTES, HEADER_COUNT, HEADER_TIMEOUT, REQUEST_TIMEOUT};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

/// Connections at once, at the most: people at one machine.
const CONNECTIONS: usize = 128;
/// How long accepting rests when the system has no more file handles.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `stop` says so.
pub(super) async fn run(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else {
            continue;
        };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            serve(stream, router, stop).await;
            drop(place);
        });
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(REQUEST_TIMEOUT, drained).await.is_err() {
        connections.shutdown().await;
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_REST).await;
            None
        }
    }
}

/// Requests of a connection: how many came, how many were answered.
#[derive(Default)]
struct Activity {
    started: AtomicUsize,
    answered: AtomicUsize,
}

async fn serve(stream: TcpStream, router: Router, mut stop: watch::Receiver<bool>) {
    let activity = Arc::new(Activity::default());
    let counted = Arc::clone(&activity);
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (router, counted) = (router.clone(), Arc::clone(&counted));
        async move {
            counted.started.fetch_add(1, Ordering::Relaxed);
            let answer = router.oneshot(request.map(Body::new)).await;
            counted.answered.fetch_add(1, Ordering::Relaxed);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(HEADER_COUNT)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let (mut seen, mut ending) = (0, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(reason = %error, "a connection ended early");
                }
                return;
            }
            _ = stop.wait_for(|stop| *stop), if !ending => {
                connection.as_mut().graceful_shutdown();
                ending = true;
            }
            () = tokio::time::sleep(HEADER_TIMEOUT) => {
                let started = activity.started.load(Ordering::Relaxed);
                let idle = activity.answered.load(Ordering::Relaxed) == started && started == seen;
                if idle && (ending || started == 0) {
                    return;
                }
                if idle {
                    connection.as_mut().graceful_shutdown();
                    ending = true;
                }
                seen = started;
            }
        }
    }
}
