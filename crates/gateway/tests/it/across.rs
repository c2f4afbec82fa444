//! Where client and upstream speak different dialects, and where the model is inside this program.

use gateway::providers::Embedded;
use gateway::responses::{Named, ResponsesRequest};
use gateway::{Operation, Outcome, Upstream, Usage};
use serde_json::{Value, json};
use testing::upstream::Script;

use crate::{World, all, chat, events, messages, request};

const USED: Option<Usage> =
    Some(Usage { input: 10, cached_input: 0, cache_write: 0, cache_write_long: 0, output: 5, reasoning: 0 });

fn tool() -> Script {
    Script { tool: Some(("add".into(), r#"{"a":2,"b":3}"#.into())), ..Script::default() }
}

#[tokio::test]
async fn an_openai_client_gets_an_answer_of_anthropics() {
    let world = World::new().await;
    world.server.script("m", &tool());
    let whole = world.whole(&world.anthropic, &chat(false)).await;
    let answer: Value = serde_json::from_slice(&whole.body).expect("JSON");
    assert_eq!(whole.usage, USED);
    assert_eq!((&answer["object"], &answer["usage"]["total_tokens"]), (&json!("chat.completion"), &json!(15)));
    let choice = &answer["choices"][0];
    assert_eq!(
        (&choice["message"]["content"], &choice["finish_reason"]),
        (&json!("Hello there."), &json!("tool_calls"))
    );
    assert_eq!(choice["message"]["tool_calls"][0]["function"]["arguments"], r#"{"a":2,"b":3}"#);
}

#[tokio::test]
async fn an_anthropic_client_gets_an_answer_of_openais() {
    let world = World::new().await;
    world.server.script("m", &tool());
    let whole = world.whole(&world.openai, &messages(false)).await;
    let answer: Value = serde_json::from_slice(&whole.body).expect("JSON");
    assert_eq!(whole.usage, USED);
    assert_eq!((&answer["type"], &answer["stop_reason"]), (&json!("message"), &json!("tool_use")));
    assert_eq!(answer["content"][0], json!({"type": "text", "text": "Hello there."}));
    assert_eq!(answer["content"][1]["input"], json!({"a": 2, "b": 3}));
    assert_eq!(answer["usage"]["output_tokens"], 5);
}

#[tokio::test]
async fn an_openai_client_gets_a_stream_of_anthropics() {
    let world = World::new().await;
    world.server.script("m", &tool());
    let body = json!({"model": "x", "messages": [{"role": "user", "content": "hi"}], "stream": true, "stream_options": {"include_usage": true}});
    let mut stream = world.stream(&world.anthropic, &request(Operation::Chat, &body)).await;
    let text = all(&mut stream).await;
    assert_eq!((stream.usage(), stream.outcome()), (USED, Some(&Outcome::Complete)));
    assert!(text.ends_with("data: [DONE]\n\n"));
    let events = events(&text);
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert!(events.iter().all(|event| event["id"] == "msg_1" && event["object"] == "chat.completion.chunk"));
    let said = |pointer: &str| events.iter().filter_map(|event| event.pointer(pointer)?.as_str()).collect::<String>();
    assert_eq!(said("/choices/0/delta/content"), "Hello there.");
    assert_eq!(said("/choices/0/delta/tool_calls/0/function/arguments"), r#"{"a":2,"b":3}"#);
    assert_eq!(said("/choices/0/delta/tool_calls/0/function/name"), "add");
    assert_eq!(said("/choices/0/finish_reason"), "tool_calls");
    let last = events.last().expect("events");
    assert_eq!((&last["choices"], &last["usage"]["prompt_tokens"]), (&json!([]), &json!(10)));
}

#[tokio::test]
async fn a_call_without_arguments_is_streamed_with_empty_ones() {
    let world = World::new().await;
    world.server.script("m", &Script { tool: Some(("now".into(), String::new())), ..Script::default() });
    let text = all(&mut world.stream(&world.anthropic, &chat(true)).await).await;
    let said = |event: &Value| {
        event.pointer("/choices/0/delta/tool_calls/0/function/arguments").and_then(Value::as_str).map(str::to_owned)
    };
    assert_eq!(events(&text).iter().filter_map(said).collect::<String>(), "{}");
    // And in the words of Responses.
    let asked = ResponsesRequest::read(br#"{"model":"m","input":"hi","stream":true}"#).expect("a good request");
    let mut told = asked.stream(Named { id: "0f".into(), created_at: 7 });
    let told = told.frame(text.as_bytes(), true);
    let done = events(std::str::from_utf8(&told).expect("text"));
    let done = done.iter().find(|event| event["type"] == "response.function_call_arguments.done").expect("a call");
    assert_eq!((&done["name"], &done["arguments"]), (&json!("now"), &json!("{}")));
}

#[tokio::test]
async fn an_anthropic_client_gets_a_stream_of_openais() {
    let world = World::new().await;
    world.server.script("m", &tool());
    let mut stream = world.stream(&world.openai, &messages(true)).await;
    let text = all(&mut stream).await;
    assert_eq!((stream.usage(), stream.outcome()), (USED, Some(&Outcome::Complete)));
    let events = events(&text);
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    let expected = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(kinds, expected);
    let named = text.lines().filter_map(|line| line.strip_prefix("event: "));
    assert!(named.eq(kinds.iter().copied()), "every event has its name");
    assert_eq!(events[6]["content_block"], json!({"type": "tool_use", "id": "call_1", "name": "add", "input": {}}));
    assert_eq!(events[10]["delta"]["stop_reason"], "tool_use");
    assert_eq!((&events[10]["usage"]["input_tokens"], &events[10]["usage"]["output_tokens"]), (&json!(10), &json!(5)));
}

#[tokio::test]
async fn what_cannot_be_said_costs_no_call() {
    let world = World::new().await;
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "n": 2});
    let error = world.send(&world.anthropic, &request(Operation::Chat, &body)).await.expect_err("two choices");
    assert_eq!(error.caller.param.as_deref(), Some("n"));
    let input = request(Operation::Embeddings, &json!({"model": "m", "input": "x"}));
    assert!(world.send(&world.anthropic, &input).await.is_err());
    assert!(world.send(&Upstream::embedded(Embedded::Extractive), &input).await.is_err());
    assert_eq!(world.server.served().calls, 0);
    let minilm = Upstream::embedded(Embedded::MiniLm);
    for chats in [chat(false), chat(true), messages(false)] {
        let error = world.send(&minilm, &chats).await.expect_err("it answers no chats");
        assert_eq!(error.caller.param.as_deref(), Some("model"));
    }
}

#[tokio::test]
async fn the_embedding_model_answers_as_openai_does() {
    let world = World::new().await;
    let minilm = Upstream::embedded(Embedded::MiniLm);
    let texts = json!(["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]);
    let asked = request(Operation::Embeddings, &json!({"model": "m", "input": texts}));
    let whole = world.whole(&minilm, &asked).await;
    let answer: Value = serde_json::from_slice(&whole.body).expect("JSON");
    assert_eq!((&answer["object"], &answer["model"]), (&json!("list"), &json!("rowhouse-minilm")));
    let tokens = 8 + 11 + 9;
    assert_eq!(answer["usage"], json!({"prompt_tokens": tokens, "total_tokens": tokens}));
    assert_eq!(whole.usage, Some(Usage { input: tokens, ..Usage::default() }));
    let vector = |n: usize| {
        assert_eq!((&answer["data"][n]["object"], &answer["data"][n]["index"]), (&json!("embedding"), &json!(n)));
        let numbers = answer["data"][n]["embedding"].as_array().expect("numbers").iter();
        numbers.map(|one| one.as_f64().expect("a number")).collect::<Vec<f64>>()
    };
    let cosine = |one, other| -> f64 { vector(one).iter().zip(&vector(other)).map(|(a, b)| a * b).sum() };
    assert!((cosine(0, 1) - 0.75).abs() < 0.02 && (cosine(0, 2) + 0.07).abs() < 0.03);
    // Alone, and in the other format, it is the same.
    let one = json!({"model": "m", "input": texts[0], "encoding_format": "base64", "dimensions": 384});
    let whole = world.whole(&minilm, &request(Operation::Embeddings, &one)).await;
    let answer: Value = serde_json::from_slice(&whole.body).expect("JSON");
    assert_eq!(answer["data"][0]["embedding"].as_str().map(str::len), Some(384 * 4 / 3 * 4));
    assert_eq!(world.server.served().calls, 0);
}

#[tokio::test]
async fn the_extractive_model_answers_in_every_dialect_and_form() {
    let world = World::new().await;
    let upstream = Upstream::embedded(Embedded::Extractive);
    let passage = "[1] The tower is 90 metres high.";
    for stream in [false, true] {
        let chat = json!({"model": "m", "stream": stream, "messages": [
            {"role": "system", "content": passage}, {"role": "user", "content": "How high is the tower?"}]});
        let message = json!({"model": "m", "max_tokens": 100, "stream": stream, "system": passage, "messages": [
            {"role": "user", "content": "How high is the tower?"}]});
        for request in [request(Operation::Chat, &chat), request(Operation::Messages, &message)] {
            let text = match world.send(&upstream, &request).await.expect("an answer") {
                gateway::Answer::Whole(whole) => {
                    assert!(whole.usage.is_some());
                    String::from_utf8(whole.body.to_vec()).expect("text")
                }
                gateway::Answer::Stream(mut stream) => {
                    assert!(stream.usage().is_some());
                    all(&mut stream).await
                }
            };
            assert!(text.contains("90 metres high. [1]") && text.contains("language model"), "{text}");
        }
    }
}
