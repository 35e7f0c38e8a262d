//! Accepting connections: each handshake in a task of its own, so that a slow one delays nobody.
//!
//! **Invariant:** at most `limits::CONNECTIONS` connections, and `limits::CONNECTIONS_OF_ADDRESS` of
//! one address; those that cannot be served wait in the system's queue, and those beyond an address's
//! share are closed.

use super::connection::{self, Patience};
use super::identity::Identity;
use super::places::{Place, Places};
use crate::api::peer::{Peer, Shown};
use axum::Router;
use fellestall_shared::limits::{
    CONNECTIONS, CONNECTIONS_OF_ADDRESS, HANDSHAKE_TIMEOUT, REQUEST_TIMEOUT,
};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How long accepting rests when the system has no more file handles.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// How long connections may do nothing.
const PATIENCE: Patience = Patience::SHIPPED;

/// Serves `router` on `listener` until `stop` says so: over TLS with an identity, plainly without.
pub(crate) async fn run(
    listener: TcpListener,
    identity: Option<Identity>,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    run_behind(listener, identity, router, Vec::new(), stop).await;
}

/// The same behind these proxies or balancers, which may have every place that there is.
pub(super) async fn run_behind(
    listener: TcpListener,
    identity: Option<Identity>,
    router: Router,
    proxies: Vec<IpAddr>,
    mut stop: watch::Receiver<bool>,
) {
    let rooms =
        (Arc::new(Semaphore::new(CONNECTIONS)), Places::new(CONNECTIONS_OF_ADDRESS, &proxies));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &rooms) => accepted,
        };
        let Some((stream, remote, place)) = accepted else {
            continue;
        };
        let tls = identity.as_ref().map(Identity::config);
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            if let Some(config) = tls {
                secure(stream, remote, config.into(), router, stop).await;
            } else {
                let shown = Shown::Nothing;
                connection::serve_http1(stream, remote, shown, router, PATIENCE, stop).await;
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
    (all, places): &(Arc<Semaphore>, Places),
) -> Option<(TcpStream, SocketAddr, (OwnedSemaphorePermit, Place))> {
    let permit = Arc::clone(all).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, remote)) => {
            let Some(place) = places.take(remote.ip()) else {
                tracing::debug!(%remote, "refused: its address has its share of connections");
                return None;
            };
            Some((stream, remote, (permit, place)))
        }
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
        connection::serve_http2(stream, remote, shown, router, PATIENCE, stop).await;
    } else {
        connection::serve_http1(stream, remote, shown, router, PATIENCE, stop).await;
    }
}
