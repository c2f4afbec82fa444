//! What a client asks, read from the bytes of its request without rewriting them.
//!
//! Only what this side must know is read: which model, whether streamed, how large input and output can become. All else stays
//! bytes, so that fields nobody here knows reach the upstream as they came.

mod betas;
mod bound;
mod rewrite;

use std::ops::Range;

use bytes::Bytes;
use domain::prices::MOST_TOKENS;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub use rewrite::OutputLimit;

use crate::Dialect;
use crate::error::RequestError;

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `POST /v1/chat/completions`.
    Chat,
    /// `POST /v1/embeddings`.
    Embeddings,
    /// `POST /v1/messages`.
    Messages,
}

impl Operation {
    /// The dialect in which it is asked.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Self::Chat | Self::Embeddings => Dialect::OpenAi,
            Self::Messages => Dialect::Anthropic,
        }
    }
}

/// A client's request: its bytes, and what was read from them.
#[derive(Debug, Clone)]
pub struct ClientRequest {
    operation: Operation,
    body: Bytes,
    model: String,
    stream: bool,
    include_usage: bool,
    max_output: Option<u64>,
    choices: u64,
    /// Tokens of all but pictures.
    text_bound: u64,
    pictures: u64,
    service_tier: Option<String>,
    /// Features on trial that the client turns on.
    betas: String,
    places: Places,
}

/// Where the values stand that may have to change, as ranges of the body.
#[derive(Debug, Clone, Default)]
struct Places {
    /// Just behind the opening brace.
    start: usize,
    model: Range<usize>,
    max_tokens: Option<Range<usize>>,
    max_completion_tokens: Option<Range<usize>>,
    stream_options: Option<Range<usize>>,
}

/// The fields that are read. The same key twice is an error: we and the upstream might each believe another one.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    system: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    functions: Option<&'a RawValue>,
    #[serde(borrow)]
    stream: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    stream_options: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    max_tokens: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    max_completion_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    n: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    /// Searches, each at a price of its own.
    #[serde(borrow)]
    web_search_options: Option<&'a RawValue>,
    /// Tools elsewhere, which the provider runs.
    #[serde(borrow)]
    mcp_servers: Option<&'a RawValue>,
    /// The same where providers resell others' models, and the models that may answer in place of the one that has a price here.
    #[serde(borrow)]
    plugins: Option<&'a RawValue>,
    #[serde(borrow)]
    models: Option<&'a RawValue>,
}

/// Bytes of `stream_options` that say no more than is read of them.
const MOST_OPTIONS: usize = 64;

impl Fields<'_> {
    /// The bytes of what is none of the fields that an operation reads, names included: all of the body but theirs. A field costs its
    /// name with quotes, a colon and a comma around it; the braces stand for the comma that the last one has not.
    fn others(&self, text: &str, operation: Operation) -> usize {
        let (is_embedding, is_messages) = (operation == Operation::Embeddings, operation == Operation::Messages);
        let is_chat = operation == Operation::Chat;
        let read = [
            ("model", self.model),
            ("messages", self.messages.filter(|_| !is_embedding)),
            ("input", self.input.filter(|_| is_embedding)),
            ("system", self.system.filter(|_| is_messages)),
            ("tools", self.tools.filter(|_| !is_embedding)),
            ("functions", self.functions.filter(|_| !is_embedding)),
            ("stream", self.stream.filter(|_| !is_embedding)),
            // Of which one switch is read.
            ("stream_options", self.stream_options.filter(|raw| is_chat && raw.get().len() <= MOST_OPTIONS)),
            ("max_tokens", self.max_tokens),
            ("max_completion_tokens", self.max_completion_tokens.filter(|_| is_chat)),
            ("n", self.n.filter(|_| is_chat)),
            ("service_tier", self.service_tier),
            ("web_search_options", self.web_search_options),
            ("mcp_servers", self.mcp_servers),
            ("plugins", self.plugins),
            ("models", self.models),
        ];
        let of_these = read.into_iter().filter_map(|(name, raw)| Some(name.len() + 4 + raw?.get().len()));
        text.trim().len().saturating_sub(1 + of_these.sum::<usize>())
    }
}

impl ClientRequest {
    /// Reads a request. The work is linear in its size, and no value is built that is not read.
    /// # Errors
    /// [`RequestError`] for malformed JSON, missing or wrong fields of those that are read, and parts whose size in tokens cannot
    /// be bounded.
    pub fn read(operation: Operation, body: Bytes) -> Result<Self, RequestError> {
        let text = std::str::from_utf8(&body).map_err(|_| RequestError::body("the body is not UTF-8"))?;
        // serde would take a list for the fields in their order.
        if !text.trim_start().starts_with('{') {
            return Err(RequestError::body("the body must be a JSON object"));
        }
        let fields: Fields<'_> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        let place = |raw: &RawValue| {
            let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
            start..start + raw.get().len()
        };
        let model_raw = fields.model.ok_or_else(|| RequestError::at("model", "is missing"))?;
        let model: String = value("model", "must be text", Some(model_raw))?.unwrap_or_default();
        if model.is_empty() || model.len() > MAX_NAME {
            return Err(RequestError::at("model", "must be 1 to 256 bytes of text"));
        }
        let mut bound = bound::Bound::default();
        match operation {
            Operation::Chat => bound.messages("messages", fields.messages)?,
            Operation::Messages => {
                bound.messages("messages", fields.messages)?;
                bound.system(fields.system)?;
            }
            Operation::Embeddings => bound.embedding_input(fields.input)?,
        }
        if operation != Operation::Embeddings {
            bound.tools("tools", fields.tools)?;
            bound.tools("functions", fields.functions)?;
        }
        bound.others(fields.others(text, operation));
        let dear = [
            ("web_search_options", fields.web_search_options),
            ("mcp_servers", fields.mcp_servers),
            ("plugins", fields.plugins),
            ("models", fields.models),
        ];
        for (param, raw) in dear {
            bound::Bound::unbounded(param, raw)?;
        }
        let stream = operation != Operation::Embeddings
            && value("stream", "must be true or false", fields.stream)?.unwrap_or(false);
        let include_usage = match fields.stream_options {
            Some(raw) if stream => rewrite::asks_for_usage(raw)?,
            _ => false,
        };
        let whole = "must be a whole number above zero";
        let positive = |param: &'static str, raw| match value::<u64>(param, whole, raw)? {
            Some(0) => Err(RequestError::at(param, whole)),
            other => Ok(other),
        };
        let bounded = |param: &'static str, raw| match positive(param, raw)? {
            Some(MOST_TOKENS..) => Err(RequestError::at(param, "must be less than a billion")),
            other => Ok(other),
        };
        let max_tokens = bounded("max_tokens", fields.max_tokens)?;
        let max_completion_tokens = match operation {
            Operation::Chat => bounded("max_completion_tokens", fields.max_completion_tokens)?,
            _ => None,
        };
        let choices = match operation {
            Operation::Chat => positive("n", fields.n)?.unwrap_or(1),
            _ => 1,
        };
        if choices > MAX_CHOICES {
            return Err(RequestError::at("n", "must be 128 at most"));
        }
        let service_tier = value("service_tier", "must be text", fields.service_tier)?;
        let places = Places {
            start: text.find('{').map_or(0, |at| at + 1),
            model: place(model_raw),
            max_tokens: fields.max_tokens.map(place),
            max_completion_tokens: fields.max_completion_tokens.map(place),
            stream_options: fields.stream_options.map(place),
        };
        Ok(Self {
            operation,
            model,
            stream,
            include_usage,
            // Who gives both lets the upstream choose.
            max_output: max_tokens.max(max_completion_tokens),
            choices,
            text_bound: bound.tokens(),
            pictures: bound.pictures(),
            service_tier,
            betas: String::new(),
            places,
            body,
        })
    }

    /// What is asked.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The model's name as the client says it.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether the answer is to be streamed.
    #[must_use]
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// Whether the client wants to see the usage at the end of an OpenAI stream.
    #[must_use]
    pub fn include_usage(&self) -> bool {
        self.include_usage
    }

    /// The most output tokens of one choice, if the client bounds them.
    #[must_use]
    pub fn max_output(&self) -> Option<u64> {
        self.max_output
    }

    /// How many answers are asked for at once, 1 to 128; output tokens count once for each.
    #[must_use]
    pub fn choices(&self) -> u64 {
        self.choices
    }

    /// No upstream counts more input tokens than this when it counts a picture as so many at most; the rule stands in `bound.rs`.
    #[must_use]
    pub fn input_bound(&self, picture: u64) -> u64 {
        self.text_bound.saturating_add(self.pictures.saturating_mul(picture))
    }

    /// The tier of service that the client asks for, which may have a price of its own.
    #[must_use]
    pub fn service_tier(&self) -> Option<&str> {
        self.service_tier.as_deref()
    }

    /// Whether something of it may be kept in the upstream's cache for an hour (`"ttl": "1h"`), however JSON spells that.
    #[must_use]
    pub fn caches_for_an_hour(&self) -> bool {
        [&b"1h\""[..], b"\\u0031", b"\\u0068"].iter().any(|spelled| memchr::memmem::find(&self.body, spelled).is_some())
    }

    /// The bytes as they came.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// A value with its place, also when it is `null`.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// Longest name of a model in bytes.
const MAX_NAME: usize = 256;
/// Most choices of one call, as OpenAI has it (read 2026-10).
const MAX_CHOICES: u64 = 128;

/// Reads a value; `null` is as good as missing.
fn value<'a, T: Deserialize<'a>>(
    param: &'static str,
    must: &'static str,
    raw: Option<&'a RawValue>,
) -> Result<Option<T>, RequestError> {
    let Some(raw) = raw else { return Ok(None) };
    serde_json::from_str(raw.get()).map_err(|_| RequestError::at(param, must))
}

/// The parser's words name a place, and may repeat a key but no value.
fn malformed(error: &serde_json::Error) -> RequestError {
    let text = error.to_string();
    let twice = text.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next());
    match twice {
        Some(field) => RequestError::at(field, "is given twice"),
        None if error.is_data() => RequestError::body("the body must be a JSON object"),
        None => RequestError::body(format!("the body is not JSON: line {}, column {}", error.line(), error.column())),
    }
}

#[cfg(test)]
mod tests;
