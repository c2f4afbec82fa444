//! Accepting connections: bounded headers, slow clients cut off, and a stop that lets running requests end.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tower::ServiceExt;

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
    let places = std::sync::Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
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
            request.map(axum::body::Body::new)
        });
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT).max_buf_size(HEADER_BYTES).half_close(false);
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
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

/// The router as an in-process service, for tests: requests come from the given address.
pub fn in_process(router: Router, peer: SocketAddr) -> Router {
    router.layer(axum::Extension(ConnectInfo(peer)))
}
