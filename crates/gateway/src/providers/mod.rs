//! Who serves models: a folder each, behind one type.

pub mod anthropic;
pub mod openai;
mod refusal;

use std::time::Duration;

use bytes::Bytes;
use domain::secret::SecretText;
use egress::{Egress, Endpoint, InvalidEndpoint, Limits};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::error::{RequestError, UpstreamError};
use crate::request::OutputLimit;
use crate::stream::ModelStream;
use crate::usage::Usage;
use crate::{ClientRequest, Dialect, Operation};

/// The largest whole answer.
pub const MAX_ANSWER: u64 = 32 << 20;
/// The largest sum of a stream, which nothing needs: a bound all the same.
const MAX_STREAM: u64 = 256 << 20;

/// Somebody who serves models: an address, a dialect and a key.
#[derive(Debug, Clone)]
pub struct Upstream {
    pub(crate) kind: Kind,
    pub(crate) base: Endpoint,
    pub(crate) headers: HeaderMap,
    pub(crate) timeouts: Timeouts,
    chat: Endpoint,
    embeddings: Endpoint,
}

/// What an upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    OpenAi(OutputLimit),
    Anthropic,
}

/// How long an upstream may take. Connecting has 5 s of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To the head of a stream, which is about the first token.
    pub first_byte: Duration,
    /// Between two parts of a stream.
    pub idle: Duration,
    /// For a whole answer, or a whole stream.
    pub total: Duration,
}

impl Default for Timeouts {
    /// 60 s to the first byte and between two, 10 minutes in all: the official clients wait as long.
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self { first_byte: minute, idle: minute, total: 10 * minute }
    }
}

/// Why an upstream cannot be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUpstream {
    /// The base URL.
    #[error("the base URL {0}")]
    BaseUrl(#[from] InvalidEndpoint),
    /// The key, or a header.
    #[error("the key or a header holds characters that no header can hold")]
    Header,
}

/// A request in the words of one upstream.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) operation: Operation,
    pub(crate) stream: bool,
    pub(crate) show_usage: bool,
    pub(crate) body: Bytes,
}

/// What an upstream answered.
#[derive(Debug)]
pub enum Answer {
    /// All at once.
    Whole(Whole),
    /// Bit by bit.
    Stream(ModelStream),
}

/// An answer that came all at once.
#[derive(Debug, Clone)]
pub struct Whole {
    /// 200, or another status of success.
    pub status: StatusCode,
    /// Those of the upstream's headers that concern the client.
    pub headers: HeaderMap,
    /// The body, as it came if client and upstream speak the same dialect.
    pub body: Bytes,
    /// What it used, if the upstream says so.
    pub usage: Option<Usage>,
    /// Bytes of text, reasoning and tools' arguments in it: at least as many as output tokens.
    pub received: u64,
}

impl Upstream {
    /// An OpenAI-compatible server. The base URL normally ends in `/v1`; without a key no `Authorization` is sent.
    /// # Errors
    /// [`InvalidUpstream`].
    pub fn openai(base_url: &str, key: Option<&SecretText>, limit: OutputLimit) -> Result<Self, InvalidUpstream> {
        let base = Endpoint::new(base_url)?;
        let (chat, embeddings) = (base.join("chat/completions")?, base.join("embeddings")?);
        let upstream = Self {
            kind: Kind::OpenAi(limit),
            base,
            headers: HeaderMap::new(),
            timeouts: Timeouts::default(),
            chat,
            embeddings,
        };
        match key {
            Some(key) => upstream.header(http::header::AUTHORIZATION, &format!("Bearer {}", key.expose())),
            None => Ok(upstream),
        }
        .map(Self::json)
    }

    /// A server that speaks Anthropic's messages. The base URL goes without `/v1`; `version` is sent as `anthropic-version`.
    /// # Errors
    /// [`InvalidUpstream`].
    pub fn anthropic(base_url: &str, key: Option<&SecretText>, version: &str) -> Result<Self, InvalidUpstream> {
        let base = Endpoint::new(base_url)?;
        // Some settings say `/v1` all the same.
        let rest = if base.path().trim_end_matches('/').ends_with("/v1") { "messages" } else { "v1/messages" };
        let chat = base.join(rest)?;
        let mut upstream = Self {
            kind: Kind::Anthropic,
            embeddings: chat.clone(),
            base,
            headers: HeaderMap::new(),
            timeouts: Timeouts::default(),
            chat,
        }
        .header(HeaderName::from_static("anthropic-version"), version)?;
        if let Some(key) = key {
            upstream = upstream.header(HeaderName::from_static("x-api-key"), key.expose())?;
        }
        Ok(upstream.json())
    }

    /// Sends this header too, such as `api-key` of Azure or `anthropic-beta`. Its value is never printed.
    /// # Errors
    /// [`InvalidUpstream::Header`].
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self, InvalidUpstream> {
        let mut value = HeaderValue::from_str(value).map_err(|_| InvalidUpstream::Header)?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Waits as long as this.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    fn json(mut self) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    /// The dialect it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.kind {
            Kind::OpenAi(_) => Dialect::OpenAi,
            Kind::Anthropic => Dialect::Anthropic,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.base
    }

    /// Puts a request into the words of this upstream, for its `model`. `max_output` bounds each choice where the client gave no
    /// bound; what was held must cover it.
    /// # Errors
    /// [`crate::error::ErrorKind::Unsupported`] when this upstream has no words for it.
    pub fn prepare(&self, request: &ClientRequest, model: &str, max_output: u64) -> Result<Prepared, UpstreamError> {
        if request.operation().dialect() != self.dialect() {
            return Err(UpstreamError::unsupported(RequestError::body("this model's server speaks another dialect")));
        }
        let limit = match self.kind {
            Kind::OpenAi(limit) => limit,
            Kind::Anthropic => OutputLimit::MaxTokens,
        };
        Ok(Prepared {
            operation: request.operation(),
            stream: request.stream(),
            show_usage: request.include_usage(),
            body: request.rewritten(model, max_output, limit),
        })
    }

    /// Makes one attempt. Dropping the future, or the stream that it gives, cancels the call at the upstream.
    /// # Errors
    /// [`UpstreamError`], when there is no answer; none of it has gone to the client then.
    pub async fn send(&self, egress: &Egress, prepared: Prepared) -> Result<Answer, UpstreamError> {
        let endpoint = match prepared.operation {
            Operation::Chat | Operation::Messages => &self.chat,
            Operation::Embeddings => &self.embeddings,
        };
        let Timeouts { first_byte, idle, total } = self.timeouts;
        let limits = match prepared.stream {
            true => Limits { head: first_byte, idle, total, size: MAX_STREAM },
            false => Limits { head: total, idle: total, total, size: MAX_ANSWER },
        };
        let request = egress::Request {
            method: Method::POST,
            endpoint: endpoint.clone(),
            headers: self.headers.clone(),
            body: prepared.body.clone(),
            limits,
        };
        let response = egress.send(request).await?;
        if !response.status.is_success() {
            return Err(refusal::read(response).await);
        }
        let kind = response.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        let events = kind.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case("text/event-stream"));
        let json = kind.get(..16).is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
        // Servers of the smaller kind label streams as they like, but not as JSON.
        if prepared.stream && json {
            let body = response.body.whole().await?;
            let text = String::from_utf8_lossy(&body);
            return Err(UpstreamError::not_an_answer(&format!("no stream: {text}")));
        }
        if !prepared.stream && events {
            return Err(UpstreamError::not_an_answer("a stream that nobody asked for"));
        }
        if prepared.stream {
            return Ok(Answer::Stream(match self.kind {
                Kind::OpenAi(_) => ModelStream::openai(response.body, prepared.show_usage),
                Kind::Anthropic => ModelStream::anthropic(response.body),
            }));
        }
        let (status, headers) = (response.status, passed_on(&response.headers));
        let body = response.body.whole().await?;
        let (body, usage, received) = match self.kind {
            Kind::OpenAi(_) if prepared.operation == Operation::Embeddings => openai::embeddings(body)?,
            Kind::OpenAi(_) => openai::chat(body)?,
            Kind::Anthropic => anthropic::message(body)?,
        };
        Ok(Answer::Whole(Whole { status, headers, body, usage, received }))
    }
}

/// The headers that concern the client. The upstream's limits are those of its account with us, and none of the client's business.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    const NAMES: [&str; 3] = ["content-type", "openai-processing-ms", "openai-version"];
    let pairs = NAMES.into_iter().filter_map(|name| Some((HeaderName::from_static(name), headers.get(name)?.clone())));
    pairs.collect()
}
