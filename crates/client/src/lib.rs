//! A client of a Rowhouse that runs elsewhere: with an API key or an access token, over HTTP, as everybody's programs do.
//!
//! [`Client::send`] sends anything and gives back whatever is answered. The others know the API: they read JSON, walk lists to their
//! end, send a POST with an `Idempotency-Key`, come back when they are asked to wait, and turn refusals into sentences.

mod answer;
mod error;
mod finding;

use std::str::FromStr as _;
use std::time::Duration;

use bytes::Bytes;
use domain::Ambient;
use egress::{Allowed, Body, Egress, Endpoint, Limits, Policy, Request};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, IF_MATCH, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

pub use answer::Answer;
pub use error::{Error, Refused, shown};
pub use finding::escaped;

/// What a client comes to.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How long an answer may take: one with a model behind it takes long.
const LIMITS: Limits = Limits {
    head: Duration::from_mins(1),
    idle: Duration::from_mins(2),
    total: Duration::from_mins(15),
    size: 64 << 20,
};
/// How often a request is sent at most, when the server asks to come back later.
const TRIES: u32 = 5;
/// The longest that one request waits for being let in, all waits together.
const PATIENCE: Duration = Duration::from_mins(1);
/// The header by which a POST that is sent twice takes effect once.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A client with one credential at one server; cheap to clone. One lives as long as its runtime.
#[derive(Clone)]
pub struct Client {
    egress: Egress,
    base: Endpoint,
    bearer: HeaderValue,
    ambient: Ambient,
    org: Option<HeaderValue>,
    project: Option<HeaderValue>,
}

impl Client {
    /// A client of the server at a URL, with an API key or an access token.
    /// # Errors
    /// [`Error::Address`] when the URL is none, [`Error::Credential`] when the bearer cannot be one.
    pub fn new(url: &str, bearer: &str, ambient: Ambient) -> Result<Self> {
        let base = Endpoint::new(url).map_err(|error| Error::Address(error.to_string()))?;
        // Whoever names the server says which it is, wherever that may be.
        let host = Allowed::from_str(base.host()).map_err(|error| Error::Address(error.to_string()))?;
        let egress = Egress::new(Policy { allow: vec![host], own: Vec::new() });
        let bearer = bearer.trim();
        let header = HeaderValue::try_from(format!("Bearer {bearer}")).ok().filter(|_| !bearer.is_empty());
        let mut bearer = header.ok_or(Error::Credential)?;
        bearer.set_sensitive(true);
        Ok(Self { egress, base, bearer, ambient, org: None, project: None })
    }

    /// The host of the server.
    #[must_use]
    pub fn host(&self) -> &str {
        self.base.host()
    }

    /// The id of the organisation that was entered.
    #[must_use]
    pub fn org(&self) -> &str {
        self.org.as_ref().and_then(|org| org.to_str().ok()).unwrap_or_default()
    }

    /// Sends one request, and gives back what is answered, whatever it is. The credential and what was selected go along, unless the
    /// headers say otherwise; a body is JSON unless they say otherwise.
    /// # Errors
    /// When there is no whole answer, and [`Error::Request`] when the path or a header cannot be sent.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let (status, headers, body) = self.open(method, path, headers, body.into()).await?;
        let body = body.whole().await.map_err(|error| self.unreachable(&error))?;
        Ok(Answer { status, headers, body })
    }

    /// Asks for something.
    /// # Errors
    /// When it is refused, or not answered.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.call(Method::GET, path, HeaderMap::new(), None).await
    }

    /// Makes or does something: once, however often it is sent until it is answered.
    /// # Errors
    /// When it is refused, or not answered.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.call(Method::POST, path, self.once(), Some(body)).await
    }

    /// Sets something, if it still is of the version that its `ETag` tells; of any version when there is none.
    /// # Errors
    /// When it is refused, or not answered. The code `stale` says that somebody else was faster.
    pub async fn put(&self, path: &str, etag: Option<&str>, body: Option<&Value>) -> Result<Answer> {
        self.call(Method::PUT, path, of_version(etag)?, body).await
    }

    /// Changes something, if it still is of the version that its `ETag` tells; of any version when there is none.
    /// # Errors
    /// When it is refused, or not answered. The code `stale` says that somebody else was faster.
    pub async fn patch(&self, path: &str, etag: Option<&str>, body: &Value) -> Result<Answer> {
        self.call(Method::PATCH, path, of_version(etag)?, Some(body)).await
    }

    /// Deletes something, if it still is of the version that its `ETag` tells; of any version when there is none.
    /// # Errors
    /// When it is refused, or not answered. The code `stale` says that somebody else was faster.
    pub async fn delete(&self, path: &str, etag: Option<&str>) -> Result<Answer> {
        self.call(Method::DELETE, path, of_version(etag)?, None).await
    }

    /// Does something whose answer comes bit by bit, as server-sent events.
    /// # Errors
    /// When it is refused, or its answer does not begin.
    pub async fn stream(&self, path: &str, body: &Value) -> Result<Body> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/event-stream"))]);
        let (status, headers, body) = self.open(Method::POST, path, &headers, body.to_string().into()).await?;
        if status.is_success() {
            return Ok(body);
        }
        let body = body.whole().await.map_err(|error| self.unreachable(&error))?;
        Err(Refused::of(&Answer { status, headers, body }).into())
    }

    /// Sends a request until it is let in, and gives back a good answer.
    async fn call(&self, method: Method, path: &str, headers: HeaderMap, body: Option<&Value>) -> Result<Answer> {
        let body: Bytes = body.map(|body| body.to_string().into()).unwrap_or_default();
        let (mut tries, mut patience) = (1, PATIENCE);
        loop {
            let answer = self.send(method.clone(), path, &headers, body.clone()).await?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            let Some(wait) = wait(&answer).filter(|wait| *wait <= patience && tries < TRIES) else {
                return Err(Refused::of(&answer).into());
            };
            tokio::time::sleep(wait).await;
            patience -= wait;
            tries += 1;
        }
    }

    async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<(StatusCode, HeaderMap, Body)> {
        let mut all = HeaderMap::new();
        all.insert(ACCEPT, HeaderValue::from_static("application/json"));
        all.insert(AUTHORIZATION, self.bearer.clone());
        let selected = [("x-rowhouse-org", &self.org), ("x-rowhouse-project", &self.project)];
        for (name, value) in selected {
            if let Some(value) = value {
                all.insert(name, value.clone());
            }
        }
        if !body.is_empty() {
            all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in headers {
            all.insert(name, value.clone());
        }
        let endpoint = self.base.join(path).map_err(|_| Error::Request)?;
        let request = Request { method, endpoint, headers: all, body, limits: LIMITS };
        let answer = self.egress.send(request).await.map_err(|error| self.unreachable(&error))?;
        Ok((answer.status, answer.headers, answer.body))
    }

    /// The headers of a POST that is to take effect once.
    fn once(&self) -> HeaderMap {
        let key: String = self.ambient.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        HeaderMap::from_iter([(IDEMPOTENCY_KEY, HeaderValue::try_from(key).expect("digits"))])
    }

    fn unreachable(&self, error: &egress::Error) -> Error {
        Error::Unreachable { host: format!("{}:{}", self.base.host(), self.base.port()), why: error.to_string() }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("host", &self.base.host()).field("org", &self.org).finish_non_exhaustive()
    }
}

/// How long the server asks to wait.
fn wait(answer: &Answer) -> Option<Duration> {
    if !matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let seconds: u64 = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    // At once is never meant.
    Some(Duration::from_secs(seconds.max(1)))
}

fn of_version(etag: Option<&str>) -> Result<HeaderMap> {
    let Some(etag) = etag else { return Ok(HeaderMap::new()) };
    let value = HeaderValue::try_from(etag).map_err(|_| Error::Request)?;
    Ok(HeaderMap::from_iter([(IF_MATCH, value)]))
}
