//! One connection, HTTP/1.1 or HTTP/2, with its limits.
//!
//! **Invariant:** a connection on which no request completes its headers within
//! `limits::HEADER_TIMEOUT` is closed, at its start and later, over either version.

use crate::api::peer::Shown;
use crate::public::Remote;
use axum::Router;
use axum::body::Body;
use fellestall_shared::limits::{HEADER_BYTES, HEADER_COUNT, HEADER_TIMEOUT};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use std::convert::Infallible;
use std::fmt::Display;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower::ServiceExt;

/// Requests of one HTTP/2 connection at once, at the most.
const STREAMS: u32 = 16;

/// Requests of a connection: how many came, how many are being answered.
#[derive(Debug, Default)]
struct Activity {
    started: AtomicUsize,
    under_way: AtomicUsize,
}

/// Counts one request for as long as it lives, even if its client goes away.
struct UnderWay(Arc<Activity>);

impl UnderWay {
    fn new(activity: &Arc<Activity>) -> Self {
        activity.started.fetch_add(1, Ordering::Relaxed);
        activity.under_way.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(activity))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves HTTP/1.1.
pub(super) async fn serve_http1<I>(
    stream: I,
    remote: SocketAddr,
    shown: Shown,
    router: Router,
    stop: watch::Receiver<bool>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::default());
    let counted = Arc::clone(&activity);
    let service =
        service_fn(move |request| answer(request, remote, &shown, router.clone(), &counted));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(HEADER_COUNT)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    drive(connection, &activity, stop).await;
}

/// Serves HTTP/2.
pub(super) async fn serve_http2<I>(
    stream: I,
    remote: SocketAddr,
    shown: Shown,
    router: Router,
    stop: watch::Receiver<bool>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::default());
    let counted = Arc::clone(&activity);
    let service =
        service_fn(move |request| answer(request, remote, &shown, router.clone(), &counted));
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        .serve_connection(TokioIo::new(stream), service);
    drive(connection, &activity, stop).await;
}

fn answer(
    mut request: Request<Incoming>,
    remote: SocketAddr,
    shown: &Shown,
    router: Router,
    activity: &Arc<Activity>,
) -> impl Future<Output = Result<Response<Body>, Infallible>> + use<> {
    let under_way = UnderWay::new(activity);
    request.extensions_mut().insert(shown.clone());
    request.extensions_mut().insert(Remote(remote.ip()));
    async move {
        let answer = router.oneshot(request.map(Body::new)).await;
        drop(under_way);
        answer
    }
}

/// Drives a connection to its end; ends it when it idles, and orderly when the service stops.
async fn drive<C>(connection: C, activity: &Activity, mut stop: watch::Receiver<bool>)
where
    C: GracefulConnection,
    C::Error: Display,
{
    let mut connection = pin!(connection);
    let mut seen = 0;
    let mut ending = false;
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(error) = result {
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
                let idle = activity.under_way.load(Ordering::Relaxed) == 0 && started == seen;
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
