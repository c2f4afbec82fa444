//! Whole chat completions.

use serde_json::{Value, json};

use super::super::{Call, Reply};
use super::{stop_from, stop_to, usage_to};

/// Reads a completion that was mended before: it has a choice with a message.
pub(crate) fn read(body: &Value, usage: Option<crate::Usage>) -> Reply {
    let choice = &body["choices"][0];
    let message = &choice["message"];
    let text = [&message["content"], &message["refusal"]].into_iter().filter_map(Value::as_str).collect();
    let calls = message["tool_calls"].as_array().into_iter().flatten().map(|call| Call {
        id: call["id"].as_str().unwrap_or("").to_owned(),
        name: call["function"]["name"].as_str().unwrap_or("").to_owned(),
        arguments: call["function"]["arguments"].as_str().unwrap_or("{}").to_owned(),
    });
    Reply {
        id: body["id"].as_str().unwrap_or("").to_owned(),
        model: body["model"].as_str().unwrap_or("").to_owned(),
        text,
        calls: calls.collect(),
        stop: stop_from(choice["finish_reason"].as_str()),
        usage,
    }
}

/// Writes a completion, made at this time in seconds since 1970.
pub(crate) fn write(reply: &Reply, created: i64) -> Value {
    let content =
        if reply.text.is_empty() && !reply.calls.is_empty() { Value::Null } else { reply.text.as_str().into() };
    let mut message = json!({"role": "assistant", "content": content, "refusal": null});
    if !reply.calls.is_empty() {
        message["tool_calls"] = reply.calls.iter().map(write_call).collect();
    }
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": stop_to(reply.stop)});
    let mut body = json!({
        "id": reply.id, "object": "chat.completion", "created": created, "model": reply.model, "choices": [choice],
    });
    if let Some(usage) = reply.usage {
        body["usage"] = usage_to(usage);
    }
    body
}

pub(in crate::dialect) fn write_call(call: &Call) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
}
