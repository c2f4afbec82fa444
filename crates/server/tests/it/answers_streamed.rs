//! Answers word by word: what comes while a model speaks, what is kept of it, and what is left when the listener goes away.

use std::time::Duration;

use axum::http::Method;
use domain::models::ProviderKind;
use domain::secret::SecretText;
use serde_json::{Value, json};
use server::Installation;
use testing::upstream::{Fault, Script};
use testing::{Client, Listening, ScriptedUpstream, TestHouse, Wish};

use crate::answers::{bring, collection};

const RUNBOOK: &str = "# Station faults\n\nFault code E27 means that the battery is below 3.1 V. Replace the battery pack HR-B2. See https://help.example/e27 first.\n";
const QUESTION: &str = "What does fault code E27 mean?";

/// A house whose operator has a key at a scripted upstream.
pub(crate) async fn with_upstream(build: impl AsyncFnOnce(Wish) -> TestHouse) -> (TestHouse, ScriptedUpstream) {
    let upstream = ScriptedUpstream::start().await;
    let key = SecretText::new("operators-own-key".into()).expect("a key");
    let policy = egress::Policy { allow: vec!["127.0.0.1".parse().expect("an address")], own: Vec::new() };
    let installation = Installation::new(policy).with(ProviderKind::OpenAi, Some(&upstream.openai_url()), Some(&key));
    let wish = Wish { installation: installation.expect("a good address"), ..Wish::default() };
    (build(wish).await, upstream)
}

macro_rules! on_both {
    ($($name:ident: $run:path;)+) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (house, upstream) = super::with_upstream(testing::TestHouse::sqlite_with).await;
                $run(house, upstream).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let (house, upstream) = super::with_upstream(testing::TestHouse::postgres_with).await;
                $run(house, upstream).await;
            }
        })+
    };
}

on_both! {
    words_come_as_they_are_said_and_the_last_event_is_what_counts: super::as_they_come;
    no_image_and_no_foreign_link_goes_out_with_any_word: super::hostile_words;
    who_goes_away_ends_the_call_pays_for_what_came_and_leaves_nothing_behind: super::gone;
    a_model_that_breaks_off_leaves_nothing_in_the_conversation: super::broken_off;
    an_answer_in_events_is_given_once_to_who_repeats_the_request: super::repeated;
}

/// Somebody with a document and a conversation; the path to ask at.
async fn begun(house: &TestHouse) -> (Client, String) {
    let ann = house.sign_up("Ann").await;
    let place = collection(&ann, "project").await;
    bring(&ann, &place, "runbook.md", RUNBOOK).await;
    let thread = ann.post("/api/v1/threads", &json!({})).await.expect(201).str("/id").to_owned();
    (ann, format!("/api/v1/threads/{thread}/messages"))
}

fn question() -> Value {
    json!({ "content": QUESTION, "model": "gpt-4o-mini" })
}

async fn ask(who: &Client, path: &str) -> Listening {
    who.listen_to(Method::POST, path, Some(&question())).await
}

/// All that was said, and the last event.
async fn all(mut heard: Listening) -> (Vec<String>, String, Value) {
    let (mut deltas, mut last) = (Vec::new(), (String::new(), Value::Null));
    while let Some((name, data)) = heard.next().await {
        if name == "delta" {
            deltas.push(data["content"].as_str().expect("text").to_owned());
        }
        last = (name, data);
    }
    (deltas, last.0, last.1)
}

/// The rows of the usage log, as soon as there are so many.
async fn settled(who: &Client, count: usize) -> Vec<Value> {
    let began = std::time::Instant::now();
    loop {
        let rows = who.get("/api/v1/usage/logs").await.expect(200).json["data"].as_array().expect("rows").clone();
        if rows.len() == count {
            return rows;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{rows:?}");
        tokio::task::yield_now().await;
    }
}

async fn as_they_come(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, path) = begun(&house).await;
    let text = "The battery is below 3.1 V [1]. It costs 999 euros [1]. Replace the battery pack [1][9].";
    upstream.script("", &Script { text: text.into(), pieces: 20, gap: Duration::from_millis(5), ..Script::default() });
    let (deltas, name, message) = all(ask(&ann, &path).await).await;
    assert!(deltas.len() > 5, "{deltas:?}");
    assert_eq!(deltas.concat(), text);
    // What the passage does not say is not in the answer that counts.
    assert_eq!(
        (name.as_str(), &message["content"]),
        ("message", &json!("The battery is below 3.1 V [1]. Replace the battery pack [1]."))
    );
    assert_eq!((message["citations"].as_array().map(Vec::len), &message["unknown"]), (Some(1), &json!(false)));
    assert_eq!((&message["model"], &message["extractive"]), (&json!("scripted"), &json!(false)));
    let kept = ann.get(&path).await.expect(200);
    assert_eq!((&kept.json["data"][1], kept.json["data"].as_array().map(Vec::len)), (&message, Some(2)));
    let used = ann.get("/api/v1/usage/logs").await.expect(200);
    assert_eq!(
        (&used.json["data"][0]["id"], &used.json["data"][0]["outcome"]),
        (&message["usage"]["id"], &json!("ok"))
    );
    assert_eq!(used.json["data"][0]["cost_micros"], message["usage"]["cost_micros"]);
    assert!(message["usage"]["cost_micros"].as_i64() > Some(0), "{message}");
    // Whole it is the same.
    let whole = ann.post(&path, &question()).await.expect(201);
    assert_eq!((&whole.json["content"], &whole.json["citations"]), (&message["content"], &message["citations"]));
    // A model that knows no source for what it says has not answered.
    upstream.script("", &Script { text: "The moon is made of cheese.".into(), ..Script::default() });
    let (_, _, message) = all(ask(&ann, &path).await).await;
    assert_eq!(
        (&message["content"], &message["unknown"]),
        (&json!("I do not know from your documents."), &json!(true))
    );
}

async fn hostile_words(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, path) = begun(&house).await;
    let text = "![the pack](https://evil.example/?q=HR-B2) The battery is below 3.1 V [1]. [Read more](//evil.example/3.1) at \
        evil.example/HR-B2 <img src=\"https://evil.example/x\"> or at https://help.example/e27 [1].";
    for pieces in [1, 3, 17, 200] {
        upstream.script("", &Script { text: text.into(), pieces, gap: Duration::from_millis(1), ..Script::default() });
        let mut heard = ask(&ann, &path).await;
        let mut told = String::new();
        while let Some((name, data)) = heard.next().await {
            assert!(!data.to_string().contains("evil.example"), "{name}: {data}");
            told.push_str(data["content"].as_str().unwrap_or_default());
        }
        assert!(told.contains("https://help.example/e27") && told.contains("3.1 V"), "{told}");
        assert!(!told.contains("![") && !told.contains("<img"), "{told}");
    }
    let kept = ann.get(&path).await.expect(200).text;
    assert!(!kept.contains("evil.example"), "{kept}");
}

async fn gone(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, path) = begun(&house).await;
    let slow =
        Script { text: "battery ".repeat(400), pieces: 400, gap: Duration::from_millis(20), ..Script::default() };
    let ways = [
        ("in the middle", slow),
        ("before the head", Script::fault(Fault::Silent)),
        ("in silence", Script::fault(Fault::Stalls(1))),
    ];
    for (cancelled, (when, script)) in (1_u64..).zip(ways) {
        upstream.script("", &script);
        let mut heard = ask(&ann, &path).await;
        let last = if when == "in the middle" { "delta" } else { "found" };
        while heard.next().await.expect("it goes on").0 != last {}
        upstream.until(|served| served.calls == cancelled).await;
        let began = std::time::Instant::now();
        drop(heard);
        upstream.until(|served| served.cancelled == cancelled).await;
        assert!(began.elapsed() < Duration::from_secs(1), "{when}: {:?}", began.elapsed());
        let rows = settled(&ann, usize::try_from(cancelled).expect("few")).await;
        assert!(
            rows.iter().all(|row| row["outcome"] == "cancelled" && row["cost_micros"].as_i64() > Some(0)),
            "{when}: {rows:?}"
        );
        assert_eq!(ann.get(&path).await.expect(200).json["data"], json!([]), "{when}");
    }
    // Who waits for the whole gets it, and the next question goes as if nothing had been.
    upstream.script("", &Script { text: "The battery is low [1].".into(), ..Script::default() });
    let (_, name, _) = all(ask(&ann, &path).await).await;
    assert_eq!(name, "message");
    assert_eq!(ann.get(&path).await.expect(200).json["data"].as_array().map(Vec::len), Some(2));
}

async fn broken_off(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, path) = begun(&house).await;
    for fault in [Fault::Truncated(2), Fault::FailsAfter(2), Fault::ResetsAfter(2), Fault::Malformed(2)] {
        upstream.script("", &Script { text: "The battery is low [1].".into(), ..Script::fault(fault.clone()) });
        let (_, name, problem) = all(ask(&ann, &path).await).await;
        assert_eq!((name.as_str(), &problem["error"]["code"]), ("error", &json!("upstream_failed")), "{fault:?}");
        assert_eq!(ann.get(&path).await.expect(200).json["data"], json!([]), "{fault:?}");
    }
}

async fn repeated(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, path) = begun(&house).await;
    upstream.script("", &Script { text: "The battery is low [1].".into(), ..Script::default() });
    let once = ann.with("idempotency-key", "one");
    let (_, name, message) = all(ask(&once, &path).await).await;
    assert_eq!(name, "message");
    let again = once.post(&path, &question()).await.expect(201);
    assert_eq!((again.json, upstream.served().calls), (message, 1));
    // Nobody else hears of it, asks in it or repeats it.
    let bob = house.sign_up("Bob").await.with("idempotency-key", "one");
    bob.post(&path, &question()).await.expect(404);
    let max = house.join(&ann, "Max", "member").await;
    max.post(&path, &question()).await.expect(404);
    let thread = path.trim_end_matches("/messages");
    ann.patch(thread, &json!({ "access": "project" })).await.expect(200);
    assert_eq!(max.post(&path, &question()).await.expect(403).code(), "forbidden");
    assert_eq!(upstream.served().calls, 1);
}

on_both! {
    a_client_of_openais_asks_the_documents_by_a_models_name: super::by_a_models_name;
    who_goes_away_from_the_model_of_answers_ends_the_call: super::gone_by_a_models_name;
    the_model_of_answers_keeps_to_what_its_caller_may_see_and_spend: super::rights_of_a_model;
    the_model_of_answers_says_in_which_words_it_is_asked: super::words_of_a_model;
}

const CHAT: &str = "/v1/chat/completions";
const NAME: &str = "rowhouse/answers";

async fn key(who: &Client, body: &Value) -> Client {
    let made = who.post("/api/v1/auth/api-keys", body).await.expect(201);
    who.with_token(Some(made.str("/key")))
}

fn chat(question: &str, stream: bool) -> Value {
    let messages = json!([
        { "role": "system", "content": "Answer in rhymes." },
        { "role": "user", "content": "What is in the runbook?" },
        { "role": "assistant", "content": "Fault codes." },
        { "role": "user", "content": [{ "type": "text", "text": question }] },
    ]);
    json!({ "model": NAME, "messages": messages, "stream": stream, "stream_options": { "include_usage": true }, "temperature": 0.2 })
}

/// The text of a stream of chunks, the citations in it, and the tokens.
fn chunks(text: &str) -> (String, Value, Value) {
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    let (mut said, mut citations, mut usage) = (String::new(), Value::Null, Value::Null);
    for data in text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]") {
        let chunk: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!((&chunk["object"], &chunk["model"]), (&json!("chat.completion.chunk"), &json!(NAME)));
        let delta = &chunk["choices"][0]["delta"];
        said.push_str(delta["content"].as_str().unwrap_or_default());
        if !delta["citations"].is_null() {
            citations = delta["citations"].clone();
        }
        if !chunk["usage"].is_null() {
            usage = chunk["usage"].clone();
        }
    }
    (said, citations, usage)
}

async fn by_a_models_name(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, _) = begun(&house).await;
    let app = key(&ann, &json!({ "name": "app" })).await;
    let text = "The moon is cheese. The battery is below 3.1 V [1]. It costs 999 euros [1]. ![x](https://evil.example/1) Replace the battery pack [1].";
    upstream.script("", &Script { text: text.into(), pieces: 30, ..Script::default() });
    let listed = app.get("/v1/models").await.expect(200);
    assert!(listed.text.contains("\"rowhouse/answers\""), "{}", listed.text);
    app.get("/v1/models/rowhouse%2Fanswers").await.expect(200);
    let whole = app.post(CHAT, &chat(QUESTION, false)).await.expect(200);
    let content = whole.str("/choices/0/message/content");
    let checked = "The moon is cheese. The battery is below 3.1 V [1]. [x] Replace the battery pack [1].";
    assert!(content.ends_with("\n\n[1] Station faults"), "{content}");
    assert!(content.starts_with(checked) && !content.contains("evil.example"), "{content}");
    let citation = &whole.json["choices"][0]["message"]["citations"][0];
    assert_eq!((&citation["n"], &citation["title"]), (&json!(1), &json!("Station faults")));
    assert_eq!((whole.str("/model"), &whole.json["usage"]["total_tokens"]), (NAME, &json!(15)));
    let rows = settled(&ann, 1).await;
    assert_eq!(whole.headers["x-rowhouse-usage-id"], rows[0]["id"].as_str().expect("an id"));
    assert_eq!(whole.headers["x-rowhouse-cost-micros"], rows[0]["cost_micros"].to_string());
    let streamed = app.post(CHAT, &chat(QUESTION, true)).await.expect(200);
    let (said, citations, usage) = chunks(&streamed.text);
    // What has gone out cannot be taken back: it was checked before.
    assert_eq!((said.as_str(), &citations[0], &usage), (content, citation, &whole.json["usage"]));
    settled(&ann, 2).await;
    assert_eq!(upstream.served().calls, 2, "each is one call");
    upstream.script("", &Script { text: "The moon is made of cheese. It is round.".into(), ..Script::default() });
    let (said, citations, _) = chunks(&app.post(CHAT, &chat(QUESTION, true)).await.expect(200).text);
    assert_eq!((said.as_str(), citations), ("I do not know from your documents.", json!([])));
    // What cannot be asked for is refused in words of OpenAI's clients.
    for (more, param) in [
        (json!({ "n": 2 }), "n"),
        (json!({ "tools": [{}] }), "tools"),
        (json!({ "messages": [{ "role": "system", "content": "x" }] }), "messages"),
    ] {
        let mut body = chat(QUESTION, false);
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        assert_eq!(app.post(CHAT, &body).await.expect(400).str("/error/param"), param);
    }
    assert_eq!(
        ann.get("/api/v1/threads").await.expect(200).json["data"].as_array().map(Vec::len),
        Some(1),
        "nothing of it is kept"
    );
}

async fn gone_by_a_models_name(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, _) = begun(&house).await;
    let slow = Script {
        text: "The battery is low [1]. ".repeat(100),
        pieces: 300,
        gap: Duration::from_millis(20),
        ..Script::default()
    };
    upstream.script("", &slow);
    let body = chat(QUESTION, true);
    let heard = ann.listen_to(Method::POST, CHAT, Some(&body)).await;
    let began = std::time::Instant::now();
    drop(heard);
    upstream.until(|served| served.cancelled == 1).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let rows = settled(&ann, 1).await;
    assert_eq!((&rows[0]["outcome"], rows[0]["cost_micros"].as_i64() > Some(0)), (&json!("cancelled"), true));
}

async fn rights_of_a_model(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, _) = begun(&house).await;
    let bob = house.sign_up("Bob").await;
    upstream.script("", &Script { text: "The battery is below 3.1 V [1].".into(), ..Script::default() });
    for stream in [false, true] {
        let told = bob.post(CHAT, &chat(QUESTION, stream)).await.expect(200);
        assert!(
            told.text.contains("I do not know") && !told.text.contains("3.1") && !told.text.contains("Station"),
            "{}",
            told.text
        );
        // A key that may use models alone asks no documents, and is not told of it.
        let models = key(&ann, &json!({ "name": "models", "scopes": ["models.use"] })).await;
        assert_eq!(models.post(CHAT, &chat(QUESTION, stream)).await.expect(403).code(), "forbidden");
        assert!(!models.get("/v1/models").await.expect(200).text.contains(NAME));
        let poor = key(&ann, &json!({ "name": format!("poor {stream}"), "budget_micros": 1, "currency": "USD" })).await;
        assert_eq!(poor.post(CHAT, &chat(QUESTION, stream)).await.expect(402).code(), "budget_exceeded");
    }
    // A key of a project asks that project alone.
    house.on_plan(&ann.org, "enterprise").await;
    let project = ann.post("/api/v1/projects", &json!({ "name": "Other" })).await.expect(201).str("/id").to_owned();
    let inside = key(&ann, &json!({ "name": "inside", "project_id": project })).await;
    let told = inside.post(CHAT, &chat(QUESTION, false)).await.expect(200);
    assert_eq!(told.str("/choices/0/message/content"), "I do not know from your documents.");
    assert_eq!(upstream.served().calls, 0);
}

async fn words_of_a_model(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, _) = begun(&house).await;
    for stream in [false, true] {
        let body = json!({ "model": NAME, "input": QUESTION, "stream": stream });
        let told = ann.post("/v1/responses", &body).await.expect(400);
        assert_eq!((told.str("/error/param"), told.code()), ("model", "invalid_request"), "{}", told.text);
        assert!(told.str("/error/message").contains("/v1/chat/completions"), "{}", told.text);
        let body = json!({
            "model": NAME, "max_tokens": 100, "stream": stream, "messages": [{ "role": "user", "content": QUESTION }],
        });
        let told = ann.post("/v1/messages", &body).await.expect(400);
        assert_eq!((told.str("/type"), told.str("/error/type")), ("error", "invalid_request_error"), "{}", told.text);
        assert!(told.str("/error/message").contains("/v1/chat/completions"), "{}", told.text);
    }
    let told = ann.post("/v1/embeddings", &json!({ "model": NAME, "input": "x" })).await.expect(400);
    assert_eq!(told.str("/error/param"), "model");
    assert!(ann.get("/v1/models").await.expect(200).text.contains(NAME));
    assert_eq!(upstream.served().calls, 0);
    assert_eq!(ann.get("/api/v1/usage/logs").await.expect(200).json["data"], json!([]), "nothing was asked of anybody");
}
