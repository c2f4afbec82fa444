//! How long the server waits for a client that is there: for bytes of a body that it began to send, and for room to send it more.
//! Otherwise one byte would hold a connection for ever, and whoever opens enough of them would have all places that there are.

use std::error::Error;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long a body is waited for while none of it comes.
const BODY: Duration = Duration::from_secs(30);
/// How much of that each byte gives back: who sends less than a thousand of them in a second is not waited for in the end.
const EACH_BYTE: Duration = Duration::from_millis(1);
/// How long a client may leave unread what is sent to it. A socket takes more only when a good part of what it holds was read, so a
/// slow reader needs its time.
const UNREAD: Duration = Duration::from_mins(2);

/// A body did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not come in time")]
struct TooSlow;

/// Whether something failed since a body did not come in time.
pub(crate) fn is_too_slow(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<TooSlow>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A body that is waited for as long as it comes. What its reader does meanwhile does not count.
pub(super) struct Patient<B> {
    body: B,
    /// How much longer it is waited for.
    left: Duration,
    /// Since when it is waited for, and the end of that; none while nobody waits.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> Patient<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body, left: BODY, waiting: None }
    }
}

impl<B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin> HttpBody for Patient<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) else {
            let left = this.left;
            let (_, end) = this.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
            ready!(end.as_mut().poll(context));
            return Poll::Ready(Some(Err(TooSlow.into())));
        };
        if let Some((since, _)) = this.waiting.take() {
            this.left = this.left.saturating_sub(since.elapsed());
        }
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, |data| u32::try_from(data.len()).unwrap_or(u32::MAX));
            this.left = this.left.saturating_add(EACH_BYTE.saturating_mul(bytes)).min(BODY);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection whose other side must read what it is sent.
pub(super) struct Heard<S> {
    stream: S,
    /// The end of waiting for it to take more; none while it does.
    full: Option<Pin<Box<Sleep>>>,
}

impl<S> Heard<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, full: None }
    }

    /// What came of a try to write, or that waiting for one has an end.
    fn within(&mut self, wrote: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if wrote.is_ready() {
            self.full = None;
            return wrote;
        }
        let end = self.full.get_or_insert_with(|| Box::pin(sleep(UNREAD)));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within(wrote, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.within(wrote, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A body that sends so many pieces of a size, each after a pause.
    fn body(pieces: usize, size: usize, pause: Duration) -> impl HttpBody<Data = Bytes, Error = BoxError> {
        let stream = stream::unfold(0, move |sent| async move {
            sleep(pause).await;
            let frame = Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'x'; size])));
            (sent < pieces).then_some((frame, sent + 1))
        });
        Patient::new(StreamBody::new(Box::pin(stream)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_waited_for_as_long_as_it_comes() {
        let began = Instant::now();
        let slow = body(300, 1000, Duration::from_secs(1)).collect().await.expect("it comes");
        assert_eq!(slow.to_bytes().len(), 300_000);
        assert!(began.elapsed() >= Duration::from_mins(5));
        body(1, 1, Duration::from_secs(14))
            .collect()
            .await
            .expect("it was waited for twice, shorter than the patience lasts");
        // A byte now and then is no body that comes.
        for (pieces, pause) in [(1, Duration::from_hours(1)), (1000, Duration::from_secs(20))] {
            let began = Instant::now();
            let error = body(pieces, 1, pause).collect().await.expect_err("it does not come");
            assert!(is_too_slow(&*error), "{error}");
            assert!(began.elapsed() < Duration::from_secs(31), "{:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_cut_off_and_who_reads_slowly_is_not() {
        let (ours, mut theirs) = tokio::io::duplex(16);
        let reading = tokio::spawn(async move {
            let mut piece = [0; 16];
            for _ in 0..4 {
                sleep(Duration::from_secs(90)).await;
                theirs.read_exact(&mut piece).await.expect("sent");
            }
            theirs
        });
        let mut ours = Heard::new(ours);
        ours.write_all(&[0; 80]).await.expect("it is read in the end");
        let _theirs = reading.await.expect("it read");
        let began = Instant::now();
        let error = ours.write_all(&[0; 80]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!((UNREAD..UNREAD * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}
