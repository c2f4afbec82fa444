//! OpenAI-compatible servers: OpenAI itself, Ollama, vLLM, llama.cpp, LM Studio and many others.

pub(crate) mod wire;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use self::wire::{ToolCall, text_length, texted, usage};
use crate::error::UpstreamError;
use crate::shape::{self, few};
use crate::usage::Usage;

/// A body for the client, what it used, and the bytes of text in it.
pub(crate) type Read = (Bytes, Option<Usage>, u64);

#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(borrow, default, deserialize_with = "few::<128, _, _>")]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<Message<'a>>,
    #[serde(borrow)]
    finish_reason: Option<&'a RawValue>,
    index: Option<u64>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "few::<1_000, _, _>")]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

/// Reads a whole chat completion. It goes on as it came unless it deviates in what clients stumble over.
pub(crate) fn chat(body: Bytes) -> Result<Read, UpstreamError> {
    let completion: Completion<'_> =
        serde_json::from_slice(&body).map_err(|error| UpstreamError::not_an_answer(&error.to_string()))?;
    if let Some(error) = completion.error {
        return Err(UpstreamError::not_an_answer(error.get()));
    }
    let choices = completion.choices.filter(|choices| !choices.is_empty());
    let choices = choices.ok_or_else(|| UpstreamError::not_an_answer("an answer without choices"))?;
    let mut received = 0;
    let mut odd = false;
    for choice in &choices {
        let Some(message) = &choice.message else {
            return Err(UpstreamError::not_an_answer("a choice without a message"));
        };
        let texts = [message.content, message.refusal, message.reasoning, message.reasoning_content];
        received += texts.into_iter().flatten().map(text_length).sum::<u64>();
        let reason = choice.finish_reason.map_or("null", RawValue::get);
        let calls = message.tool_calls.as_deref().unwrap_or_default();
        odd |=
            choice.index.is_none() || matches!(reason, "null" | "\"\"") || (!calls.is_empty() && reason == "\"stop\"");
        for call in calls {
            received += call.length();
            odd |= !call.arguments().is_some_and(|raw| raw.get().starts_with('"'));
            odd |= call.id.is_none_or(|id| id.get() == "\"\"");
        }
    }
    let usage = usage(completion.usage);
    let mended = if odd { mended(&body) } else { None };
    Ok((mended.unwrap_or(body), usage, received))
}

/// The answer as OpenAI would write it; none when it holds too much to be built, and then it goes on with its oddities.
fn mended(body: &[u8]) -> Option<Bytes> {
    let mut answer: Value = shape::answer(body).ok()?;
    for (n, choice) in answer.get_mut("choices")?.as_array_mut()?.iter_mut().enumerate() {
        if !choice["index"].is_u64() {
            choice["index"] = n.into();
        }
        let mut tools = false;
        for (m, call) in choice["message"]["tool_calls"].as_array_mut().into_iter().flatten().enumerate() {
            tools = true;
            if call["id"].as_str().is_none_or(str::is_empty) {
                call["id"] = format!("call_{n}_{m}").into();
            }
            call["type"] = "function".into();
            let arguments = &call["function"]["arguments"];
            if arguments.is_null() {
                call["function"]["arguments"] = "{}".into();
            } else if let Some(text) = texted(arguments) {
                call["function"]["arguments"] = text.into();
            }
        }
        if matches!(choice["finish_reason"].as_str(), None | Some("" | "stop")) {
            choice["finish_reason"] = if tools { "tool_calls" } else { "stop" }.into();
        }
    }
    Some(answer.to_string().into())
}

#[derive(Deserialize)]
struct Embeddings<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Reads embeddings, which always go on as they came.
pub(crate) fn embeddings(body: Bytes) -> Result<Read, UpstreamError> {
    let answer: Embeddings<'_> =
        serde_json::from_slice(&body).map_err(|error| UpstreamError::not_an_answer(&error.to_string()))?;
    if let Some(error) = answer.error {
        return Err(UpstreamError::not_an_answer(error.get()));
    }
    if !answer.data.is_some_and(|data| data.get().starts_with('[')) {
        return Err(UpstreamError::not_an_answer("an answer without data"));
    }
    let usage = usage(answer.usage);
    Ok((body, usage, 0))
}
