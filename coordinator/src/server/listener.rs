//! Accepting connections: each handshake in a task of its own, so that a slow one delays nobody.
//!
//! **Invariant:** at most `limits::CONNECTIONS` connections; those that cannot be served wait in the
//! system's queue.

use super::connection;
use super::identity::Identity;
use crate::api::peer::{Peer, Shown};
use axum::Router;
use fellestall_shared::limits::{CONNECTIONS, HANDSHAKE_TIMEOUT, REQUEST_TIMEOUT};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How long accepting rests when the system has no more file handles.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `stop` says so: over TLS with an identity, plainly without.
pub(super) async fn run(
    listener: TcpListener,
    identity: Option<Identity>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, remote, place)) = accepted else {
            continue;
        };
        let tls = identity.as_ref().map(Identity::config);
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            match tls {
                Some(config) => secure(stream, remote, config.into(), router, stop).await,
                None => connection::serve_http1(stream, remote, Shown::Nothing, router, stop).await,
            }
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
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, remote)) => Some((stream, remote, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_REST).await;
            None
        }
    }
}

async fn secure(
    stream: TcpStream,
    remote: SocketAddr,
    acceptor: TlsAcceptor,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    // A small answer must not wait for a full packet.
    let _unneeded = stream.set_nodelay(true);
    let stream = match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::info!(%remote, reason = %error, "refused in the TLS handshake");
            return;
        }
        Err(_) => {
            tracing::info!(%remote, reason = "too slow", "refused in the TLS handshake");
            return;
        }
    };
    let (_, session) = stream.get_ref();
    let shown = match session.peer_certificates().and_then(|chain| chain.first()) {
        None => Shown::Nothing,
        Some(certificate) => {
            Peer::from_certificate(certificate).map_or(Shown::Foreign, Shown::Certificate)
        }
    };
    if session.alpn_protocol() == Some(b"h2") {
        connection::serve_http2(stream, remote, shown, router, stop).await;
    } else {
        connection::serve_http1(stream, remote, shown, router, stop).await;
    }
}
