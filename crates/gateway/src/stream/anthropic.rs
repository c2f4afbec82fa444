//! Reads streams of Anthropic's messages: usage, end and failure.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::sse::Event;
use super::{Facts, Outcome, Verdict};
use crate::usage::AnthropicUsage;

#[derive(Debug, Default)]
pub(crate) struct Reader {
    usage: AnthropicUsage,
    finished: bool,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    message: Option<Start>,
    usage: Option<AnthropicUsage>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    #[serde(borrow)]
    content_block: Option<Block<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Start {
    usage: Option<AnthropicUsage>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    partial_json: Option<&'a RawValue>,
    #[serde(borrow)]
    stop_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
}

impl Reader {
    pub(crate) fn event(&mut self, event: &Event<'_>, facts: &mut Facts) -> Verdict {
        let Some(data) = &event.data else { return Verdict::Keep };
        let told: Told<'_> = match serde_json::from_slice(data) {
            Ok(told) => told,
            Err(error) => {
                return Verdict::End(Some(stopped(Some(format!("an event cannot be read: {error}")), facts)));
            }
        };
        let used = told.usage.or(told.message.and_then(|start| start.usage));
        if let Some(used) = used {
            self.usage.update(used);
            facts.usage = self.usage.usage();
        }
        let block = told.content_block.iter().flat_map(|block| [block.text, block.name]);
        let delta = told.delta.iter().flat_map(|delta| [delta.text, delta.thinking, delta.partial_json]);
        facts.received += block.chain(delta).flatten().map(|raw| raw.get().len().saturating_sub(2) as u64).sum::<u64>();
        self.finished |= told.delta.is_some_and(|delta| delta.stop_reason.is_some());
        match &*told.kind {
            "message_stop" if self.finished => {
                facts.outcome = Some(Outcome::Complete);
                Verdict::End(None)
            }
            "message_stop" => Verdict::End(Some(stopped(None, facts))),
            "error" => {
                let words = told.error.map_or("", RawValue::get);
                facts.outcome = Some(Outcome::Failed(crate::error::shortened(words)));
                Verdict::End(Some(error_event(super::FAILED)))
            }
            // The official client passes over frames without a name.
            kind if event.name.is_none() => {
                let mut named = format!("event: {kind}\ndata: ").into_bytes();
                named.extend_from_slice(data);
                named.extend_from_slice(b"\n\n");
                Verdict::Replace(named.into())
            }
            _ => Verdict::Keep,
        }
    }
}

/// The upstream stopped without `message_stop`.
pub(super) fn stopped(why: Option<String>, facts: &mut Facts) -> Bytes {
    let why = why.unwrap_or_else(|| "the stream ended without a stop reason or message_stop".into());
    facts.outcome = Some(Outcome::Broken(why));
    error_event(super::BROKE_OFF)
}

/// An error inside a stream, which clients raise as such.
pub(crate) fn error_event(message: &str) -> Bytes {
    let error = serde_json::json!({"type": "error", "error": {"type": "api_error", "message": message}});
    format!("event: error\ndata: {error}\n\n").into()
}
