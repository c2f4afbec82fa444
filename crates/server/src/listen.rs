//! Accepting connections: bounded headers, slow clients cut off, and a stop that lets running requests end.

mod patience;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tower::ServiceExt;

pub(crate) use self::patience::is_too_slow;
use self::patience::{Heard, Patient};
use crate::Unattended;

/// How long a client may take to send its headers.
const HEADER_LIMIT: Duration = Duration::from_secs(30);
/// How large headers may be together, in bytes of names and values.
pub(crate) const HEADER_BYTES: usize = 32 * 1024;
/// Connections at once; more wait in the operating system's queue.
const CONNECTIONS: usize = 10_000;

/// Serves until `stop` resolves, then lets running requests, and what goes on without its client, end for at most `drain`. What has
/// not ended by then is cut off: when this returns, nothing of it runs any more.
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    unattended: &Unattended,
    stop: impl Future<Output = ()>,
    drain: Duration,
) -> std::io::Result<()> {
    serve_at_once(CONNECTIONS, listener, router, unattended, stop, drain).await
}

/// As [`serve`], so many connections at once.
async fn serve_at_once(
    most: usize,
    listener: TcpListener,
    router: Router,
    unattended: &Unattended,
    stop: impl Future<Output = ()>,
    drain: Duration,
) -> std::io::Result<()> {
    let places = Arc::new(Semaphore::new(most));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (place, stream, peer) = tokio::select! {
            accepted = accept(&listener, &places) => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, or a client that was gone at once: wait a little, never stop serving.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        let _ = stream.set_nodelay(true);
        let service = router.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.map(|body| axum::body::Body::new(Patient::new(body)))
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT).max_buf_size(HEADER_BYTES).half_close(false);
        let connection = builder.serve_connection(TokioIo::new(Heard::new(stream)), TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let deadline = Instant::now() + drain;
    let ended = timeout_at(deadline, graceful.shutdown()).await.is_ok();
    connections.shutdown().await;
    if !(unattended.end_by(deadline).await && ended) {
        tracing::warn!("some requests did not end in time and were cut off");
    }
    Ok(())
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((place, stream, peer))
}

/// The router as an in-process service, for tests: requests come from the given address.
pub fn in_process(router: Router, peer: SocketAddr) -> Router {
    router.layer(axum::Extension(ConnectInfo(peer)))
}

#[cfg(test)]
mod tests {
    use axum::extract::Request;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;

    /// Serves what reads bodies and repeats them, so many connections at once; gives the address, what stops it, and its end.
    async fn echo(most: usize) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<std::io::Result<()>>) {
        let repeat = |request: Request| async move {
            crate::http::body::read(request, 1000)
                .await
                .map_or_else(IntoResponse::into_response, IntoResponse::into_response)
        };
        let router = Router::new().route("/", get(repeat).post(repeat));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let (unattended, stop) = (Unattended::default(), async { _ = stopped.await });
            serve_at_once(most, listener, router, &unattended, stop, Duration::ZERO).await
        });
        (address, stop, serving)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_refused_and_its_connection_closed() {
        let (address, _stop, _serving) = echo(10).await;
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nx").await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("answered and closed");
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains(r#""code":"request_timeout""#), "{answer}");
    }

    #[tokio::test]
    async fn it_stops_when_all_places_are_taken() {
        let (address, stop, serving) = echo(1).await;
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        let mut answered = [0; 15];
        stream.read_exact(&mut answered).await.expect("the place is taken");
        assert_eq!(&answered, b"HTTP/1.1 200 OK");
        let _waiting = TcpStream::connect(address).await.expect("it waits in the queue");
        stop.send(()).expect("it serves");
        let ended = tokio::time::timeout(Duration::from_secs(10), serving).await.expect("it stops");
        ended.expect("it did not panic").expect("it ended well");
    }
}
