//! One connection, HTTP/1.1 or HTTP/2, with its limits.
//!
//! **Invariant:** a connection on which no request completes its headers within
//! `limits::HEADER_TIMEOUT` is closed, at its start and later, over either version; one that takes
//! nothing of its answer for `limits::SENDING_TIMEOUT` is closed too, and one that takes it slowly is
//! not.

use super::sending::{Activity, Answer, Counted, UnderWay};
use crate::api::peer::Shown;
use crate::public::Remote;
use axum::Router;
use axum::body::Body;
use fellestall_shared::limits::{HEADER_BYTES, HEADER_COUNT, HEADER_TIMEOUT, SENDING_TIMEOUT};
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
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower::ServiceExt;

/// Requests of one HTTP/2 connection at once, at the most.
const STREAMS: u32 = 16;

/// How long a connection may do nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until a request's headers are complete.
    pub headers: Duration,
    /// Until a further part of an answer is taken.
    pub sending: Duration,
}

impl Patience {
    /// As the limits say.
    pub(super) const SHIPPED: Self = Self { headers: HEADER_TIMEOUT, sending: SENDING_TIMEOUT };
}

/// Serves HTTP/1.1.
pub(super) async fn serve_http1<I>(
    stream: I,
    remote: SocketAddr,
    shown: Shown,
    router: Router,
    patience: Patience,
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
        .header_read_timeout(patience.headers)
        .max_headers(HEADER_COUNT)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(Counted::new(stream, &activity)), service);
    drive(connection, &activity, patience, stop).await;
}

/// Serves HTTP/2.
pub(super) async fn serve_http2<I>(
    stream: I,
    remote: SocketAddr,
    shown: Shown,
    router: Router,
    patience: Patience,
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
        .serve_connection(TokioIo::new(Counted::new(stream, &activity)), service);
    drive(connection, &activity, patience, stop).await;
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
        let answer = router.oneshot(request.map(Body::new)).await?;
        Ok(answer.map(|body| Body::new(Answer::new(body, under_way))))
    }
}

/// Drives a connection to its end; ends it when it idles, and orderly when the service stops.
async fn drive<C>(
    connection: C,
    activity: &Activity,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
) where
    C: GracefulConnection,
    C::Error: Display,
{
    let mut connection = pin!(connection);
    let mut watched = Watched::default();
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
            () = tokio::time::sleep(patience.headers) => {
                match watched.look(activity, patience, ending) {
                    Look::Busy => {}
                    Look::Idle => {
                        connection.as_mut().graceful_shutdown();
                        ending = true;
                    }
                    Look::Over => return,
                }
            }
        }
    }
}

/// What a connection was seen to do.
#[derive(Debug, Default)]
struct Watched {
    started: usize,
    sent: usize,
    stuck: Duration,
}

/// How a connection looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// A request is being answered, or came since it was last looked at.
    Busy,
    /// Nothing has come: no further request is waited for.
    Idle,
    /// Nothing will come, or nobody takes the answer.
    Over,
}

impl Watched {
    /// Looks again, after [`Patience::headers`].
    fn look(&mut self, activity: &Activity, patience: Patience, ending: bool) -> Look {
        let (started, sent) = (activity.started(), activity.sent());
        let is_stuck = activity.is_blocked() && sent == self.sent;
        self.stuck = if is_stuck { self.stuck + patience.headers } else { Duration::ZERO };
        // What is written does not count: HTTP/2 answers every ping of a client that asks nothing.
        let rests = activity.under_way() == 0 && !activity.is_blocked();
        let idle = rests && started == self.started;
        (self.started, self.sent) = (started, sent);
        match idle {
            _ if self.stuck >= patience.sending => Look::Over,
            true if ending || started == 0 => Look::Over,
            true => Look::Idle,
            false => Look::Busy,
        }
    }
}

#[cfg(test)]
mod tests;
