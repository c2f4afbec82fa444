//! Where client and upstream speak the same dialect.

use gateway::{Operation, Outcome, Usage};
use serde_json::json;
use testing::upstream::Script;

use crate::{World, all, chat, messages, request};

const USED: Option<Usage> =
    Some(Usage { input: 10, cached_input: 0, cache_write: 0, cache_write_long: 0, output: 5, reasoning: 0 });

#[tokio::test]
async fn whole_answers_go_through_over_one_connection() {
    let world = World::new().await;
    for _ in 0..3 {
        let whole = world.whole(&world.openai, &chat(false)).await;
        assert_eq!((whole.usage, whole.received), (USED, 12));
        let whole = world.whole(&world.anthropic, &messages(false)).await;
        assert_eq!(whole.usage, USED);
    }
    assert_eq!((world.server.served().calls, world.server.served().connections), (6, 1));
}

#[tokio::test]
async fn a_stream_goes_through_without_the_usage_that_nobody_asked_for() {
    let world = World::new().await;
    for _ in 0..4 {
        let mut stream = world.stream(&world.openai, &chat(true)).await;
        let text = all(&mut stream).await;
        assert!(text.ends_with("data: [DONE]\n\n") && !text.contains("prompt_tokens"), "{text}");
        assert_eq!((stream.usage(), stream.outcome(), stream.received()), (USED, Some(&Outcome::Complete), 12));
    }
    assert!(world.server.served().connections < 4, "connections are used again");
}

#[tokio::test]
async fn who_asks_for_usage_gets_the_bytes_of_the_upstream() {
    let world = World::new().await;
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": true, "stream_options": {"include_usage": true}});
    let text = all(&mut world.stream(&world.openai, &request(Operation::Chat, &body)).await).await;
    assert!(text.contains("\"prompt_tokens\":10") && text.ends_with("data: [DONE]\n\n"), "{text}");
}

#[tokio::test]
async fn a_stream_of_messages_goes_through() {
    let world = World::new().await;
    let mut stream = world.stream(&world.anthropic, &messages(true)).await;
    let text = all(&mut stream).await;
    assert!(
        text.starts_with("event: message_start\n") && text.ends_with("data: {\"type\":\"message_stop\"}\n\n"),
        "{text}"
    );
    assert_eq!((stream.usage(), stream.outcome(), stream.received()), (USED, Some(&Outcome::Complete), 12));
}

#[tokio::test]
async fn streams_that_come_byte_by_byte_are_the_same() {
    let world = World::new().await;
    let at_once = all(&mut world.stream(&world.openai, &chat(true)).await).await;
    world.server.script("m", &Script { gap: std::time::Duration::from_millis(1), ..Script::default() });
    assert_eq!(all(&mut world.stream(&world.openai, &chat(true)).await).await, at_once);
}

#[tokio::test]
async fn the_upstream_sees_its_model_the_bound_and_the_key() {
    let world = World::new().await;
    world.server.keep_requests();
    let body = json!({"model": "fast", "messages": [{"role": "user", "content": "x"}], "odd": [1, {"b": null}]});
    world.whole(&world.openai, &request(Operation::Chat, &body)).await;
    world.whole(&world.anthropic, &messages(false)).await;
    let [chat, message] = &world.server.asked()[..] else { panic!("two requests") };
    assert_eq!(chat.path, "/v1/chat/completions");
    assert!(chat.head.contains("authorization: Bearer sk-secret\r\n"), "{}", chat.head);
    let sent: serde_json::Value = serde_json::from_str(&chat.body).expect("JSON");
    assert_eq!(
        (&sent["model"], &sent["max_tokens"], &sent["odd"]),
        (&json!("m"), &json!(100), &json!([1, {"b": null}]))
    );
    assert_eq!(message.path, "/v1/messages");
    assert!(
        message.head.contains("x-api-key: sk-secret\r\n") && message.head.contains("anthropic-version: 2023-06-01\r\n")
    );
    assert!(!format!("{:?}", world.openai).contains("sk-secret"), "keys are never printed");
}

#[tokio::test]
async fn embeddings_go_through_in_both_encodings() {
    let world = World::new().await;
    for encoding in ["base64", "float"] {
        let body = json!({"model": "m", "input": ["a", "b"], "encoding_format": encoding});
        let whole = world.whole(&world.openai, &request(Operation::Embeddings, &body)).await;
        let answer: serde_json::Value = serde_json::from_slice(&whole.body).expect("JSON");
        assert_eq!(answer["data"].as_array().map(Vec::len), Some(2));
        assert_eq!(answer["data"][1]["embedding"].is_string(), encoding == "base64");
        assert_eq!(whole.usage, Some(Usage { input: 10, ..Usage::default() }));
    }
}
