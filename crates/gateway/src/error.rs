//! What may go wrong, each with a sentence for the caller and one for the log.

use std::borrow::Cow;
use std::time::Duration;

/// A request that cannot be sent to any model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// The field it is about, as `messages[2].content`; none when the whole body is meant.
    pub param: Option<String>,
    /// What is wrong with it, for the caller: what is to be said of the field, or a whole sentence.
    pub message: Cow<'static, str>,
}

impl RequestError {
    pub(crate) fn at(param: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { param: Some(param.into()), message: message.into() }
    }

    pub(crate) fn body(message: impl Into<Cow<'static, str>>) -> Self {
        Self { param: None, message: message.into() }
    }

    /// What is wrong with which field: clients show their users the message alone.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.param.as_ref().map_or_else(|| self.message.to_string(), |param| format!("`{param}` {}", self.message))
    }
}

/// Why an upstream gave no answer. Only before the first byte of an answer: what goes wrong later is an [`Outcome`].
///
/// [`Outcome`]: crate::Outcome
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind:?}{}: {log}", status.map(|status| format!(" ({status})")).unwrap_or_default())]
pub struct UpstreamError {
    /// What happened.
    pub kind: ErrorKind,
    /// The upstream's status, when there was one.
    pub status: Option<u16>,
    /// How long the upstream asks to wait.
    pub retry_after: Option<Duration>,
    /// What the upstream says about trying again, whatever its status.
    pub should_retry: Option<bool>,
    /// Whether the upstream may charge for the call although it gave no answer.
    pub spent: Spent,
    /// For the caller: the upstream's own words where they are about the caller's request, and else none of them.
    pub caller: CallerText,
    /// For the log. It may hold the upstream's words, but never a key.
    pub log: String,
}

/// What the caller is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallerText {
    /// A sentence.
    pub message: String,
    /// The upstream's own code, such as `context_length_exceeded`.
    pub code: Option<String>,
    /// The field it is about.
    pub param: Option<String>,
}

/// The kinds of failure, by what can be done about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The upstream refuses the request itself (400, 413, 422 and other 4xx): the caller must change it. Nothing else helps.
    Invalid,
    /// The upstream does not take our key (401, 403): the operator or the key's owner must act; another upstream may help.
    Credentials,
    /// The upstream does not know the model (404): another upstream may.
    NotFound,
    /// Too many requests (429): wait, or go elsewhere.
    RateLimited,
    /// The account at the upstream is empty (429 `insufficient_quota`, 402): waiting does not help, another upstream may.
    Exhausted,
    /// The upstream failed (5xx, 529) or sent what is no answer.
    Failed,
    /// No connection, or it broke.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The egress policy forbids the address.
    Refused,
    /// The upstream cannot do what is asked, in this dialect; nothing was sent.
    Unsupported,
}

/// Whether the upstream may charge for a call that gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spent {
    /// It saw nothing, or it answered with an error, which is free with all known ones.
    Nothing,
    /// It saw the request and may have worked on it.
    Unknown,
}

impl UpstreamError {
    pub(crate) fn new(kind: ErrorKind, spent: Spent, log: impl Into<String>) -> Self {
        let message = match kind {
            ErrorKind::Timeout => "the model's server did not answer in time",
            ErrorKind::RateLimited => "the model's server takes no more requests for now",
            ErrorKind::NotFound => "the model's server does not know this model",
            ErrorKind::Unsupported => "the model's server cannot do this",
            ErrorKind::Invalid => "the model's server refuses the request",
            _ => "the model's server cannot be reached or failed",
        };
        let caller = CallerText { message: message.into(), code: None, param: None };
        Self { kind, status: None, retry_after: None, should_retry: None, spent, caller, log: log.into() }
    }

    /// A success that holds no answer.
    pub(crate) fn not_an_answer(words: &str) -> Self {
        Self::new(ErrorKind::Failed, Spent::Unknown, shortened(words))
    }

    /// Nothing was sent: this cannot be said in the upstream's dialect.
    pub(crate) fn unsupported(error: RequestError) -> Self {
        let mut unsupported = Self::new(ErrorKind::Unsupported, Spent::Nothing, error.message.clone());
        unsupported.caller = CallerText { message: error.sentence(), code: None, param: error.param };
        unsupported
    }
}

impl From<egress::Error> for UpstreamError {
    fn from(error: egress::Error) -> Self {
        let kind = match &error {
            egress::Error::Refused(_) => ErrorKind::Refused,
            egress::Error::TooLarge(_) => ErrorKind::Failed,
            other if other.timed_out() => ErrorKind::Timeout,
            _ => ErrorKind::Unreachable,
        };
        let spent = if error.sent() { Spent::Unknown } else { Spent::Nothing };
        let mut log = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(source) = cause {
            log.push_str(": ");
            log.push_str(&source.to_string());
            cause = source.source();
        }
        Self::new(kind, spent, log)
    }
}

/// What an upstream must not be quoted with: the keys that it was sent.
#[derive(Clone, Default)]
pub(crate) struct Unsaid(std::sync::Arc<[String]>);

impl Unsaid {
    /// The secrets in these headers. Shorter ones would be found in ordinary words.
    pub(crate) fn of(headers: &http::HeaderMap) -> Self {
        const SHORTEST: usize = 8;
        let secret = headers.values().filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
        let bare = secret.map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
        Self(bare.filter(|value| value.len() >= SHORTEST).map(str::to_owned).collect())
    }

    pub(crate) fn clean(&self, words: &mut String) {
        for secret in self.0.iter().filter(|secret| !secret.is_empty()) {
            if words.contains(secret.as_str()) {
                *words = words.replace(secret.as_str(), "***");
            }
        }
    }
}

impl std::fmt::Debug for Unsaid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// An upstream's words for the log: not all of them, on one line.
pub(crate) fn shortened(words: &str) -> String {
    const MOST: usize = 500;
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect()
}
