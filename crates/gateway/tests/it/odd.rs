//! Servers that are almost compatible: their answers are taken, and clients get proper ones.

use gateway::{Outcome, Usage};
use serde_json::{Value, json};
use testing::upstream::{Fault, Script};

use crate::{World, all, chat, events};

fn frame(choice: &Value) -> String {
    format!(
        "data: {}\n\n",
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})
    )
}

fn delta(delta: &Value, reason: Option<&str>) -> String {
    frame(&json!({"index": 0, "delta": delta, "finish_reason": reason}))
}

async fn stream(frames: Vec<String>) -> (String, Option<Outcome>, Option<Usage>) {
    let world = World::new().await;
    world.server.script("m", &Script::fault(Fault::Raw(frames)));
    let mut stream = world.stream(&world.openai, &chat(true)).await;
    let text = all(&mut stream).await;
    (text, stream.outcome().cloned(), stream.usage())
}

#[tokio::test]
async fn a_stream_without_done_gets_one() {
    let (text, outcome, _) =
        stream(vec![delta(&json!({"content": "hi"}), None), delta(&json!({}), Some("stop"))]).await;
    assert!(text.ends_with("data: [DONE]\n\n"));
    assert_eq!(outcome, Some(Outcome::Complete));
}

#[tokio::test]
async fn a_last_event_without_its_blank_line_counts() {
    let end = delta(&json!({}), Some("stop"));
    let (text, outcome, _) = stream(vec![delta(&json!({"content": "hi"}), None), end, "data: [DONE]".into()]).await;
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!(outcome, Some(Outcome::Complete));
}

#[tokio::test]
async fn done_without_a_finish_reason_is_a_broken_stream() {
    let (text, outcome, _) = stream(vec![delta(&json!({"content": "hi"}), None), "data: [DONE]\n\n".into()]).await;
    assert!(matches!(outcome, Some(Outcome::Broken(_))) && !text.contains("[DONE]"), "{text}");
}

#[tokio::test]
async fn calls_of_tools_are_numbered_named_and_written_as_text() {
    // Whole in one chunk, without index, with an object for arguments, empty ids, and `stop` at the end.
    let call = |name: &str| json!({"id": "", "type": "function", "function": {"name": name, "arguments": {"a": 2}}});
    let (text, outcome, _) = stream(vec![
        delta(&json!({"role": "assistant", "content": null, "tool_calls": [call("add")]}), None),
        delta(&json!({"tool_calls": [call("sub")]}), None),
        delta(&json!({}), Some("stop")),
        "data: [DONE]\n\n".into(),
    ])
    .await;
    assert_eq!(outcome, Some(Outcome::Complete));
    let events = events(&text);
    let calls: Vec<&Value> = events.iter().map(|event| &event["choices"][0]["delta"]["tool_calls"][0]).collect();
    assert_eq!((&calls[0]["index"], &calls[1]["index"]), (&json!(0), &json!(1)));
    assert!(calls[0]["id"] != calls[1]["id"] && calls[0]["id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(calls[0]["function"]["arguments"], "{\"a\":2}");
    assert_eq!(events[2]["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn calls_that_share_the_index_zero_are_told_apart_by_their_ids() {
    let begin = |id: &str| json!({"tool_calls": [{"index": 0, "id": id, "type": "function", "function": {"name": "f", "arguments": ""}}]});
    let more = json!({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]});
    let (text, ..) = stream(vec![
        delta(&begin("a"), None),
        delta(&more, None),
        delta(&begin("b"), None),
        delta(&more, None),
        delta(&json!({}), Some("tool_calls")),
        "data: [DONE]\n\n".into(),
    ])
    .await;
    let indexes: Vec<Value> =
        events(&text)[..4].iter().map(|event| event["choices"][0]["delta"]["tool_calls"][0]["index"].clone()).collect();
    assert_eq!(indexes, [json!(0), json!(0), json!(1), json!(1)]);
}

#[tokio::test]
async fn proper_calls_of_tools_go_through_untouched() {
    let world = World::new().await;
    let script = Script { tool: Some(("add".into(), r#"{"a":2}"#.into())), ..Script::default() };
    world.server.script("m", &script);
    let text = all(&mut world.stream(&world.openai, &chat(true)).await).await;
    // serde would have sorted the keys otherwise, but the server's own order is alphabetical too: compare whole frames.
    assert!(events(&text).iter().all(|event| event["object"] == "chat.completion.chunk"));
    let arguments: String = events(&text)
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str())
        .collect();
    assert_eq!(arguments, r#"{"a":2}"#);
}

#[tokio::test]
async fn usage_is_found_wherever_it_stands() {
    let with_choice = json!({"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, "completion_tokens": 1}});
    let (text, _, usage) = stream(vec![format!("data: {with_choice}\n\n"), "data: [DONE]\n\n".into()]).await;
    assert_eq!(usage, Some(Usage { input: 3, output: 1, ..Usage::default() }));
    assert!(text.contains("\"hi\""), "content beside usage is not lost");
}

#[tokio::test]
async fn comments_and_carriage_returns_do_no_harm() {
    let frames = vec![
        ": ping\r\n\r\n".to_owned(),
        delta(&json!({"content": "hi"}), None).replace('\n', "\r\n"),
        "\n\n".to_owned(),
        delta(&json!({}), Some("stop")),
        "data:[DONE]\n\n".to_owned(),
    ];
    let (text, outcome, _) = stream(frames).await;
    assert_eq!(outcome, Some(Outcome::Complete));
    assert!(text.contains("\"hi\""));
}

#[tokio::test]
async fn whole_answers_are_mended_too() {
    let world = World::new().await;
    let call = json!({"id": "", "function": {"name": "add", "arguments": {"a": 2}}});
    let body = json!({"id": "x", "choices": [{"message": {"role": "assistant", "content": null, "tool_calls": [call]}, "finish_reason": "stop"}]});
    world.server.script("m", &Script::fault(Fault::Body("application/json".into(), body.to_string())));
    let whole = world.whole(&world.openai, &chat(false)).await;
    let answer: Value = serde_json::from_slice(&whole.body).expect("JSON");
    let choice = &answer["choices"][0];
    assert_eq!((&choice["index"], &choice["finish_reason"]), (&json!(0), &json!("tool_calls")));
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!((&call["id"], &call["type"]), (&json!("call_0_0"), &json!("function")));
    assert_eq!(call["function"]["arguments"], "{\"a\":2}");
}
