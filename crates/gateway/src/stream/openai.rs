//! Reads streams of chat completions: usage, end and failure, and mends what compatible servers get wrong.
//!
//! Most chunks are as OpenAI writes them and go on untouched. One that deviates in a way that clients stumble over is written anew,
//! by itself.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::sse::Event;
use super::{Facts, Outcome, Verdict};
use crate::providers::openai::wire::{ToolCall, text_length, texted, usage};

/// The end of a stream.
pub(crate) const DONE: &[u8] = b"data: [DONE]\n\n";

#[derive(Debug)]
pub(crate) struct Reader {
    /// Whether the client asked to see the usage chunk.
    show_usage: bool,
    finished: bool,
    /// Whether any call of a tool was seen, since some servers then say `stop`.
    tools: bool,
    mender: Mender,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    #[serde(borrow)]
    finish_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

impl Reader {
    pub(crate) fn new(show_usage: bool) -> Self {
        Self { show_usage, finished: false, tools: false, mender: Mender::default() }
    }

    pub(crate) fn event(&mut self, event: &Event<'_>, facts: &mut Facts) -> Verdict {
        let Some(data) = &event.data else { return Verdict::Keep };
        if data.trim_ascii() == b"[DONE]" {
            if !self.finished {
                return Verdict::End(Some(self.stopped(Some("[DONE] without a finish reason".into()), facts)));
            }
            facts.outcome = Some(Outcome::Complete);
            return Verdict::End(None);
        }
        let chunk: Chunk<'_> = match serde_json::from_slice(data) {
            Ok(chunk) => chunk,
            Err(_) if event.name == Some(b"error") => return failed(&String::from_utf8_lossy(data), facts),
            Err(error) => {
                return Verdict::End(Some(self.stopped(Some(format!("a chunk cannot be read: {error}")), facts)));
            }
        };
        if let Some(error) = chunk.error {
            return failed(error.get(), facts);
        }
        if event.name == Some(b"error") {
            return failed(&String::from_utf8_lossy(data), facts);
        }
        let used = usage(chunk.usage);
        facts.usage = used.or(facts.usage);
        let choices = chunk.choices.as_deref().unwrap_or_default();
        let mut odd = chunk.choices.is_none();
        for choice in choices {
            odd |= self.choice(choice, facts);
        }
        if choices.is_empty() && used.is_some() && !self.show_usage {
            return Verdict::Drop;
        }
        // Some servers give usage with the last choice, or a running count with each; only asked-for usage chunks have no choices.
        if odd {
            return match self.mender.mend(data, self.tools) {
                Some(bytes) => Verdict::Replace(bytes),
                None => Verdict::Drop,
            };
        }
        Verdict::Keep
    }

    /// Counts a choice, and tells whether it deviates.
    fn choice(&mut self, choice: &Choice<'_>, facts: &mut Facts) -> bool {
        let mut odd = choice.index.is_none();
        if let Some(delta) = &choice.delta {
            let texts = [delta.content, delta.refusal, delta.reasoning, delta.reasoning_content];
            let text: u64 = texts.into_iter().flatten().map(text_length).sum();
            facts.received += text;
            for call in delta.tool_calls.iter().flatten() {
                self.tools = true;
                odd |= self.mender.is_odd(choice.index.unwrap_or(0), call);
                facts.received += call.length();
            }
        } else {
            odd = true;
        }
        match choice.finish_reason.map(RawValue::get) {
            None => odd,
            Some("\"\"") => true,
            Some(reason) => {
                self.finished = true;
                odd || (self.tools && reason == "\"stop\"")
            }
        }
    }

    /// The upstream stopped; with a finish reason and without a complaint that was the end.
    pub(crate) fn stopped(&mut self, why: Option<String>, facts: &mut Facts) -> Bytes {
        if why.is_none() && self.finished {
            facts.outcome = Some(Outcome::Complete);
            return Bytes::from_static(DONE);
        }
        facts.outcome = Some(Outcome::Broken(why.unwrap_or_else(|| "the stream ended without a finish reason".into())));
        error_event(super::BROKE_OFF)
    }
}

fn failed(error: &str, facts: &mut Facts) -> Verdict {
    facts.outcome = Some(Outcome::Failed(crate::error::shortened(error)));
    Verdict::End(Some(error_event(super::FAILED)))
}

/// An error inside a stream, which clients raise as such.
pub(crate) fn error_event(message: &str) -> Bytes {
    let error = serde_json::json!({"error": {"message": message, "type": "upstream_error", "param": null, "code": "upstream_error"}});
    format!("data: {error}\n\n").into()
}

/// Writes deviating chunks anew.
#[derive(Debug, Default)]
struct Mender {
    choices: Vec<Calls>,
}

/// The calls of tools in one choice.
#[derive(Debug, Default)]
struct Calls {
    /// Their ids in order: a new id is a new call.
    ids: Vec<String>,
    /// The upstream's numbers are not to be trusted: what goes on without an id belongs to the last call.
    renumbered: bool,
}

impl Calls {
    /// The call with the upstream's number.
    fn numbered(&self, index: Option<u64>) -> Option<usize> {
        let index = usize::try_from(index?).ok()?;
        (!self.renumbered && index < self.ids.len()).then_some(index)
    }
}

impl Mender {
    /// Whether a tool call lacks what clients need, or repeats the index of another one. Notes which calls there are.
    fn is_odd(&mut self, choice: u64, call: &ToolCall<'_>) -> bool {
        let calls = self.of(choice);
        let id: Option<String> = call.id.and_then(|raw| serde_json::from_str(raw.get()).ok()).flatten();
        let begins = call.function.as_ref().and_then(|function| function.name).is_some_and(|name| name.get() != "\"\"");
        if calls.renumbered
            || id.as_deref() == Some("")
            || call.arguments().is_some_and(|raw| !raw.get().starts_with('"'))
        {
            return true;
        }
        match (calls.numbered(call.index), id) {
            // Goes on with a call, or repeats its id.
            (Some(_), None) => begins,
            (Some(known), Some(id)) => calls.ids[known] != id,
            // A new call, numbered as it should be.
            (None, Some(id)) if call.index == Some(calls.ids.len() as u64) && begins => {
                calls.ids.push(id);
                false
            }
            (None, _) => true,
        }
    }

    fn of(&mut self, choice: u64) -> &mut Calls {
        // Choices are 128 at most; whoever numbers them higher shares the last.
        let at = usize::try_from(choice).unwrap_or(0).min(127);
        if self.choices.len() <= at {
            self.choices.resize_with(at + 1, Calls::default);
        }
        &mut self.choices[at]
    }

    /// The chunk as OpenAI would write it; none if nothing is left of it.
    fn mend(&mut self, data: &[u8], tools: bool) -> Option<Bytes> {
        let mut chunk: Value = serde_json::from_slice(data).ok()?;
        let object = chunk.as_object_mut()?;
        let choices = object.entry("choices").or_insert_with(|| Value::Array(Vec::new()));
        if choices.is_null() {
            *choices = Value::Array(Vec::new());
        }
        for choice in choices.as_array_mut()?.iter_mut().filter_map(Value::as_object_mut) {
            let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
            choice.insert("index".into(), index.into());
            if !choice.get("delta").is_some_and(Value::is_object) {
                choice.insert("delta".into(), serde_json::json!({}));
            }
            let reason = match choice.get("finish_reason").and_then(Value::as_str) {
                None | Some("") => Value::Null,
                Some("stop") if tools => "tool_calls".into(),
                Some(reason) => reason.into(),
            };
            choice.insert("finish_reason".into(), reason);
            let calls =
                choice.get_mut("delta").and_then(|delta| delta.get_mut("tool_calls")).and_then(Value::as_array_mut);
            for call in calls.into_iter().flatten().filter_map(Value::as_object_mut) {
                self.mend_call(index, call);
            }
        }
        Some(format!("data: {chunk}\n\n").into())
    }

    fn mend_call(&mut self, choice: u64, call: &mut serde_json::Map<String, Value>) {
        let calls = self.of(choice);
        let given = call.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
        let begins = call
            .get("function")
            .and_then(|function| function.get("name"))
            .and_then(Value::as_str)
            .is_some_and(|name| !name.is_empty());
        let number = call.get("index").and_then(Value::as_u64);
        let at = match &given {
            Some(id) => calls.ids.iter().position(|known| known == id),
            None if begins => None,
            None => calls.numbered(number).or(calls.ids.len().checked_sub(1)),
        };
        let at = at.unwrap_or_else(|| {
            let id = given.unwrap_or_else(|| format!("call_{choice}_{}", calls.ids.len()));
            call.insert("id".into(), id.clone().into());
            call.insert("type".into(), "function".into());
            calls.ids.push(id);
            calls.ids.len() - 1
        });
        calls.renumbered |= number != Some(at as u64);
        if call.get("id").and_then(Value::as_str) == Some("") {
            call.remove("id");
        }
        call.insert("index".into(), at.into());
        if let Some(function) = call.get_mut("function").and_then(Value::as_object_mut)
            && let Some(text) = function.get("arguments").and_then(texted)
        {
            function.insert("arguments".into(), text.into());
        }
    }
}
