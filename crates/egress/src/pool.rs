//! Connections that wait for their next request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::endpoint::Origin;

/// How long a connection may wait for its next request; below the 60 s after which common servers close theirs.
const IDLE: Duration = Duration::from_secs(45);
/// Waiting connections of one origin.
const PER_ORIGIN: usize = 256;
/// Waiting connections in all: each costs a descriptor and some kilobytes.
const IN_ALL: usize = 1024;
/// An answer was read to its end, so the connection becomes free as soon as its task runs. One that does not (the other side
/// answered without reading the request) is not worth the wait.
const SETTLING: Duration = Duration::from_millis(100);

/// A connection; dropping it closes it at once, also in the middle of an answer.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    task: Option<AbortHandle>,
}

impl Connection {
    pub(crate) fn new(sender: SendRequest<Full<Bytes>>, task: AbortHandle) -> Self {
        Self { sender, task: Some(task) }
    }

    /// Whether it can take a request now.
    async fn ready(&mut self) -> bool {
        if self.sender.is_closed() {
            return false;
        }
        self.sender.is_ready() || matches!(timeout(SETTLING, self.sender.ready()).await, Ok(Ok(())))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

#[derive(Default)]
pub(crate) struct Pool(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    by_origin: HashMap<Arc<Origin>, Vec<(Instant, Connection)>>,
    in_all: usize,
    swept: Option<Instant>,
}

impl Pool {
    /// The connection to this origin that waited least and still lives.
    pub(crate) async fn take(&self, origin: &Arc<Origin>) -> Option<Connection> {
        loop {
            let mut connection = self.pop(origin)?;
            if connection.ready().await {
                return Some(connection);
            }
        }
    }

    fn pop(&self, origin: &Arc<Origin>) -> Option<Connection> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, connection) = waiting.by_origin.get_mut(origin)?.pop()?;
        waiting.in_all -= 1;
        (since.elapsed() < IDLE).then_some(connection)
    }

    /// Keeps a connection whose answer was read to its end, if there is room.
    pub(crate) fn put(&self, origin: &Arc<Origin>, connection: Connection) {
        if connection.sender.is_closed() {
            return;
        }
        let now = Instant::now();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.sweep(now);
        if waiting.in_all >= IN_ALL {
            return;
        }
        let list = waiting.by_origin.entry(origin.clone()).or_default();
        if list.len() < PER_ORIGIN {
            list.push((now, connection));
            waiting.in_all += 1;
        }
    }
}

impl Waiting {
    /// Closes what has waited too long, and forgets origins without connections; now and then.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|last| now - last < IDLE / 4) {
            return;
        }
        self.swept = Some(now);
        self.by_origin.retain(|_, list| {
            list.retain(|(since, connection)| now - *since < IDLE && !connection.sender.is_closed());
            !list.is_empty()
        });
        self.in_all = self.by_origin.values().map(Vec::len).sum();
    }
}
