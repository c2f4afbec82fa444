//! From one dialect to the other, through neutral types: a request (`Chat`), a whole answer (`Reply`) and the pieces of a stream
//! (`Piece`).
//!
//! What the other dialect has no words for is refused when the client relies on it, and left out when it is a hint; the lists stand
//! with the readers. `tests.rs` shows each way there and back.

pub(crate) mod anthropic;
pub mod error;
pub(crate) mod openai;

use serde_json::{Map, Value};

use crate::Dialect;
use crate::error::RequestError;
use crate::shape;
use crate::usage::Usage;

/// A conversation and what is wanted next.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Chat {
    pub(crate) system: Vec<String>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) tool_choice: Option<ToolChoice>,
    /// False when the model may call one tool at a time only.
    pub(crate) parallel_tools: Option<bool>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) stop: Vec<String>,
    /// Whom the client acts for, as it says.
    pub(crate) user: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turn {
    pub(crate) role: Role,
    pub(crate) parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Assistant,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text(String),
    Image(Image),
    Call(Call),
    /// What a tool gave; its parts are texts and images.
    Result {
        id: String,
        parts: Vec<Part>,
        failed: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Image {
    Url(String),
    Data { media_type: String, base64: String },
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    /// JSON as the model wrote it, which may be wrong.
    pub(crate) arguments: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// A JSON schema.
    pub(crate) parameters: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    Auto,
    None,
    /// Some tool.
    Any,
    One(String),
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) stop: Stop,
    pub(crate) usage: Option<Usage>,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    End,
    Length,
    Tools,
    Refusal,
}

/// A piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Start {
        id: String,
        model: String,
    },
    Text(String),
    /// A call of a tool begins; calls count from 0.
    Call {
        call: usize,
        id: String,
        name: String,
    },
    /// More of its arguments.
    Arguments {
        call: usize,
        text: String,
    },
    Stop(Stop),
}

impl Chat {
    /// Reads a request of either dialect.
    pub(crate) fn read(dialect: Dialect, body: &[u8]) -> Result<Self, RequestError> {
        let body = shape::object(body)?;
        match dialect {
            Dialect::OpenAi => {
                let chat = openai::request::read(&body)?;
                let parts = chat.turns.iter().flat_map(|turn| &turn.parts);
                if hold_too_much(parts.filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None })) {
                    let rule = format!("hold calls with more than {} names and values in all", shape::MOST_NODES);
                    return Err(RequestError::at("messages", rule));
                }
                Ok(chat)
            }
            Dialect::Anthropic => anthropic::request::read(&body),
        }
    }

    /// Adds parts to the conversation; turns of one role in a row become one, since Anthropic knows only those that alternate.
    pub(crate) fn say(&mut self, role: Role, mut parts: Vec<Part>) {
        match self.turns.last_mut() {
            Some(last) if last.role == role => last.parts.append(&mut parts),
            _ => self.turns.push(Turn { role, parts }),
        }
    }
}

impl Reply {
    /// The answer as a stream would bring it: text by the line.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece> {
        let start = Piece::Start { id: self.id.clone(), model: self.model.clone() };
        let text = self.text.split_inclusive('\n').map(|line| Piece::Text(line.to_owned()));
        let calls = self.calls.iter().enumerate().flat_map(|(call, made)| {
            let begin = Piece::Call { call, id: made.id.clone(), name: made.name.clone() };
            [begin, Piece::Arguments { call, text: made.arguments.clone() }]
        });
        std::iter::once(start).chain(text).chain(calls).chain(std::iter::once(Piece::Stop(self.stop)))
    }
}

/// Whether calls hold more in their arguments than may be built. OpenAI's arguments are text, in which nothing of a body is counted;
/// in Anthropic's dialect they become values.
pub(crate) fn hold_too_much<'a>(calls: impl Iterator<Item = &'a Call>) -> bool {
    calls.map(|call| shape::of(call.arguments.as_bytes()).nodes).sum::<usize>() > shape::MOST_NODES
}

/// A field of an object; `null` is as good as missing.
pub(crate) fn given<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// Text in a field, if it is given.
pub(crate) fn text(object: &Map<String, Value>, at: &str, name: &str) -> Result<Option<String>, RequestError> {
    match given(object, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(RequestError::at(path(at, name), "must be text")),
    }
}

/// Text that must be there.
pub(crate) fn needed(object: &Map<String, Value>, at: &str, name: &str) -> Result<String, RequestError> {
    text(object, at, name)?.ok_or_else(|| RequestError::at(path(at, name), "is missing"))
}

fn number(object: &Map<String, Value>, name: &str) -> Result<Option<f64>, RequestError> {
    given(object, name)
        .map(|value| value.as_f64().ok_or_else(|| RequestError::at(name, "must be a number")))
        .transpose()
}

pub(crate) fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, RequestError> {
    value.as_object().ok_or_else(|| RequestError::at(at, "must be an object"))
}

pub(crate) fn list<'a>(object: &'a Map<String, Value>, at: &str, name: &str) -> Result<&'a [Value], RequestError> {
    match given(object, name) {
        None => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(RequestError::at(path(at, name), "must be a list")),
    }
}

pub(crate) fn path(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// Refuses fields that clients rely on and the other dialect has no words for. `harmless` says what a value is that means nothing.
fn refuse(body: &Map<String, Value>, names: &[&'static str]) -> Result<(), RequestError> {
    for name in names {
        let harmless = |value: &Value| match value {
            Value::Bool(on) => !on,
            Value::Array(list) => list.is_empty(),
            Value::Object(object) => object.is_empty(),
            _ => false,
        };
        if given(body, name).is_some_and(|value| !harmless(value)) {
            return Err(RequestError::at(*name, "is not possible with this model"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
