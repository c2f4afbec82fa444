//! Requests of Responses, written anew as requests of chat completions.

use serde_json::{Map, Value, json};

use super::ResponsesRequest;
use crate::dialect::{given, list, needed, object, path, text};
use crate::error::RequestError;
use crate::shape;

/// Fields that go on under the same name.
const SAME: &[&str] = &["model", "temperature", "top_p", "service_tier", "prompt_cache_key", "user", "stream"];
/// Fields that are told back as they were given, with what is said when they were not.
const ECHOED: &[&str] = &["max_output_tokens", "temperature", "top_p", "user", "service_tier"];
/// Everything that has a meaning here, besides those in [`SAME`].
const KNOWN: &[&str] = &[
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "reasoning",
    "safety_identifier",
    "store",
    "stream_options",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "truncation",
];
/// The most entries of `metadata`, as OpenAI has it (read 2026-10).
const MOST_METADATA: usize = 16;

/// Reads a request.
pub(super) fn read(body: &[u8]) -> Result<ResponsesRequest, RequestError> {
    let body = shape::object(body)?;
    refuse_what_is_outside(&body)?;
    let stream = match given(&body, "stream") {
        None => false,
        Some(value) => value.as_bool().ok_or_else(|| RequestError::at("stream", "must be true or false"))?,
    };
    let mut chat = Map::new();
    for name in SAME {
        if let Some(value) = given(&body, name) {
            chat.insert((*name).to_owned(), value.clone());
        }
    }
    if let (None, Some(id)) = (given(&body, "user"), text(&body, "", "safety_identifier")?) {
        chat.insert("safety_identifier".into(), id.into());
    }
    if let Some(most) = given(&body, "max_output_tokens") {
        if most.as_u64().is_none_or(|most| most == 0) {
            return Err(RequestError::at("max_output_tokens", "must be a whole number above zero"));
        }
        chat.insert("max_completion_tokens".into(), most.clone());
    }
    if stream {
        chat.insert("stream_options".into(), json!({ "include_usage": true }));
    }
    let instructions = text(&body, "", "instructions")?;
    chat.insert("messages".into(), messages(&body, instructions.as_deref())?);
    let tools = tools(&body)?;
    if !tools.is_empty() {
        chat.insert("tools".into(), tools.into());
        if let Some(choice) = tool_choice(&body)? {
            chat.insert("tool_choice".into(), choice);
        }
        if let Some(parallel) = given(&body, "parallel_tool_calls") {
            chat.insert("parallel_tool_calls".into(), parallel.clone());
        }
    }
    let format = text_settings(&body, &mut chat)?;
    let reasoning = reasoning(&body, &mut chat)?;
    let chat = Value::Object(chat).to_string().into();
    Ok(ResponsesRequest { chat, echo: echo(&body, instructions, format, reasoning)? })
}

/// What the response says back of the request.
fn echo(
    body: &Map<String, Value>,
    instructions: Option<String>,
    format: Value,
    reasoning: Value,
) -> Result<Map<String, Value>, RequestError> {
    let metadata = given(body, "metadata").cloned().unwrap_or_else(|| json!({}));
    if metadata.as_object().is_none_or(|metadata| metadata.len() > MOST_METADATA) {
        return Err(RequestError::at("metadata", "must be an object of at most 16 texts"));
    }
    let mut echo = Map::new();
    for name in ECHOED {
        echo.insert((*name).to_owned(), given(body, name).cloned().unwrap_or(Value::Null));
    }
    echo.insert("instructions".into(), instructions.into());
    echo.insert("metadata".into(), metadata);
    let parallel = given(body, "parallel_tool_calls").and_then(Value::as_bool).unwrap_or(true);
    echo.insert("parallel_tool_calls".into(), parallel.into());
    echo.insert("tools".into(), given(body, "tools").cloned().unwrap_or_else(|| json!([])));
    echo.insert("tool_choice".into(), given(body, "tool_choice").cloned().unwrap_or_else(|| "auto".into()));
    echo.insert("text".into(), format);
    echo.insert("reasoning".into(), reasoning);
    Ok(echo)
}

/// What asks for something that is not done here. A value that means nothing is taken.
fn refuse_what_is_outside(body: &Map<String, Value>) -> Result<(), RequestError> {
    for (name, why) in [
        ("store", "must be false: responses are not kept here"),
        ("background", "must be false: nothing runs in the background here"),
    ] {
        if given(body, name).is_some_and(|value| *value != Value::Bool(false)) {
            return Err(RequestError::at(name, why));
        }
    }
    for (name, why) in [
        ("previous_response_id", "is not possible: responses are not kept here; send the whole input"),
        ("conversation", "is not possible: conversations are not kept here; send the whole input"),
        ("prompt", "is not possible: prompts are not kept here"),
        ("max_tool_calls", "is not possible: there are no built-in tools here"),
    ] {
        if given(body, name).is_some() {
            return Err(RequestError::at(name, why));
        }
    }
    if !list(body, "", "include")?.is_empty() {
        return Err(RequestError::at("include", "must be empty: there is nothing more to be included"));
    }
    if given(body, "top_logprobs").is_some_and(|value| value.as_u64() != Some(0)) {
        return Err(RequestError::at("top_logprobs", "must be 0: log probabilities are not given"));
    }
    if given(body, "truncation").is_some_and(|value| value != "disabled") {
        return Err(RequestError::at("truncation", "must be disabled: nothing is left out of the input"));
    }
    let unknown = body.keys().find(|name| !SAME.contains(&name.as_str()) && !KNOWN.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| Err(RequestError::at(name.clone(), "is not known")))
}

/// The instructions and the input, as messages.
fn messages(body: &Map<String, Value>, instructions: Option<&str>) -> Result<Value, RequestError> {
    let mut messages = Vec::new();
    if let Some(instructions) = instructions {
        messages.push(json!({ "role": "system", "content": instructions }));
    }
    match given(body, "input") {
        Some(Value::String(text)) => messages.push(json!({ "role": "user", "content": text })),
        Some(Value::Array(items)) if !items.is_empty() => {
            for (n, item) in items.iter().enumerate() {
                read_item(&mut messages, item, &format!("input[{n}]"))?;
            }
        }
        Some(Value::Array(_)) | None => return Err(RequestError::at("input", "is missing")),
        Some(_) => return Err(RequestError::at("input", "must be text or a list of items")),
    }
    Ok(messages.into())
}

fn read_item(messages: &mut Vec<Value>, item: &Value, at: &str) -> Result<(), RequestError> {
    let item = object(item, at)?;
    match text(item, at, "type")?.as_deref() {
        None | Some("message") => messages.push(read_message(item, at)?),
        Some("function_call") => {
            let function = json!({ "name": needed(item, at, "name")?, "arguments": needed(item, at, "arguments")? });
            let call = json!({ "id": needed(item, at, "call_id")?, "type": "function", "function": function });
            // Calls in a row, and what the model said before them, are one message there.
            match messages.last_mut().filter(|last| last["role"] == "assistant") {
                Some(last) => match last["tool_calls"].as_array_mut() {
                    Some(calls) => calls.push(call),
                    None => last["tool_calls"] = json!([call]),
                },
                None => messages.push(json!({ "role": "assistant", "content": null, "tool_calls": [call] })),
            }
        }
        Some("function_call_output") => {
            let content = match given(item, "output") {
                Some(Value::String(text)) => text.clone().into(),
                Some(Value::Array(parts)) => read_parts(parts, &path(at, "output"))?,
                _ => return Err(RequestError::at(path(at, "output"), "must be text or a list of parts")),
            };
            messages.push(json!({ "role": "tool", "tool_call_id": needed(item, at, "call_id")?, "content": content }));
        }
        Some(_) => {
            let rule = "must be message, function_call or function_call_output";
            return Err(RequestError::at(path(at, "type"), rule));
        }
    }
    Ok(())
}

fn read_message(item: &Map<String, Value>, at: &str) -> Result<Value, RequestError> {
    let role = match needed(item, at, "role")?.as_str() {
        // Only OpenAI's own models tell the two apart, and they take this one for the other.
        "system" | "developer" => "system",
        "user" => "user",
        "assistant" => "assistant",
        _ => return Err(RequestError::at(path(at, "role"), "must be user, assistant, system or developer")),
    };
    let content = match given(item, "content") {
        Some(Value::String(text)) => text.clone().into(),
        Some(Value::Array(parts)) => read_parts(parts, &path(at, "content"))?,
        _ => return Err(RequestError::at(path(at, "content"), "must be text or a list of parts")),
    };
    Ok(json!({ "role": role, "content": content }))
}

/// Parts of a message. Text alone becomes text, which servers of the smaller kind want.
fn read_parts(parts: &[Value], at: &str) -> Result<Value, RequestError> {
    let mut written = Vec::with_capacity(parts.len());
    for (n, part) in parts.iter().enumerate() {
        let at = format!("{at}[{n}]");
        let part = object(part, &at)?;
        written.push(match needed(part, &at, "type")?.as_str() {
            "input_text" | "output_text" => json!({ "type": "text", "text": needed(part, &at, "text")? }),
            "refusal" => json!({ "type": "text", "text": needed(part, &at, "refusal")? }),
            "input_image" => read_image(part, &at)?,
            _ => {
                let rule = "must be input_text, input_image, output_text or refusal";
                return Err(RequestError::at(path(&at, "type"), rule));
            }
        });
    }
    let texts: Option<Vec<&str>> = written.iter().map(|part| part["text"].as_str()).collect();
    Ok(texts.map_or_else(|| Value::Array(written.clone()), |texts| texts.concat().into()))
}

fn read_image(part: &Map<String, Value>, at: &str) -> Result<Value, RequestError> {
    if given(part, "file_id").is_some() {
        return Err(RequestError::at(path(at, "file_id"), "is not possible: files are not kept here; give image_url"));
    }
    let mut image = json!({ "url": needed(part, at, "image_url")? });
    if let Some(detail) = text(part, at, "detail")? {
        image["detail"] = detail.into();
    }
    Ok(json!({ "type": "image_url", "image_url": image }))
}

fn tools(body: &Map<String, Value>) -> Result<Vec<Value>, RequestError> {
    let read = |(n, tool): (usize, &Value)| {
        let at = format!("tools[{n}]");
        let tool = object(tool, &at)?;
        if needed(tool, &at, "type")? != "function" {
            return Err(RequestError::at(path(&at, "type"), "must be function: there are no built-in tools here"));
        }
        let mut function = Map::from_iter([("name".to_owned(), needed(tool, &at, "name")?.into())]);
        for name in ["description", "parameters", "strict"] {
            if let Some(value) = given(tool, name) {
                function.insert(name.to_owned(), value.clone());
            }
        }
        Ok(json!({ "type": "function", "function": function }))
    };
    list(body, "", "tools")?.iter().enumerate().map(read).collect()
}

fn tool_choice(body: &Map<String, Value>) -> Result<Option<Value>, RequestError> {
    let wrong = || RequestError::at("tool_choice", "must be none, auto, required, or a function");
    Ok(Some(match given(body, "tool_choice") {
        None => return Ok(None),
        Some(Value::String(word)) if ["none", "auto", "required"].contains(&word.as_str()) => word.clone().into(),
        Some(Value::Object(one)) if one.get("type").is_some_and(|kind| kind == "function") => {
            let name = one.get("name").and_then(Value::as_str).ok_or_else(wrong)?;
            json!({ "type": "function", "function": { "name": name } })
        }
        Some(_) => return Err(wrong()),
    }))
}

/// The form of the text; says it back.
fn text_settings(body: &Map<String, Value>, chat: &mut Map<String, Value>) -> Result<Value, RequestError> {
    let plain = || json!({ "format": { "type": "text" } });
    let Some(settings) = given(body, "text") else { return Ok(plain()) };
    let settings = object(settings, "text")?;
    if let Some(verbosity) = text(settings, "text", "verbosity")? {
        chat.insert("verbosity".into(), verbosity.into());
    }
    let Some(format) = given(settings, "format") else {
        let mut told = plain();
        if let Some(verbosity) = given(settings, "verbosity") {
            told["verbosity"] = verbosity.clone();
        }
        return Ok(told);
    };
    let at = "text.format";
    let fields = object(format, at)?;
    match needed(fields, at, "type")?.as_str() {
        "text" => {}
        "json_object" => {
            chat.insert("response_format".into(), json!({ "type": "json_object" }));
        }
        "json_schema" => {
            let schema = given(fields, "schema").ok_or_else(|| RequestError::at("text.format.schema", "is missing"))?;
            let mut wanted = json!({ "name": needed(fields, at, "name")?, "schema": schema });
            for name in ["description", "strict"] {
                if let Some(value) = given(fields, name) {
                    wanted[name] = value.clone();
                }
            }
            chat.insert("response_format".into(), json!({ "type": "json_schema", "json_schema": wanted }));
        }
        _ => return Err(RequestError::at("text.format.type", "must be text, json_object or json_schema")),
    }
    Ok(Value::Object(settings.clone()))
}

/// How hard the model is to think; says it back. What it thinks is not shown.
fn reasoning(body: &Map<String, Value>, chat: &mut Map<String, Value>) -> Result<Value, RequestError> {
    let Some(settings) = given(body, "reasoning") else { return Ok(json!({ "effort": null, "summary": null })) };
    let settings = object(settings, "reasoning")?;
    for name in ["summary", "generate_summary"] {
        if given(settings, name).is_some() {
            return Err(RequestError::at(path("reasoning", name), "is not possible: what a model thinks is not shown"));
        }
    }
    let effort = text(settings, "reasoning", "effort")?;
    if let Some(effort) = &effort {
        chat.insert("reasoning_effort".into(), effort.as_str().into());
    }
    Ok(json!({ "effort": effort, "summary": null }))
}
