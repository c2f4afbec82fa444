use serde_json::{Value, json};

use super::*;
use crate::request::OutputLimit;

fn read(dialect: Dialect, body: &Value) -> Result<Chat, RequestError> {
    Chat::read(dialect, body.to_string().as_bytes())
}

fn to_anthropic(body: &Value) -> Value {
    anthropic::request::write(&read(Dialect::OpenAi, body).expect("a good request"), "m", 9, false)
}

fn to_openai(body: &Value) -> Value {
    let chat = read(Dialect::Anthropic, body).expect("a good request");
    openai::request::write(&chat, "m", 9, OutputLimit::MaxTokens, false)
}

fn openai_tool_loop() -> Value {
    json!({
        "model": "m", "max_tokens": 9,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "2+3 and 4+5?"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{\"a\":2,\"b\":3}"}},
                {"id": "call_2", "type": "function", "function": {"name": "add", "arguments": "{\"a\":4,\"b\":5}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "5"},
            {"role": "tool", "tool_call_id": "call_2", "content": "9"},
            {"role": "user", "content": "And now?"},
        ],
        "tools": [{"type": "function", "function": {"name": "add", "description": "adds", "parameters": {"type": "object"}}}],
        "tool_choice": "auto", "temperature": 1.5, "stop": "END", "user": "u1",
    })
}

#[test]
fn a_tool_loop_becomes_alternating_turns_with_results_first() {
    assert_eq!(
        to_anthropic(&openai_tool_loop()),
        json!({
            "model": "m", "max_tokens": 9, "system": "Be brief.",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "2+3 and 4+5?"}]},
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 2, "b": 3}},
                    {"type": "tool_use", "id": "call_2", "name": "add", "input": {"a": 4, "b": 5}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "5"}], "is_error": false},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": [{"type": "text", "text": "9"}], "is_error": false},
                    {"type": "text", "text": "And now?"},
                ]},
            ],
            "tools": [{"name": "add", "description": "adds", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "auto"}, "temperature": 1.0, "stop_sequences": ["END"], "metadata": {"user_id": "u1"},
        })
    );
}

#[test]
fn a_tool_loop_comes_back_as_it_went() {
    let mut expected = openai_tool_loop();
    expected["temperature"] = 1.0.into();
    expected["stop"] = json!(["END"]);
    assert_eq!(to_openai(&to_anthropic(&openai_tool_loop())), expected);
}

#[test]
fn blocks_that_only_anthropic_has_find_a_place() {
    let body = json!({
        "model": "m", "max_tokens": 9, "system": [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "B"}],
        "messages": [
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
            ]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "t", "name": "look", "input": {"x": 1}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "is_error": true, "content": [
                {"type": "text", "text": "no"}, {"type": "image", "source": {"type": "url", "url": "https://e/x.png"}},
            ]}]},
        ],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
        "thinking": {"type": "enabled", "budget_tokens": 5},
    });
    assert_eq!(
        to_openai(&body),
        json!({
            "model": "m", "max_tokens": 9,
            "messages": [
                {"role": "system", "content": "A\n\nB"},
                {"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, {"type": "text", "text": "words"},
                ]},
                {"role": "assistant", "content": "Let me see.", "tool_calls": [
                    {"id": "t", "type": "function", "function": {"name": "look", "arguments": "{\"x\":1}"}},
                ]},
                {"role": "tool", "tool_call_id": "t", "content": "Error: no"},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e/x.png"}}]},
            ],
            "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
            "tool_choice": "required", "parallel_tool_calls": false,
        })
    );
}

#[test]
fn what_the_other_side_has_no_words_for_is_refused_by_name() {
    let refused = |dialect, field: &str, value: Value| {
        let mut body = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]});
        body[field] = value;
        read(dialect, &body).map(|_| ()).map_err(|error| error.param.unwrap_or_default())
    };
    let openai = |field, value| refused(Dialect::OpenAi, field, value);
    assert_eq!(openai("n", json!(2)), Err("n".into()));
    assert_eq!(openai("n", json!(1)), Ok(()));
    assert_eq!(openai("logprobs", json!(true)), Err("logprobs".into()));
    assert_eq!(openai("logprobs", json!(false)), Ok(()));
    assert_eq!(openai("response_format", json!({"type": "json_object"})), Err("response_format".into()));
    assert_eq!(openai("response_format", json!({"type": "text"})), Ok(()));
    assert_eq!(openai("tools", json!([{"type": "web_search"}])), Err("tools[0].type".into()));
    assert_eq!(openai("seed", json!(1)), Ok(()));
    assert_eq!(openai("messages", json!([{"role": "robot", "content": "x"}])), Err("messages[0].role".into()));
    let audio = json!([{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]);
    assert_eq!(openai("messages", audio), Err("messages[0].content[0].type".into()));
    let anthropic = |field, value| refused(Dialect::Anthropic, field, value);
    assert_eq!(anthropic("tools", json!([{"type": "web_search_20250305", "name": "w"}])), Err("tools[0].type".into()));
    assert_eq!(anthropic("mcp_servers", json!([{}])), Err("mcp_servers".into()));
    assert_eq!(anthropic("top_k", json!(5)), Ok(()));
}

#[test]
fn a_body_of_very_many_values_is_refused_before_they_are_built() {
    // A megabyte that would take a hundred.
    let many = vec!["{\"\":0}"; 150_000].join(",");
    let with =
        |x: &str| format!(r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"x"}}],"x":{x}}}"#);
    for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
        let refused = Chat::read(dialect, with(&format!("[{many}]")).as_bytes()).expect_err("too much");
        assert!(refused.param.is_none() && refused.message.contains("200000"), "{refused:?}");
        // As text it is one value.
        assert!(Chat::read(dialect, with(&json!(many).to_string()).as_bytes()).is_ok());
    }
    // Arguments are text on one side and values on the other.
    let call =
        |arguments: &str| json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}});
    let body =
        |calls: Value| json!({"model": "m", "messages": [{"role": "assistant", "content": null, "tool_calls": calls}]});
    let half = format!("[{}]", &many[..7 * 60_000 - 1]);
    assert!(read(Dialect::OpenAi, &body(json!([call(&half)]))).is_ok());
    let refused = read(Dialect::OpenAi, &body(json!([call(&half), call(&half)]))).err();
    assert_eq!(refused.and_then(|refused| refused.param).as_deref(), Some("messages"), "too much together");
}

#[test]
fn long_conversations_with_many_tools_are_no_abuse() {
    let field = json!({"type": "string", "description": "{[\"a\", 1], : }", "enum": ["a", "b", "c"]});
    let fields: Map<String, Value> = (0..20).map(|n| (format!("field_{n}"), field.clone())).collect();
    let schema =
        json!({"type": "object", "properties": fields, "required": ["field_0"], "additionalProperties": false});
    let user = json!({"role": "user", "content": [{"type": "text", "text": "{[,:]}".repeat(1000)}]});
    let assistant = json!({"role": "assistant", "content": [{"type": "text", "text": "Yes."}]});
    let messages: Vec<Value> = (0..500).flat_map(|_| [user.clone(), assistant.clone()]).collect();
    for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
        let tool = match dialect {
            Dialect::OpenAi => json!({"type": "function", "function": {"name": "f", "parameters": schema}}),
            Dialect::Anthropic => json!({"name": "f", "input_schema": schema}),
        };
        let body = json!({"model": "m", "max_tokens": 9, "messages": messages, "tools": vec![tool; 100]});
        let chat = read(dialect, &body).expect("large and good");
        assert_eq!((chat.turns.len(), chat.tools.len()), (1000, 100));
    }
}

#[test]
fn arguments_that_are_no_object_arrive_all_the_same() {
    let with = |arguments: &str| {
        let call = Call { id: "c".into(), name: "f".into(), arguments: arguments.into() };
        anthropic::reply::write_call(&call)["input"].clone()
    };
    assert_eq!(with("{\"a\":1}"), json!({"a": 1}));
    assert_eq!(with(""), json!({}));
    assert_eq!(with("{\"a\":"), json!({"invalid_arguments": "{\"a\":"}));
}

#[test]
fn a_streamed_call_has_arguments_whatever_came_of_them() {
    let arguments = |input: Value, deltas: &[&str]| {
        let mut events = anthropic::stream::Events::default();
        let block = json!({"type": "tool_use", "id": "t", "name": "f", "input": input});
        let mut all = vec![json!({"type": "content_block_start", "index": 1, "content_block": block})];
        for part in deltas {
            let delta = json!({"type": "input_json_delta", "partial_json": part});
            all.push(json!({"type": "content_block_delta", "index": 1, "delta": delta}));
        }
        all.push(json!({"type": "content_block_stop", "index": 1}));
        all.push(json!({"type": "content_block_stop", "index": 2}));
        let pieces = all.iter().filter_map(|event| events.read(event));
        let told = pieces.filter_map(|piece| match piece {
            Piece::Arguments { call: 0, text } => Some(text),
            _ => None,
        });
        told.collect::<String>()
    };
    assert_eq!(arguments(json!({}), &[]), "{}");
    assert_eq!(arguments(json!({}), &[""]), "{}");
    assert_eq!(arguments(Value::Null, &[""]), "{}");
    assert_eq!(arguments(json!({}), &["", "{\"a\"", ":1}"]), "{\"a\":1}");
    // Servers that say all at once.
    assert_eq!(arguments(json!({"a": 1}), &[]), "{\"a\":1}");
}

fn reply() -> Reply {
    Reply {
        id: "x".into(),
        model: "m".into(),
        text: "Adding.".into(),
        calls: vec![Call { id: "t".into(), name: "add".into(), arguments: "{\"a\":2}".into() }],
        stop: Stop::Tools,
        usage: Some(Usage {
            input: 40,
            cached_input: 8,
            cache_write: 0,
            cache_write_long: 0,
            output: 20,
            reasoning: 0,
        }),
    }
}

#[test]
fn whole_answers_survive_both_ways() {
    let reply = reply();
    let message = anthropic::reply::write(&reply);
    assert_eq!(anthropic::reply::read(&message, reply.usage), reply);
    assert_eq!(message["usage"]["input_tokens"], 32);
    let completion = openai::reply::write(&reply, 7);
    assert_eq!(openai::reply::read(&completion, reply.usage), reply);
    assert_eq!((&completion["created"], &completion["usage"]["total_tokens"]), (&json!(7), &json!(60)));
}

#[test]
fn every_reason_to_stop_has_a_word_on_the_other_side() {
    for stop in [Stop::End, Stop::Length, Stop::Tools, Stop::Refusal] {
        let reply = Reply { stop, ..reply() };
        assert_eq!(openai::reply::read(&openai::reply::write(&reply, 0), None).stop, stop);
        assert_eq!(anthropic::reply::read(&anthropic::reply::write(&reply), None).stop, stop);
    }
    let other = |reason: &str| anthropic::reply::read(&json!({"stop_reason": reason}), None).stop;
    assert_eq!((other("stop_sequence"), other("pause_turn")), (Stop::End, Stop::End));
    assert_eq!(other("model_context_window_exceeded"), Stop::Length);
}

#[test]
fn errors_speak_the_clients_dialect() {
    let read = |dialect| {
        let body = error::body(dialect, 429, "rate_limit", "rate_limited", "slow down", Some("model"), "req_1");
        serde_json::from_slice::<Value>(&body).expect("JSON")
    };
    assert_eq!(
        read(Dialect::OpenAi),
        json!({"error": {"type": "rate_limit", "code": "rate_limited", "message": "slow down", "param": "model", "request_id": "req_1"}})
    );
    assert_eq!(
        read(Dialect::Anthropic),
        json!({"type": "error", "error": {"type": "rate_limit_error", "message": "model: slow down", "code": "rate_limited"}, "request_id": "req_1"})
    );
}
