//! OpenAI's Responses, put in terms of chat completions: a request becomes one of those, and its answer becomes a response. So every
//! model that can chat answers, and a call is bounded, held and charged as a chat is.
//!
//! It is a subset, and what is outside of it is refused by the name of the field, unknown fields too: nothing is kept here, so there
//! are no earlier responses to go on from and no conversations, nothing runs in the background, and the tools are functions of the
//! client's. A model's refusal is told as text.

mod read;
mod stream;
mod whole;

use bytes::Bytes;
use serde_json::{Map, Value, json};

pub use stream::ResponseStream;

use crate::error::RequestError;
use crate::usage::Usage;

/// A request, put in terms of chat completions.
#[derive(Debug, Clone)]
pub struct ResponsesRequest {
    chat: Bytes,
    echo: Map<String, Value>,
}

/// Names of a response's own: nobody can ask for it by them later, since it is not kept.
#[derive(Debug, Clone)]
pub struct Named {
    /// What its id and those of its items are made from.
    pub id: String,
    /// When it was asked for, in seconds since 1970.
    pub created_at: i64,
}

impl ResponsesRequest {
    /// Reads a request.
    /// # Errors
    /// [`RequestError`] that names the field, for whatever is wrong or outside of the subset.
    pub fn read(body: &[u8]) -> Result<Self, RequestError> {
        read::read(body)
    }

    /// The same as a request for a chat completion.
    #[must_use]
    pub fn chat(&self) -> Bytes {
        self.chat.clone()
    }

    /// A completion as a response; none when it is no completion, or one that holds too much.
    #[must_use]
    pub fn whole(&self, named: &Named, completion: &[u8]) -> Option<Bytes> {
        whole::write(self, named, completion)
    }

    /// What puts a stream of chunks in terms of a response's events.
    #[must_use]
    pub fn stream(self, named: Named) -> ResponseStream {
        ResponseStream::new(self, named)
    }

    /// A response as it stands: what was asked for, and what has come.
    fn response(&self, named: &Named, model: &str, ended: &Ended, output: &[Value], usage: Option<Usage>) -> Value {
        let mut response = json!({
            "id": format!("resp_{}", named.id),
            "object": "response",
            "created_at": named.created_at,
            "status": ended.status(),
            "background": false,
            "error": ended.error(),
            "incomplete_details": ended.incomplete(),
            "model": model,
            "output": output,
            "previous_response_id": null,
            "store": false,
            "truncation": "disabled",
            "usage": usage.map(usage_of),
        });
        if let Some(object) = response.as_object_mut() {
            object.extend(self.echo.clone());
        }
        response
    }
}

/// How far a response has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    NotYet,
    Completed,
    /// It broke off for this reason.
    Incomplete(&'static str),
    /// The model's server failed; in words for the client.
    Failed(String),
}

impl Ended {
    /// From the reason that a chat completion names.
    fn by(stop: crate::dialect::Stop) -> Self {
        match stop {
            crate::dialect::Stop::End | crate::dialect::Stop::Tools => Self::Completed,
            crate::dialect::Stop::Length => Self::Incomplete("max_output_tokens"),
            crate::dialect::Stop::Refusal => Self::Incomplete("content_filter"),
        }
    }

    fn status(&self) -> &'static str {
        match self {
            Self::NotYet => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) => "failed",
        }
    }

    /// The status of an item that was being written when it ended.
    fn of_item(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::NotYet => "in_progress",
            Self::Incomplete(_) | Self::Failed(_) => "incomplete",
        }
    }

    fn incomplete(&self) -> Value {
        match self {
            Self::Incomplete(reason) => json!({ "reason": reason }),
            _ => Value::Null,
        }
    }

    fn error(&self) -> Value {
        match self {
            Self::Failed(message) => json!({ "code": "server_error", "message": message }),
            _ => Value::Null,
        }
    }
}

/// A message that the model wrote.
fn message(id: &str, status: &str, text: &str) -> Value {
    json!({ "id": id, "type": "message", "status": status, "role": "assistant", "content": [text_part(text)] })
}

fn text_part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

/// A call of a function that the model asks for.
fn function_call(id: &str, status: &str, call: &crate::dialect::Call) -> Value {
    json!({
        "id": id, "type": "function_call", "status": status,
        "call_id": call.id, "name": call.name, "arguments": call.arguments,
    })
}

fn usage_of(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": { "cached_tokens": usage.cached_input },
        "output_tokens": usage.output,
        "output_tokens_details": { "reasoning_tokens": usage.reasoning },
        "total_tokens": usage.input.saturating_add(usage.output),
    })
}

/// What a field of a chat completion is called here: what is said of one is said of the other.
#[must_use]
pub fn param(of_chat: &str) -> &str {
    match of_chat {
        "max_completion_tokens" | "max_tokens" => "max_output_tokens",
        "response_format" => "text.format",
        "reasoning_effort" => "reasoning.effort",
        "verbosity" => "text.verbosity",
        other if other.starts_with("messages") => "input",
        other => other,
    }
}

#[cfg(test)]
mod tests;
