//! Who serves models: a folder each, behind one type.

pub(crate) mod anthropic;
pub mod embedded;
mod models;
pub(crate) mod openai;
mod refusal;

use std::time::Duration;

use bytes::Bytes;
use domain::Time;
use domain::secret::SecretText;
use egress::{Egress, Endpoint, InvalidEndpoint, Limits};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::dialect::{Chat, Reply};
use crate::error::{RequestError, Unsaid, UpstreamError};
use crate::request::OutputLimit;
use crate::stream::{ModelStream, To};
use crate::usage::Usage;
use crate::{ClientRequest, Dialect, Operation, dialect, shape};

pub use embedded::Embedded;
use embedded::embeddings::Texts;

/// Which features on trial are turned on, in Anthropic's dialect.
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// The largest whole answer.
pub const MAX_ANSWER: u64 = 32 << 20;
/// The largest sum of a stream, which nothing needs: a bound all the same.
const MAX_STREAM: u64 = 256 << 20;

/// Somebody who serves models: a server with an address, a dialect and a key, or a model inside this program.
#[derive(Debug, Clone)]
pub struct Upstream(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Remote(Box<Remote>),
    Embedded(Embedded),
}

#[derive(Debug, Clone)]
struct Remote {
    speaks: Speaks,
    base: Endpoint,
    /// Chat completions or messages.
    chat: Endpoint,
    embeddings: Option<Endpoint>,
    headers: HeaderMap,
    /// What stands in `headers` and nowhere else.
    unsaid: Unsaid,
    timeouts: Timeouts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
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
    /// For an answer that comes all at once.
    pub whole: Duration,
    /// For a stream from its beginning to its end.
    pub total: Duration,
}

impl Default for Timeouts {
    /// 10 minutes for whatever is waited for, as the official clients wait by default (their `timeout`, which counts anew with each
    /// part that comes; read 2026-10): models that think say nothing for minutes. An hour for a whole stream.
    fn default() -> Self {
        let patience = Duration::from_mins(10);
        Self { first_byte: patience, idle: patience, whole: patience, total: Duration::from_hours(1) }
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
    operation: Operation,
    stream: bool,
    show_usage: bool,
    created: i64,
    max_output: u64,
    /// Features on trial that the client turns on; for Anthropic's dialect alone.
    betas: String,
    work: Work,
}

#[derive(Debug, Clone)]
enum Work {
    /// For a server.
    Body(Bytes),
    /// For a model inside this program.
    Chat(Box<Chat>),
    /// For the embedding model inside this program.
    Texts(Texts),
}

impl Prepared {
    /// Says when it is: answers that are translated into OpenAI's dialect, or made here, carry the time. Without this they say 0.
    #[must_use]
    pub fn at(mut self, now: Time) -> Self {
        self.created = now.micros() / 1_000_000;
        self
    }
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
        let (chat, embeddings) = (base.join("chat/completions")?, Some(base.join("embeddings")?));
        let upstream = Self::remote(Speaks::OpenAi(limit), base, chat, embeddings);
        match key {
            Some(key) => upstream.header(http::header::AUTHORIZATION, &format!("Bearer {}", key.expose())),
            None => Ok(upstream),
        }
    }

    /// A server that speaks Anthropic's messages; its base URL with or without `/v1`. `version` is sent as `anthropic-version`.
    /// # Errors
    /// [`InvalidUpstream`].
    pub fn anthropic(base_url: &str, key: Option<&SecretText>, version: &str) -> Result<Self, InvalidUpstream> {
        let base = Endpoint::new(base_url)?;
        let rest = if base.path().trim_end_matches('/').ends_with("/v1") { "messages" } else { "v1/messages" };
        let chat = base.join(rest)?;
        let upstream = Self::remote(Speaks::Anthropic, base, chat, None)
            .header(HeaderName::from_static("anthropic-version"), version)?;
        match key {
            Some(key) => upstream.header(HeaderName::from_static("x-api-key"), key.expose()),
            None => Ok(upstream),
        }
    }

    /// A model inside this program.
    #[must_use]
    pub fn embedded(model: Embedded) -> Self {
        Self(Kind::Embedded(model))
    }

    fn remote(speaks: Speaks, base: Endpoint, chat: Endpoint, embeddings: Option<Endpoint>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let (unsaid, timeouts) = (Unsaid::default(), Timeouts::default());
        Self(Kind::Remote(Box::new(Remote { speaks, base, chat, embeddings, headers, unsaid, timeouts })))
    }

    /// Sends this header too, such as `api-key` of Azure or `anthropic-beta`. Its value is never printed. Models inside this program
    /// have no use for it.
    /// # Errors
    /// [`InvalidUpstream::Header`].
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self, InvalidUpstream> {
        let mut value = HeaderValue::from_str(value).map_err(|_| InvalidUpstream::Header)?;
        value.set_sensitive(true);
        if let Kind::Remote(remote) = &mut self.0 {
            remote.headers.insert(name, value);
            remote.unsaid = Unsaid::of(&remote.headers);
        }
        Ok(self)
    }

    /// Waits as long as this.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        if let Kind::Remote(remote) = &mut self.0 {
            remote.timeouts = timeouts;
        }
        self
    }

    /// Where it is; none for a model inside this program.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match &self.0 {
            Kind::Remote(remote) => Some(&remote.base),
            Kind::Embedded(_) => None,
        }
    }

    /// Puts a request into the words of this upstream, for its `model`. `max_output` bounds each choice where the client gave no
    /// bound; what was held must cover it.
    /// # Errors
    /// [`crate::error::ErrorKind::Unsupported`] when this upstream has no words for it; nothing was sent then.
    pub fn prepare(&self, request: &ClientRequest, model: &str, max_output: u64) -> Result<Prepared, UpstreamError> {
        let max_output = request.max_output().unwrap_or(max_output);
        let work = self.work(request, model, max_output).map_err(UpstreamError::unsupported)?;
        Ok(Prepared {
            operation: request.operation(),
            stream: request.stream(),
            show_usage: request.include_usage(),
            created: 0,
            max_output,
            betas: request.betas().to_owned(),
            work,
        })
    }

    fn work(&self, request: &ClientRequest, model: &str, max_output: u64) -> Result<Work, RequestError> {
        let dialect = request.operation().dialect();
        let remote = match &self.0 {
            Kind::Remote(remote) => remote,
            Kind::Embedded(Embedded::Extractive) if request.operation() == Operation::Embeddings => {
                return Err(RequestError::at("model", "makes no embeddings"));
            }
            Kind::Embedded(Embedded::MiniLm) if request.operation() != Operation::Embeddings => {
                return Err(RequestError::at("model", "makes embeddings alone, and answers no chats"));
            }
            Kind::Embedded(Embedded::MiniLm) => return Ok(Work::Texts(Texts::read(request.body())?)),
            Kind::Embedded(Embedded::Extractive) => {
                return Ok(Work::Chat(Box::new(Chat::read(dialect, request.body())?)));
            }
        };
        if request.operation() == Operation::Embeddings && remote.embeddings.is_none() {
            return Err(RequestError::at("model", "makes no embeddings"));
        }
        let chat = || Chat::read(dialect, request.body());
        let written = match (dialect, remote.speaks) {
            (Dialect::OpenAi, Speaks::OpenAi(limit)) => {
                return Ok(Work::Body(request.rewritten(model, max_output, limit)));
            }
            (Dialect::Anthropic, Speaks::Anthropic) => {
                return Ok(Work::Body(request.rewritten(model, max_output, OutputLimit::MaxTokens)));
            }
            (Dialect::OpenAi, Speaks::Anthropic) => {
                dialect::anthropic::request::write(&chat()?, model, max_output, request.stream())
            }
            (Dialect::Anthropic, Speaks::OpenAi(limit)) => {
                dialect::openai::request::write(&chat()?, model, max_output, limit, request.stream())
            }
        };
        Ok(Work::Body(written.to_string().into()))
    }

    /// Makes one attempt. Dropping the future, or the stream that it gives, cancels the call at the upstream.
    /// # Errors
    /// [`UpstreamError`], when there is no answer; none of it has gone to the client then.
    pub async fn send(&self, egress: &Egress, mut prepared: Prepared) -> Result<Answer, UpstreamError> {
        let work = std::mem::replace(&mut prepared.work, Work::Body(Bytes::new()));
        match (&self.0, work) {
            (Kind::Remote(remote), Work::Body(body)) => match remote.send(egress, body, &prepared).await {
                Ok(Answer::Stream(stream)) => Ok(Answer::Stream(stream.without(remote.unsaid.clone()))),
                Ok(whole) => Ok(whole),
                Err(mut error) => {
                    remote.unsaid.clean(&mut error.log);
                    remote.unsaid.clean(&mut error.caller.message);
                    for words in [&mut error.caller.code, &mut error.caller.param].into_iter().flatten() {
                        remote.unsaid.clean(words);
                    }
                    Err(error)
                }
            },
            (_, Work::Chat(chat)) => Ok(prepared.made(&embedded::extractive::answer(&chat, prepared.max_output))),
            (_, Work::Texts(texts)) => texts.embed().await.map(Answer::Whole),
            (Kind::Embedded(_), Work::Body(_)) => Err(UpstreamError::not_an_answer("prepared for another upstream")),
        }
    }
}

impl Prepared {
    /// An answer that was made here.
    fn made(&self, reply: &Reply) -> Answer {
        let dialect = self.operation.dialect();
        if self.stream {
            return Answer::Stream(ModelStream::ready(
                reply,
                match dialect {
                    Dialect::OpenAi => To::openai(self.show_usage, self.created),
                    Dialect::Anthropic => To::anthropic(),
                },
            ));
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = self.written(reply);
        Answer::Whole(Whole {
            status: StatusCode::OK,
            headers,
            body,
            usage: reply.usage,
            received: reply.text.len() as u64,
        })
    }

    /// A whole answer in the client's words.
    fn written(&self, reply: &Reply) -> Bytes {
        let body = match self.operation.dialect() {
            Dialect::OpenAi => dialect::openai::reply::write(reply, self.created),
            Dialect::Anthropic => dialect::anthropic::reply::write(reply),
        };
        body.to_string().into()
    }
}

impl Remote {
    async fn send(&self, egress: &Egress, body: Bytes, prepared: &Prepared) -> Result<Answer, UpstreamError> {
        let endpoint = match (prepared.operation, &self.embeddings) {
            (Operation::Embeddings, Some(embeddings)) => embeddings,
            _ => &self.chat,
        };
        let Timeouts { first_byte, idle, whole, total } = self.timeouts;
        let limits = if prepared.stream {
            Limits { head: first_byte, idle, total, size: MAX_STREAM }
        } else {
            Limits { head: whole, idle: whole, total: whole, size: MAX_ANSWER }
        };
        let (method, endpoint, headers) = (Method::POST, endpoint.clone(), self.headers_of(prepared));
        let response = egress.send(egress::Request { method, endpoint, headers, body, limits }).await?;
        if !response.status.is_success() {
            return Err(refusal::read(response).await);
        }
        let kind = response.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let is = |wanted: &[u8]| kind.get(..wanted.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(wanted));
        match prepared.stream {
            // Servers of the smaller kind label streams as they like, but not as JSON.
            true if is(b"application/json") => {
                let body = response.body.whole().await?;
                Err(UpstreamError::not_an_answer(&format!("no stream: {}", String::from_utf8_lossy(&body))))
            }
            true => Ok(Answer::Stream(self.stream(response.body, prepared))),
            false if is(b"text/event-stream") => Err(UpstreamError::not_an_answer("a stream that nobody asked for")),
            false => self.whole(response, prepared).await,
        }
    }

    /// The headers of a call: those of the provider, whose own features on trial the client's are added to.
    fn headers_of(&self, prepared: &Prepared) -> HeaderMap {
        let mut headers = self.headers.clone();
        if self.speaks == Speaks::Anthropic && !prepared.betas.is_empty() {
            let own = headers.get(&BETA).and_then(|own| own.to_str().ok()).filter(|own| !own.is_empty());
            let all = own.map_or_else(|| prepared.betas.clone(), |own| format!("{own},{}", prepared.betas));
            if let Ok(mut all) = HeaderValue::from_str(&all) {
                all.set_sensitive(true);
                headers.insert(BETA, all);
            }
        }
        headers
    }

    fn stream(&self, body: egress::Body, prepared: &Prepared) -> ModelStream {
        let show_usage = prepared.show_usage;
        match (prepared.operation.dialect(), self.speaks) {
            (Dialect::OpenAi, Speaks::OpenAi(_)) => ModelStream::openai(body, show_usage),
            (Dialect::Anthropic, Speaks::Anthropic) => ModelStream::anthropic(body),
            (Dialect::OpenAi, Speaks::Anthropic) => {
                ModelStream::anthropic_for_openai(body, show_usage, prepared.created)
            }
            (Dialect::Anthropic, Speaks::OpenAi(_)) => ModelStream::openai_for_anthropic(body),
        }
    }

    async fn whole(&self, response: egress::Response, prepared: &Prepared) -> Result<Answer, UpstreamError> {
        let (status, headers) = (response.status, passed_on(&response.headers));
        let body = response.body.whole().await?;
        let embeddings = prepared.operation == Operation::Embeddings;
        let (mut body, usage, received) = match self.speaks {
            Speaks::OpenAi(_) if embeddings => openai::embeddings(body)?,
            Speaks::OpenAi(_) => openai::chat(body)?,
            Speaks::Anthropic => anthropic::message(body)?,
        };
        match (prepared.operation.dialect(), self.speaks) {
            (Dialect::OpenAi, Speaks::Anthropic) => {
                body = prepared.written(&dialect::anthropic::reply::read(&shape::answer(&body)?, usage));
            }
            (Dialect::Anthropic, Speaks::OpenAi(_)) => {
                let reply = dialect::openai::reply::read(&shape::answer(&body)?, usage);
                if dialect::hold_too_much(reply.calls.iter()) {
                    return Err(shape::too_much());
                }
                body = prepared.written(&reply);
            }
            _ => {}
        }
        Ok(Answer::Whole(Whole { status, headers, body, usage, received }))
    }
}

/// The headers that concern the client. The upstream's limits are those of its account with us, and none of the client's business.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    const NAMES: [&str; 3] = ["content-type", "openai-processing-ms", "openai-version"];
    let pairs = NAMES.into_iter().filter_map(|name| Some((HeaderName::from_static(name), headers.get(name)?.clone())));
    pairs.collect()
}
