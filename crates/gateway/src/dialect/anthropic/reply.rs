//! Whole messages.

use serde_json::{Value, json};

use super::super::{Call, Reply};
use super::{stop_from, stop_to, usage_to};
use crate::usage::Usage;

/// Reads a message. Thinking stays behind: the other dialect has no place for it.
pub(crate) fn read(body: &Value, usage: Option<Usage>) -> Reply {
    let mut reply = Reply {
        id: body["id"].as_str().unwrap_or("").to_owned(),
        model: body["model"].as_str().unwrap_or("").to_owned(),
        text: String::new(),
        calls: Vec::new(),
        stop: stop_from(body["stop_reason"].as_str()),
        usage,
    };
    for block in body["content"].as_array().into_iter().flatten() {
        match block["type"].as_str() {
            Some("text") => reply.text.push_str(block["text"].as_str().unwrap_or("")),
            Some("tool_use") => reply.calls.push(Call {
                id: block["id"].as_str().unwrap_or("").to_owned(),
                name: block["name"].as_str().unwrap_or("").to_owned(),
                arguments: if block["input"].is_null() { "{}".into() } else { block["input"].to_string() },
            }),
            _ => {}
        }
    }
    reply
}

/// Writes a message.
pub(crate) fn write(reply: &Reply) -> Value {
    let text = (!reply.text.is_empty()).then(|| json!({"type": "text", "text": reply.text}));
    let content: Vec<Value> = text.into_iter().chain(reply.calls.iter().map(write_call)).collect();
    json!({
        "id": reply.id, "type": "message", "role": "assistant", "model": reply.model, "content": content,
        "stop_reason": stop_to(reply.stop), "stop_sequence": null,
        // Clients add these up, so there must be some.
        "usage": usage_to(reply.usage.unwrap_or_default()),
    })
}

/// A call of a tool. Arguments that are no object reach whoever reads them as they were written, in one.
pub(in crate::dialect) fn write_call(call: &Call) -> Value {
    let input = match serde_json::from_str(&call.arguments) {
        Ok(Value::Object(object)) => Value::Object(object),
        _ if call.arguments.trim().is_empty() => json!({}),
        _ => json!({"invalid_arguments": call.arguments}),
    };
    json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
}
