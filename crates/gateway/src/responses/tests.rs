use serde_json::{Value, json};

use super::*;

fn read(body: &Value) -> Result<ResponsesRequest, RequestError> {
    ResponsesRequest::read(body.to_string().as_bytes())
}

fn chat(body: &Value) -> Value {
    serde_json::from_slice(&read(body).expect("a good request").chat()).expect("JSON")
}

fn refused(body: &Value) -> String {
    read(body).expect_err("a bad request").param.unwrap_or_default()
}

fn named() -> Named {
    Named { id: "0f".into(), created_at: 7 }
}

fn with(name: &str, value: Value) -> Value {
    let mut body = json!({ "model": "m", "input": "Hello?" });
    body[name] = value;
    body
}

/// The events of a stream that comes in these frames.
fn events(request: &Value, frames: &[&str]) -> Vec<Value> {
    let mut stream = read(request).expect("a good request").stream(named());
    let last = frames.len() - 1;
    let told = frames.iter().enumerate().map(|(n, frame)| stream.frame(frame.as_bytes(), n == last));
    let text: String = told.map(|bytes| String::from_utf8(bytes.to_vec()).expect("text")).collect();
    let read = |event: &str| {
        let (name, data) = event.split_once('\n').expect("two lines");
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    };
    text.split_terminator("\n\n").map(read).collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("a type")).collect()
}

#[test]
fn a_text_becomes_a_message_and_settings_get_their_names() {
    let body = json!({
        "model": "m", "instructions": "Be brief.", "input": "2+3?", "max_output_tokens": 9, "temperature": 0.5, "top_p": 0.9,
        "stream": true, "store": false, "metadata": { "a": "b" }, "reasoning": { "effort": "low" },
        "text": { "format": { "type": "json_schema", "name": "n", "schema": { "type": "object" }, "strict": true }, "verbosity": "low" },
        "tools": [{ "type": "function", "name": "add", "description": "adds", "parameters": { "type": "object" }, "strict": true }],
        "tool_choice": { "type": "function", "name": "add" }, "parallel_tool_calls": false,
        "previous_response_id": null, "background": false, "include": [], "truncation": "disabled",
    });
    assert_eq!(
        chat(&body),
        json!({
            "model": "m",
            "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "2+3?" }],
            "max_completion_tokens": 9, "temperature": 0.5, "top_p": 0.9,
            "stream": true, "stream_options": { "include_usage": true },
            "reasoning_effort": "low", "verbosity": "low",
            "response_format": {
                "type": "json_schema", "json_schema": { "name": "n", "schema": { "type": "object" }, "strict": true },
            },
            "tools": [{
                "type": "function",
                "function": { "name": "add", "description": "adds", "parameters": { "type": "object" }, "strict": true },
            }],
            "tool_choice": { "type": "function", "function": { "name": "add" } }, "parallel_tool_calls": false,
        })
    );
}

#[test]
fn items_become_messages_with_the_calls_that_belong_together() {
    let body = with(
        "input",
        json!([
            { "role": "developer", "content": "Be brief." },
            { "type": "message", "role": "user", "content": [
                { "type": "input_text", "text": "What " }, { "type": "input_text", "text": "is it?" },
            ] },
            { "role": "user", "content": [
                { "type": "input_text", "text": "This:" },
                { "type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low" },
            ] },
            { "type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [
                { "type": "output_text", "text": "Let me see.", "annotations": [] },
            ] },
            { "type": "function_call", "id": "fc_1", "call_id": "c1", "name": "look", "arguments": "{}", "status": "completed" },
            { "type": "function_call", "call_id": "c2", "name": "look", "arguments": "{\"a\":1}" },
            { "type": "function_call_output", "call_id": "c1", "output": "a cat" },
            { "type": "function_call_output", "call_id": "c2", "output": [{ "type": "input_text", "text": "a dog" }] },
            { "type": "function_call", "call_id": "c3", "name": "look", "arguments": "{}" },
        ]),
    );
    let call = |id: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": "look", "arguments": arguments } });
    assert_eq!(
        chat(&body)["messages"],
        json!([
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "What is it?" },
            { "role": "user", "content": [
                { "type": "text", "text": "This:" },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,AA", "detail": "low" } },
            ] },
            { "role": "assistant", "content": "Let me see.", "tool_calls": [call("c1", "{}"), call("c2", "{\"a\":1}")] },
            { "role": "tool", "tool_call_id": "c1", "content": "a cat" },
            { "role": "tool", "tool_call_id": "c2", "content": "a dog" },
            { "role": "assistant", "content": null, "tool_calls": [call("c3", "{}")] },
        ])
    );
}

#[test]
fn what_is_outside_of_the_subset_is_refused_by_name() {
    for (name, value) in [
        ("store", json!(true)),
        ("background", json!(true)),
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!("conv_1")),
        ("prompt", json!({ "id": "pmpt_1" })),
        ("max_tool_calls", json!(3)),
        ("include", json!(["reasoning.encrypted_content"])),
        ("top_logprobs", json!(3)),
        ("truncation", json!("auto")),
        ("max_output_tokens", json!(0)),
        ("stream", json!("yes")),
        ("instructions", json!([])),
        ("input", json!([])),
        ("input", json!(7)),
        ("metadata", json!("x")),
        ("tool_choice", json!({ "type": "web_search" })),
        ("surely_unknown", json!(1)),
    ] {
        let mut body = with(name, value);
        if name == "tool_choice" {
            body["tools"] = json!([{ "type": "function", "name": "f" }]);
        }
        assert_eq!(refused(&body), name);
    }
    assert_eq!(refused(&json!({ "model": "m" })), "input");
    assert_eq!(refused(&with("tools", json!([{ "type": "web_search" }]))), "tools[0].type");
    assert_eq!(refused(&with("text", json!({ "format": { "type": "grammar" } }))), "text.format.type");
    assert_eq!(refused(&with("reasoning", json!({ "summary": "auto" }))), "reasoning.summary");
    let item = |item: Value| refused(&with("input", json!([item])));
    assert_eq!(item(json!({ "type": "item_reference", "id": "msg_1" })), "input[0].type");
    assert_eq!(item(json!({ "type": "reasoning", "summary": [] })), "input[0].type");
    assert_eq!(item(json!({ "role": "tool", "content": "x" })), "input[0].role");
    let part = |part: Value| item(json!({ "role": "user", "content": [part] }));
    assert_eq!(part(json!({ "type": "input_file", "file_id": "f" })), "input[0].content[0].type");
    assert_eq!(part(json!({ "type": "input_image", "file_id": "f" })), "input[0].content[0].file_id");
    for wrong in ["", "[]", "null", "{"] {
        assert!(ResponsesRequest::read(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_body_of_very_many_values_is_refused_and_a_long_conversation_is_not() {
    // A megabyte that would take a hundred.
    let many = vec!["{\"\":0}"; 150_000].join(",");
    let refused = |body: String| ResponsesRequest::read(body.as_bytes()).expect_err("too much");
    for name in ["x", "metadata", "tools"] {
        let refused = refused(format!(r#"{{"model":"m","input":"x","{name}":[{many}]}}"#));
        assert!(refused.param.is_none() && refused.message.contains("200000"), "{refused:?}");
    }
    let completion = format!(r#"{{"choices":[{{"message":{{"content":"x"}},"finish_reason":"stop"}}],"x":[{many}]}}"#);
    let request = read(&with("stream", json!(false))).expect("a good request");
    assert!(request.whole(&named(), completion.as_bytes()).is_none());
    let field = json!({ "type": "string", "description": "{[,:]}", "enum": ["a", "b", "c"] });
    let fields: Map<String, Value> = (0..20).map(|n| (format!("field_{n}"), field.clone())).collect();
    let tool = json!({ "type": "function", "name": "f", "parameters": { "type": "object", "properties": fields } });
    let item = json!({ "role": "user", "content": [{ "type": "input_text", "text": "{[,:]}".repeat(1000) }] });
    let body = json!({ "model": "m", "input": vec![item; 1000], "tools": vec![tool; 100] });
    let chat = chat(&body);
    let length = |name: &str| chat[name].as_array().map(Vec::len);
    assert_eq!((length("messages"), length("tools")), (Some(1000), Some(100)));
}

#[test]
fn a_completion_becomes_a_response() {
    let completion = json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m-1",
        "choices": [{ "index": 0, "finish_reason": "tool_calls", "message": { "role": "assistant", "content": "Let me see.",
            "tool_calls": [{ "id": "c1", "type": "function", "function": { "name": "look", "arguments": "{}" } }] } }],
        "usage": { "prompt_tokens": 4, "completion_tokens": 3, "prompt_tokens_details": { "cached_tokens": 1 } },
    });
    let request = read(&with("metadata", json!({ "a": "b" }))).expect("a good request");
    let written = request.whole(&named(), completion.to_string().as_bytes()).expect("a response");
    let written: Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!(
        (&written["id"], &written["object"], &written["status"]),
        (&json!("resp_0f"), &json!("response"), &json!("completed"))
    );
    assert_eq!(
        (&written["store"], &written["metadata"], &written["created_at"]),
        (&json!(false), &json!({ "a": "b" }), &json!(7))
    );
    assert_eq!(
        written["output"],
        json!([
            { "id": "msg_0f00", "type": "message", "status": "completed", "role": "assistant",
              "content": [{ "type": "output_text", "text": "Let me see.", "annotations": [], "logprobs": [] }] },
            { "id": "fc_0f01", "type": "function_call", "status": "completed", "call_id": "c1", "name": "look", "arguments": "{}" },
        ])
    );
    assert_eq!(
        written["usage"],
        json!({
            "input_tokens": 4, "input_tokens_details": { "cached_tokens": 1 }, "output_tokens": 3,
            "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 7,
        })
    );
    let mut short = completion.clone();
    short["choices"][0]["finish_reason"] = "length".into();
    let written = request.whole(&named(), short.to_string().as_bytes()).expect("a response");
    let written: Value = serde_json::from_slice(&written).expect("JSON");
    assert_eq!(
        (&written["status"], &written["incomplete_details"]["reason"]),
        (&json!("incomplete"), &json!("max_output_tokens"))
    );
    for none in ["", "{}", "[1]", r#"{"choices":[]}"#] {
        assert!(request.whole(&named(), none.as_bytes()).is_none(), "{none}");
    }
}

const START: &str = "data: {\"id\":\"c\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const HEL: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n";
const LO: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[test]
fn a_stream_of_text_is_told_by_the_documented_events() {
    let events = events(&with("stream", json!(true)), &[START, &format!("{HEL}{LO}"), STOP, DONE]);
    assert_eq!(
        kinds(&events),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let numbers: Vec<_> = events.iter().map(|event| event["sequence_number"].as_u64()).collect();
    assert_eq!(numbers, (0..10).map(Some).collect::<Vec<_>>());
    assert_eq!(
        (&events[0]["response"]["status"], &events[0]["response"]["model"]),
        (&json!("in_progress"), &json!("m-1"))
    );
    assert_eq!((&events[4]["delta"], &events[6]["text"]), (&json!("Hel"), &json!("Hello")));
    let last = &events[9]["response"];
    assert_eq!(
        (&last["output"][0]["content"][0]["text"], &last["usage"]["total_tokens"]),
        (&json!("Hello"), &json!(6))
    );
    assert_eq!(last["output"][0], events[8]["item"]);
}

#[test]
fn calls_are_items_of_their_own() {
    let piece =
        |delta: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{delta}]}}}}]}}\n\n");
    let frames = [
        format!("{START}{HEL}"),
        piece(r#"{"index":0,"id":"c1","type":"function","function":{"name":"look","arguments":""}}"#),
        piece(r#"{"index":0,"function":{"arguments":"{\"a\":"}}"#),
        piece(r#"{"index":1,"id":"c2","type":"function","function":{"name":"see","arguments":"{}"}}"#),
        // Late, and yet for the first.
        piece(r#"{"index":0,"function":{"arguments":"1}"}}"#),
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n".into(),
        DONE.into(),
    ];
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    let events = events(&with("stream", json!(true)), &frames);
    let closed: Vec<&Value> = events.iter().filter(|event| event["type"] == "response.output_item.done").collect();
    let at: Vec<_> = closed.iter().map(|event| event["output_index"].as_u64()).collect();
    assert_eq!(at, [Some(0), Some(1), Some(2)]);
    assert_eq!((&closed[1]["item"]["call_id"], &closed[1]["item"]["arguments"]), (&json!("c1"), &json!("{\"a\":1}")));
    assert_eq!((&closed[2]["item"]["name"], &closed[2]["item"]["arguments"]), (&json!("see"), &json!("{}")));
    let done = events.iter().filter(|event| event["type"] == "response.function_call_arguments.done").count();
    assert_eq!((done, &events.last().expect("an end")["response"]["status"]), (2, &json!("completed")));
}

#[test]
fn a_stream_that_does_not_end_fails_and_what_is_kept_of_it_is_bounded() {
    let delta = |delta: Value| format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta }] }));
    let call = |n: usize| json!({ "index": n, "id": format!("c{n}"), "function": { "name": "f", "arguments": "" } });
    let escaped = delta(json!({ "content": "\u{1}".repeat(1 << 18) }));
    let calls: Vec<String> = (0..2000).map(|n| delta(json!({ "tool_calls": [call(n)] }))).collect();
    for (frames, fit) in [
        (vec![delta(json!({ "content": "x".repeat(1 << 20) })); 20], 8),
        // As JSON it is six times as long.
        (vec![escaped; 20], 5),
        (calls, 1023),
    ] {
        let mut stream = read(&with("stream", json!(true))).expect("a good request").stream(named());
        let mut told = frames.iter().map(|frame| stream.frame(frame.as_bytes(), false));
        assert!(told.by_ref().take(fit).all(|told| !told.is_empty()));
        let end = told.next().expect("one more frame");
        assert!(end.len() < 5 * (8 << 20), "{}", end.len());
        let end = std::str::from_utf8(&end).expect("text").trim_end();
        let last = end.rsplit_once("\n\n").expect("several events").1;
        let last = last.strip_prefix("event: response.failed\ndata: ").expect("a failure");
        let last: Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(last["response"]["error"]["message"], "the answer is larger than 8 MiB");
        assert!(told.all(|told| told.is_empty()), "nothing comes after the end");
        assert!(stream.is_over() && stream.frame(DONE.as_bytes(), true).is_empty());
    }
}

#[test]
fn a_stream_that_breaks_off_fails_and_one_that_runs_out_of_room_is_incomplete() {
    let request = with("stream", json!(true));
    let error = "data: {\"error\":{\"message\":\"it failed\"}}\n\n";
    let broken = events(&request, &[START, HEL, error]);
    let last = broken.last().expect("an end");
    assert_eq!(
        (&last["type"], &last["response"]["error"]["message"]),
        (&json!("response.failed"), &json!("it failed"))
    );
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    let early = events(&request, &[error]);
    assert_eq!(kinds(&early), ["response.created", "response.in_progress", "response.failed"]);
    let short = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    let short = events(&request, &[START, HEL, short, DONE]);
    let last = short.last().expect("an end");
    assert_eq!((&last["type"], &last["response"]["status"]), (&json!("response.incomplete"), &json!("incomplete")));
    let none = events(&request, &[START, STOP, DONE]);
    assert_eq!(none.last().expect("an end")["response"]["output"][0]["content"][0]["text"], "");
}
