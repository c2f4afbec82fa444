//! Requests of chat completions, read into neutral words and written from them.
//!
//! Refused, since clients rely on them: several choices, log probabilities, bias, audio, structured output, the functions of old.
//! Left out as hints: `seed`, penalties, `reasoning_effort`, `store`, `metadata`, `service_tier`, `verbosity` and what is not known.

use serde_json::{Map, Value, json};

use super::super::{
    Call, Chat, Image, Part, Role, Tool, ToolChoice, given, list, needed, number, object, path, refuse, text,
};
use crate::error::RequestError;
use crate::request::OutputLimit;

/// Reads a request.
pub(crate) fn read(body: &Map<String, Value>) -> Result<Chat, RequestError> {
    refuse(body, &["logprobs", "top_logprobs", "logit_bias", "audio", "functions", "function_call", "prediction"])?;
    if given(body, "n").is_some_and(|n| n.as_u64() != Some(1)) {
        return Err(RequestError::at("n", "must be 1 with this model"));
    }
    let format = given(body, "response_format").and_then(|format| format.get("type")).and_then(Value::as_str);
    if format.is_some_and(|format| format != "text") {
        return Err(RequestError::at("response_format", "is not possible with this model"));
    }
    let stop = match given(body, "stop") {
        Some(Value::String(stop)) => vec![stop.clone()],
        _ => texts(list(body, "", "stop")?, "stop")?,
    };
    let mut chat = Chat {
        tool_choice: tool_choice(body)?,
        parallel_tools: given(body, "parallel_tool_calls").and_then(Value::as_bool),
        temperature: number(body, "temperature")?,
        top_p: number(body, "top_p")?,
        stop,
        user: text(body, "", "user")?,
        ..Chat::default()
    };
    for (n, tool) in list(body, "", "tools")?.iter().enumerate() {
        chat.tools.push(read_tool(tool, &format!("tools[{n}]"))?);
    }
    for (n, message) in list(body, "", "messages")?.iter().enumerate() {
        read_message(&mut chat, message, &format!("messages[{n}]"))?;
    }
    Ok(chat)
}

fn texts(values: &[Value], at: &str) -> Result<Vec<String>, RequestError> {
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| RequestError::at(at, "must hold text"));
    values.iter().map(text).collect()
}

fn tool_choice(body: &Map<String, Value>) -> Result<Option<ToolChoice>, RequestError> {
    let wrong = || RequestError::at("tool_choice", "must be none, auto, required, or a function");
    Ok(Some(match given(body, "tool_choice") {
        None => return Ok(None),
        Some(Value::String(word)) => match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Any,
            _ => return Err(wrong()),
        },
        Some(one) => ToolChoice::One(one["function"]["name"].as_str().ok_or_else(wrong)?.to_owned()),
    }))
}

fn read_tool(tool: &Value, at: &str) -> Result<Tool, RequestError> {
    if tool["type"] != "function" {
        return Err(RequestError::at(path(at, "type"), "must be function with this model"));
    }
    let at = path(at, "function");
    let function = object(&tool["function"], &at)?;
    let none = || json!({"type": "object", "properties": {}});
    Ok(Tool {
        name: needed(function, &at, "name")?,
        description: text(function, &at, "description")?,
        parameters: given(function, "parameters").cloned().unwrap_or_else(none),
    })
}

fn read_message(chat: &mut Chat, message: &Value, at: &str) -> Result<(), RequestError> {
    let message = object(message, at)?;
    let content = || read_content(given(message, "content"), &path(at, "content"));
    match needed(message, at, "role")?.as_str() {
        "system" | "developer" => chat.system.push(joined(content()?)),
        "user" => chat.say(Role::User, content()?),
        "assistant" => {
            let mut parts = content()?;
            if let Some(refusal) = text(message, at, "refusal")? {
                parts.push(Part::Text(refusal));
            }
            for (n, call) in list(message, at, "tool_calls")?.iter().enumerate() {
                let at = format!("{at}.tool_calls[{n}]");
                let call = object(call, &at)?;
                let function_at = path(&at, "function");
                let function = object(call.get("function").unwrap_or(&Value::Null), &function_at)?;
                // Servers of the smaller kind give an object, and clients send it back as they got it.
                let arguments = match given(function, "arguments") {
                    None => "{}".to_owned(),
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                };
                let name = needed(function, &function_at, "name")?;
                parts.push(Part::Call(Call { id: needed(call, &at, "id")?, name, arguments }));
            }
            chat.say(Role::Assistant, parts);
        }
        "tool" => {
            let id = needed(message, at, "tool_call_id")?;
            chat.say(Role::User, vec![Part::Result { id, parts: content()?, failed: false }]);
        }
        _ => {
            let message = "must be system, developer, user, assistant or tool";
            return Err(RequestError::at(path(at, "role"), message));
        }
    }
    Ok(())
}

fn joined(parts: Vec<Part>) -> String {
    let texts: Vec<String> =
        parts.into_iter().filter_map(|part| if let Part::Text(text) = part { Some(text) } else { None }).collect();
    texts.join("\n")
}

fn read_content(content: Option<&Value>, at: &str) -> Result<Vec<Part>, RequestError> {
    match content {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::Text(text.clone())]),
        Some(Value::Array(parts)) => {
            let part = |(n, part)| read_part(part, &format!("{at}[{n}]"));
            parts.iter().enumerate().map(part).collect()
        }
        Some(_) => Err(RequestError::at(at, "must be text or a list of parts")),
    }
}

fn read_part(part: &Value, at: &str) -> Result<Part, RequestError> {
    let part = object(part, at)?;
    match needed(part, at, "type")?.as_str() {
        "text" => Ok(Part::Text(needed(part, at, "text")?)),
        "refusal" => Ok(Part::Text(needed(part, at, "refusal")?)),
        "image_url" => {
            let url = part.get("image_url").and_then(|image| image.get("url").unwrap_or(image).as_str());
            let url = url.ok_or_else(|| RequestError::at(path(at, "image_url.url"), "is missing"))?;
            Ok(Part::Image(read_image(url)))
        }
        _ => Err(RequestError::at(path(at, "type"), "must be text or image_url with this model")),
    }
}

fn read_image(url: &str) -> Image {
    match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((media_type, base64)) => Image::Data { media_type: media_type.into(), base64: base64.into() },
        None => Image::Url(url.into()),
    }
}

/// Writes a request. Streams ask for usage.
pub(crate) fn write(chat: &Chat, model: &str, max_output: u64, limit: OutputLimit, stream: bool) -> Value {
    let mut messages = Vec::new();
    if !chat.system.is_empty() {
        messages.push(json!({"role": "system", "content": chat.system.join("\n\n")}));
    }
    for turn in &chat.turns {
        match turn.role {
            Role::User => write_user(&turn.parts, &mut messages),
            Role::Assistant => messages.push(write_assistant(&turn.parts)),
        }
    }
    let mut body = json!({"model": model, "messages": messages});
    let limit = match limit {
        OutputLimit::MaxTokens => "max_tokens",
        OutputLimit::MaxCompletionTokens => "max_completion_tokens",
    };
    body[limit] = max_output.into();
    if !chat.tools.is_empty() {
        let tool = |tool: &Tool| {
            let mut function = json!({"name": tool.name, "parameters": tool.parameters});
            if let Some(description) = &tool.description {
                function["description"] = description.as_str().into();
            }
            json!({"type": "function", "function": function})
        };
        body["tools"] = chat.tools.iter().map(tool).collect();
        if let Some(choice) = &chat.tool_choice {
            body["tool_choice"] = match choice {
                ToolChoice::Auto => "auto".into(),
                ToolChoice::None => "none".into(),
                ToolChoice::Any => "required".into(),
                ToolChoice::One(name) => json!({"type": "function", "function": {"name": name}}),
            };
        }
        if let Some(parallel) = chat.parallel_tools {
            body["parallel_tool_calls"] = parallel.into();
        }
    }
    for (name, value) in [("temperature", chat.temperature), ("top_p", chat.top_p)] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    if !chat.stop.is_empty() {
        body["stop"] = chat.stop.clone().into();
    }
    if let Some(user) = &chat.user {
        body["user"] = user.as_str().into();
    }
    if stream {
        body["stream"] = true.into();
        body["stream_options"] = json!({"include_usage": true});
    }
    body
}

/// Results of tools are messages of their own, directly behind the calls; the rest of the turn follows, with the images that the
/// tools gave, for which their messages have no place.
fn write_user(parts: &[Part], messages: &mut Vec<Value>) {
    let mut rest = Vec::new();
    for part in parts {
        match part {
            Part::Result { id, parts, failed } => {
                let mut text = if *failed { "Error: ".to_owned() } else { String::new() };
                for part in parts {
                    match part {
                        Part::Text(more) => text.push_str(more),
                        other => rest.extend(write_part(other)),
                    }
                }
                messages.push(json!({"role": "tool", "tool_call_id": id, "content": text}));
            }
            other => rest.extend(write_part(other)),
        }
    }
    let text = match &rest[..] {
        [] => return,
        [one] => one.get("text").cloned(),
        _ => None,
    };
    messages.push(json!({"role": "user", "content": text.unwrap_or(Value::Array(rest))}));
}

fn write_part(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) => Some(json!({"type": "text", "text": text})),
        Part::Image(image) => {
            let url = match image {
                Image::Url(url) => url.clone(),
                Image::Data { media_type, base64 } => format!("data:{media_type};base64,{base64}"),
            };
            Some(json!({"type": "image_url", "image_url": {"url": url}}))
        }
        Part::Call(_) | Part::Result { .. } => None,
    }
}

fn write_assistant(parts: &[Part]) -> Value {
    let mut text = String::new();
    let mut calls = Vec::new();
    for part in parts {
        match part {
            Part::Text(more) => text.push_str(more),
            Part::Call(call) => calls.push(super::reply::write_call(call)),
            Part::Image(_) | Part::Result { .. } => {}
        }
    }
    let content = if text.is_empty() && !calls.is_empty() { Value::Null } else { text.into() };
    let mut message = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    message
}
