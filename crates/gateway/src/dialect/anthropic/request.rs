//! Requests of messages, read into neutral words and written from them.
//!
//! Refused, since clients rely on them: the upstream's own tools, MCP servers, containers, documents other than text. Left out as
//! hints: `top_k`, `thinking`, `cache_control`, `service_tier`, `metadata` but for the user, and what is not known. Thinking of
//! earlier turns is left out too: only the model that thought can read it.

use serde_json::{Map, Value, json};

use super::super::{
    Call, Chat, Image, Part, Role, Tool, ToolChoice, given, list, needed, number, object, path, refuse, text,
};
use crate::error::RequestError;

/// Reads a request.
pub(crate) fn read(body: &Map<String, Value>) -> Result<Chat, RequestError> {
    refuse(body, &["mcp_servers", "container", "output_format", "output_config"])?;
    let stop = list(body, "", "stop_sequences")?.iter();
    let stop = stop.map(|text| text.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
    let (tool_choice, parallel_tools) = tool_choice(body)?;
    let mut chat = Chat {
        tool_choice,
        parallel_tools,
        temperature: number(body, "temperature")?,
        top_p: number(body, "top_p")?,
        stop: stop.ok_or_else(|| RequestError::at("stop_sequences", "must hold text"))?,
        user: given(body, "metadata").and_then(|metadata| metadata["user_id"].as_str()).map(str::to_owned),
        ..Chat::default()
    };
    match given(body, "system") {
        None => {}
        Some(Value::String(text)) => chat.system.push(text.clone()),
        Some(_) => {
            for (n, block) in list(body, "", "system")?.iter().enumerate() {
                let at = format!("system[{n}]");
                chat.system.push(needed(object(block, &at)?, &at, "text")?);
            }
        }
    }
    for (n, tool) in list(body, "", "tools")?.iter().enumerate() {
        chat.tools.push(read_tool(tool, &format!("tools[{n}]"))?);
    }
    for (n, message) in list(body, "", "messages")?.iter().enumerate() {
        let at = format!("messages[{n}]");
        let message = object(message, &at)?;
        let role = match needed(message, &at, "role")?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return Err(RequestError::at(path(&at, "role"), "must be user or assistant")),
        };
        chat.say(role, read_content(message.get("content"), &path(&at, "content"))?);
    }
    Ok(chat)
}

fn tool_choice(body: &Map<String, Value>) -> Result<(Option<ToolChoice>, Option<bool>), RequestError> {
    let Some(choice) = given(body, "tool_choice") else { return Ok((None, None)) };
    let choice = object(choice, "tool_choice")?;
    let parallel = given(choice, "disable_parallel_tool_use").and_then(Value::as_bool).map(|disabled| !disabled);
    let choice = match needed(choice, "tool_choice", "type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "none" => ToolChoice::None,
        "any" => ToolChoice::Any,
        "tool" => ToolChoice::One(needed(choice, "tool_choice", "name")?),
        _ => return Err(RequestError::at("tool_choice.type", "must be auto, any, tool or none")),
    };
    Ok((Some(choice), parallel))
}

fn read_tool(tool: &Value, at: &str) -> Result<Tool, RequestError> {
    let tool = object(tool, at)?;
    if text(tool, at, "type")?.is_some_and(|kind| kind != "custom") {
        return Err(RequestError::at(path(at, "type"), "must be custom with this model"));
    }
    let parameters = given(tool, "input_schema").cloned();
    Ok(Tool {
        name: needed(tool, at, "name")?,
        description: text(tool, at, "description")?,
        parameters: parameters.ok_or_else(|| RequestError::at(path(at, "input_schema"), "is missing"))?,
    })
}

fn read_content(content: Option<&Value>, at: &str) -> Result<Vec<Part>, RequestError> {
    let mut parts = Vec::new();
    match content {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => parts.push(Part::Text(text.clone())),
        Some(Value::Array(blocks)) => {
            for (n, block) in blocks.iter().enumerate() {
                parts.extend(read_block(block, &format!("{at}[{n}]"))?);
            }
        }
        Some(_) => return Err(RequestError::at(at, "must be text or a list of blocks")),
    }
    Ok(parts)
}

fn read_block(block: &Value, at: &str) -> Result<Option<Part>, RequestError> {
    let block = object(block, at)?;
    Ok(Some(match needed(block, at, "type")?.as_str() {
        "text" => Part::Text(needed(block, at, "text")?),
        "thinking" | "redacted_thinking" => return Ok(None),
        "image" => Part::Image(read_image(block, at)?),
        "document" if block["source"]["type"] == "text" => {
            let at = path(at, "source");
            Part::Text(needed(object(&block["source"], &at)?, &at, "data")?)
        }
        "tool_use" => {
            let input = block.get("input").cloned().unwrap_or_else(|| json!({}));
            let (id, name) = (needed(block, at, "id")?, needed(block, at, "name")?);
            Part::Call(Call { id, name, arguments: input.to_string() })
        }
        "tool_result" => Part::Result {
            id: needed(block, at, "tool_use_id")?,
            parts: read_content(block.get("content"), &path(at, "content"))?,
            failed: block.get("is_error").and_then(Value::as_bool).unwrap_or(false),
        },
        _ => return Err(RequestError::at(path(at, "type"), "is not possible with this model")),
    }))
}

fn read_image(block: &Map<String, Value>, at: &str) -> Result<Image, RequestError> {
    let at = path(at, "source");
    let source = object(block.get("source").unwrap_or(&Value::Null), &at)?;
    match needed(source, &at, "type")?.as_str() {
        "url" => Ok(Image::Url(needed(source, &at, "url")?)),
        "base64" => {
            Ok(Image::Data { media_type: needed(source, &at, "media_type")?, base64: needed(source, &at, "data")? })
        }
        _ => Err(RequestError::at(path(&at, "type"), "must be base64 or url with this model")),
    }
}

/// Writes a request.
pub(crate) fn write(chat: &Chat, model: &str, max_output: u64, stream: bool) -> Value {
    let turn = |turn: &super::super::Turn| {
        // Results come first in their message.
        let (results, rest): (Vec<&Part>, Vec<&Part>) =
            turn.parts.iter().partition(|part| matches!(part, Part::Result { .. }));
        let blocks: Vec<Value> = results.into_iter().chain(rest).filter_map(write_block).collect();
        let role = if turn.role == Role::User { "user" } else { "assistant" };
        json!({"role": role, "content": blocks})
    };
    let messages: Vec<Value> = chat.turns.iter().map(turn).collect();
    let mut body = json!({"model": model, "max_tokens": max_output, "messages": messages});
    if !chat.system.is_empty() {
        body["system"] = chat.system.join("\n\n").into();
    }
    if !chat.tools.is_empty() {
        let tool = |tool: &Tool| {
            let mut written = json!({"name": tool.name, "input_schema": tool.parameters});
            if let Some(description) = &tool.description {
                written["description"] = description.as_str().into();
            }
            written
        };
        body["tools"] = chat.tools.iter().map(tool).collect();
        if chat.tool_choice.is_some() || chat.parallel_tools == Some(false) {
            body["tool_choice"] = write_tool_choice(chat);
        }
    }
    if let Some(temperature) = chat.temperature {
        // OpenAI's goes to 2, this one to 1.
        body["temperature"] = temperature.min(1.0).into();
    }
    if let Some(top_p) = chat.top_p {
        body["top_p"] = top_p.into();
    }
    if !chat.stop.is_empty() {
        body["stop_sequences"] = chat.stop.clone().into();
    }
    if let Some(user) = &chat.user {
        body["metadata"] = json!({"user_id": user});
    }
    if stream {
        body["stream"] = true.into();
    }
    body
}

fn write_tool_choice(chat: &Chat) -> Value {
    let mut choice = match chat.tool_choice.as_ref().unwrap_or(&ToolChoice::Auto) {
        ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::None => return json!({"type": "none"}),
        ToolChoice::Any => json!({"type": "any"}),
        ToolChoice::One(name) => json!({"type": "tool", "name": name}),
    };
    if chat.parallel_tools == Some(false) {
        choice["disable_parallel_tool_use"] = true.into();
    }
    choice
}

fn write_block(part: &Part) -> Option<Value> {
    Some(match part {
        // Empty text blocks are refused.
        Part::Text(text) if text.is_empty() => return None,
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image(Image::Url(url)) => json!({"type": "image", "source": {"type": "url", "url": url}}),
        Part::Image(Image::Data { media_type, base64 }) => {
            json!({"type": "image", "source": {"type": "base64", "media_type": media_type, "data": base64}})
        }
        Part::Call(call) => super::reply::write_call(call),
        Part::Result { id, parts, failed } => {
            let content: Vec<Value> = parts.iter().filter_map(write_block).collect();
            json!({"type": "tool_result", "tool_use_id": id, "content": content, "is_error": failed})
        }
    })
}
