//! What a connection is doing, down to whether its client takes what it is sent.
//!
//! **Invariant:** a request is under way until the last part of its answer is handed on, or nobody
//! wants it any more; what was handed on and is not yet sent is known too.

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Requests of a connection: how many came, how many are being answered; and whether the client takes
/// what it is sent.
#[derive(Debug, Default)]
pub(super) struct Activity {
    started: AtomicUsize,
    under_way: AtomicUsize,
    sent: AtomicUsize,
    blocked: AtomicBool,
}

impl Activity {
    /// Requests that came.
    pub(super) fn started(&self) -> usize {
        self.started.load(Ordering::Relaxed)
    }

    /// Requests whose answers are being made or sent.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Whether something waits to be sent that the client does not take.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    /// Writes that went through.
    pub(super) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

/// Counts one request for as long as it lives, even if its client goes away.
pub(super) struct UnderWay(Arc<Activity>);

impl UnderWay {
    /// A request that has just come.
    pub(super) fn new(activity: &Arc<Activity>) -> Self {
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

/// The body of the answer to a request, which is under way for as long as there is more of it.
pub(super) struct Answer {
    body: Body,
    _under_way: UnderWay,
}

impl Answer {
    /// The body of the answer to a request that is under way.
    pub(super) fn new(body: Body, under_way: UnderWay) -> Self {
        Self { body, _under_way: under_way }
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream whose writes are counted, so that it is known whether the client takes what it is sent.
pub(super) struct Counted<I> {
    stream: I,
    activity: Arc<Activity>,
}

impl<I> Counted<I> {
    /// Counts the writes of a connection.
    pub(super) fn new(stream: I, activity: &Arc<Activity>) -> Self {
        Self { stream, activity: Arc::clone(activity) }
    }

    /// Notes how a write, or what is left of earlier ones, fared.
    fn note<T>(&self, outcome: &Poll<io::Result<T>>) {
        self.activity.blocked.store(outcome.is_pending(), Ordering::Relaxed);
        if matches!(outcome, Poll::Ready(Ok(_))) {
            self.activity.sent.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Counted<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, into)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Counted<I> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let counted = self.get_mut();
        let written = Pin::new(&mut counted.stream).poll_write(context, bytes);
        counted.note(&written);
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let counted = self.get_mut();
        let written = Pin::new(&mut counted.stream).poll_write_vectored(context, parts);
        counted.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let counted = self.get_mut();
        let flushed = Pin::new(&mut counted.stream).poll_flush(context);
        counted.activity.blocked.store(flushed.is_pending(), Ordering::Relaxed);
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
