//! One request and its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, HOST};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use crate::Egress;
use crate::endpoint::{Endpoint, Origin};
use crate::error::Error;
use crate::pool::{Connection, Pool};

/// What to send.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub endpoint: Endpoint,
    /// Headers besides `Host` and those about the length, which are set here.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// What the caller takes.
    pub limits: Limits,
}

/// Bounds of one call. Connecting has 5 s of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From sending the request to the answer's head.
    pub head: Duration,
    /// Between two parts of the answer.
    pub idle: Duration,
    /// From the start of the call to the end of the answer.
    pub total: Duration,
    /// Bytes of the answer's body.
    pub size: u64,
}

impl Default for Limits {
    /// 30 s and 10 MiB.
    fn default() -> Self {
        let time = Duration::from_secs(30);
        Self { head: time, idle: time, total: time, size: 10 << 20 }
    }
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Response {
    /// The status, which may be any, redirects included.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// The body of an answer. Dropping it before its end closes the connection at once.
pub struct Body {
    incoming: Incoming,
    /// Given back at the end.
    connection: Option<Connection>,
    origin: Arc<Origin>,
    pool: Arc<Pool>,
    idle: Duration,
    deadline: Instant,
    size: u64,
    left: u64,
}

impl Egress {
    /// Sends a request over a kept connection or a new one. A kept one that turns out to be closed before anything was sent is
    /// replaced.
    /// # Errors
    /// See [`Error`].
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let Request { method, endpoint, headers, body, limits } = request;
        let deadline = Instant::now() + limits.total;
        let origin = endpoint.origin.clone();
        let mut outgoing = http::Request::new(Full::new(body));
        *outgoing.method_mut() = method;
        *outgoing.uri_mut() = Uri::from(endpoint.path.clone());
        *outgoing.headers_mut() = headers;
        outgoing.headers_mut().insert(HOST, origin.header.clone());
        outgoing.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        loop {
            let kept = self.0.pool.take(&origin).await;
            let fresh = kept.is_none();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.0.connect(&endpoint, self.1).await?,
            };
            let by = deadline.min(Instant::now() + limits.head);
            let answer = timeout_at(by, connection.sender.try_send_request(outgoing)).await;
            match answer.map_err(|_| Error::Timeout("the head of the answer"))? {
                Ok(answer) => {
                    let (head, incoming) = answer.into_parts();
                    let mut body = Body {
                        incoming,
                        connection: Some(connection),
                        origin,
                        pool: self.0.pool.clone(),
                        idle: limits.idle,
                        deadline,
                        size: limits.size,
                        left: limits.size,
                    };
                    if body.incoming.is_end_stream() {
                        body.give_back();
                    }
                    return Ok(Response { status: head.status, headers: head.headers, body });
                }
                Err(mut failed) => match failed.take_message() {
                    Some(message) if !fresh => outgoing = message,
                    Some(_) => return Err(Error::NotSent(failed.into_error())),
                    None => return Err(Error::Broken(failed.into_error())),
                },
            }
        }
    }
}

impl Body {
    /// The next part, as it came; none at the end. May be called again after being dropped half way.
    /// # Errors
    /// [`Error::Timeout`], [`Error::TooLarge`] and [`Error::Broken`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let by = self.deadline.min(Instant::now() + self.idle);
            let frame =
                timeout_at(by, self.incoming.frame()).await.map_err(|_| Error::Timeout("a part of the answer"))?;
            let Some(frame) = frame else {
                self.give_back();
                return Ok(None);
            };
            // Trailers say nothing that anybody here reads.
            let Ok(data) = frame.map_err(Error::Broken)?.into_data() else { continue };
            self.left = self.left.checked_sub(data.len() as u64).ok_or(Error::TooLarge(self.size))?;
            if self.incoming.is_end_stream() {
                self.give_back();
            }
            return Ok(Some(data));
        }
    }

    /// All of it.
    /// # Errors
    /// As [`Body::chunk`].
    pub async fn whole(mut self) -> Result<Bytes, Error> {
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        // Most answers come in one part, which need not be copied.
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(next) = self.chunk().await? {
            all.extend_from_slice(&next);
        }
        Ok(all.freeze())
    }

    /// For an answer that is known to be over although its connection has not said so yet: waits for that in the background, so
    /// that the connection can be used again.
    pub fn finish(mut self) {
        const GRACE: Duration = Duration::from_secs(1);
        const REST: u64 = 4096;
        if self.connection.is_none() {
            return;
        }
        self.deadline = Instant::now() + GRACE;
        self.left = REST;
        tokio::spawn(async move { while let Ok(Some(_)) = self.chunk().await {} });
    }

    fn give_back(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.put(&self.origin, connection);
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("left", &self.left).finish_non_exhaustive()
    }
}
