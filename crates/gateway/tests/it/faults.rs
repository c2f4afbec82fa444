//! Everything that goes wrong with model servers: each ends in one clear outcome.

use std::time::Duration;

use egress::{Egress, Policy};
use gateway::error::{ErrorKind, Spent};
use gateway::providers::Timeouts;
use gateway::request::OutputLimit;
use gateway::{Answer, ClientRequest, Outcome, Upstream, UpstreamError, Usage};
use testing::upstream::{Fault, Script};

use crate::{World, all, chat, messages};

const SHORT: Timeouts = Timeouts {
    first_byte: Duration::from_millis(300),
    idle: Duration::from_millis(300),
    whole: Duration::from_secs(5),
    total: Duration::from_secs(5),
};

/// The same call in each dialect and form.
fn ways(world: &World) -> [(Upstream, ClientRequest); 4] {
    [
        (world.openai.clone(), chat(false)),
        (world.openai.clone(), chat(true)),
        (world.anthropic.clone(), messages(false)),
        (world.anthropic.clone(), messages(true)),
    ]
}

async fn refused(world: &World, upstream: &Upstream, request: &ClientRequest) -> UpstreamError {
    world.send(upstream, request).await.expect_err("no answer")
}

#[tokio::test]
async fn a_refusal_says_when_to_come_back() {
    let world = World::new().await;
    let body = r#"{"error":{"message":"slow","type":"x","code":"rate_limit_exceeded"}}"#;
    world.server.script("m", &Script::fault(Fault::Status(429, Some(3), body.into())));
    for (upstream, request) in ways(&world) {
        let error = refused(&world, &upstream, &request).await;
        assert_eq!((error.kind, error.status, error.spent), (ErrorKind::RateLimited, Some(429), Spent::Nothing));
        assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
    }
    assert_eq!(world.server.served().connections, 1, "a refusal does not cost the connection");
}

#[tokio::test]
async fn a_failure_in_plain_text_is_a_failure() {
    let world = World::new().await;
    world.server.script("m", &Script::fault(Fault::Status(500, None, "upstream exploded at 10.0.0.7".into())));
    for (upstream, request) in ways(&world) {
        let error = refused(&world, &upstream, &request).await;
        assert_eq!((error.kind, error.spent), (ErrorKind::Failed, Spent::Nothing));
        assert!(error.log.contains("exploded") && !error.caller.message.contains("10.0.0.7"));
    }
}

#[tokio::test]
async fn a_reset_may_have_cost_something() {
    let world = World::new().await;
    world.server.script("m", &Script::fault(Fault::Reset));
    for (upstream, request) in ways(&world) {
        let error = refused(&world, &upstream, &request).await;
        assert_eq!((error.kind, error.spent), (ErrorKind::Unreachable, Spent::Unknown), "{error}");
    }
}

#[tokio::test]
async fn silence_ends_in_a_timeout_and_the_call_is_cancelled() {
    let world = World::new().await;
    world.server.script("m", &Script::fault(Fault::Silent));
    let short = Timeouts { whole: Duration::from_millis(300), ..SHORT };
    for (n, (upstream, request)) in ways(&world).into_iter().enumerate() {
        let error = refused(&world, &upstream.timeouts(short), &request).await;
        assert_eq!((error.kind, error.spent), (ErrorKind::Timeout, Spent::Unknown));
        world.server.until(|served| served.cancelled == n as u64 + 1).await;
    }
}

#[tokio::test]
async fn a_stream_has_more_time_than_an_answer_that_comes_at_once() {
    let world = World::new().await;
    world.server.script("m", &Script { delay: Duration::from_millis(600), ..Script::default() });
    let long = Duration::from_secs(20);
    let timeouts = Timeouts { first_byte: long, idle: long, whole: Duration::from_millis(300), total: long };
    let upstream = world.openai.clone().timeouts(timeouts);
    assert_eq!(refused(&world, &upstream, &chat(false)).await.kind, ErrorKind::Timeout);
    let mut stream = world.stream(&upstream, &chat(true)).await;
    all(&mut stream).await;
    assert_eq!(stream.outcome(), Some(&Outcome::Complete));
    // And nothing is given up before the official clients would give it up.
    let Timeouts { first_byte, idle, whole, total } = Timeouts::default();
    assert_eq!([first_byte, idle, whole], [Duration::from_mins(10); 3]);
    assert_eq!(total, Duration::from_hours(1));
}

#[tokio::test]
async fn nobody_there_costs_nothing() {
    let world = World::new().await;
    // A port that was free a moment ago.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound");
    let egress = Egress::new(Policy { allow: vec!["127.0.0.1".parse().expect("a host")], own: Vec::new() });
    let upstream = Upstream::openai(&format!("http://{free}/v1"), None, OutputLimit::default()).expect("a good URL");
    let prepared = upstream.prepare(&chat(false), "m", 10).expect("the same dialect");
    let error = upstream.send(&egress, prepared).await.expect_err("nobody is there");
    assert_eq!((error.kind, error.spent), (ErrorKind::Unreachable, Spent::Nothing));
    // And what the operator did not allow is not tried.
    let closed = Egress::new(Policy::default());
    let prepared = world.openai.prepare(&chat(false), "m", 10).expect("the same dialect");
    let error = world.openai.send(&closed, prepared).await.expect_err("not allowed");
    assert_eq!((error.kind, error.spent), (ErrorKind::Refused, Spent::Nothing));
    assert!(!error.caller.message.contains("127.0.0.1"));
    assert_eq!(world.server.served().connections, 0);
}

#[tokio::test]
async fn a_server_that_repeats_our_key_is_not_quoted() {
    let world = World::new().await;
    let said = r#"{"error":{"message":"bad sk-secret","code":"sk"}}"#;
    let elsewhere = r#"{"error":{"message":"bad","code":"sk-secret","param":"sk-secret"}}"#;
    world.server.script("m", &Script::fault(Fault::Status(400, None, elsewhere.into())));
    let error = refused(&world, &world.openai, &chat(true)).await;
    assert!(!format!("{error:?} {error}").contains("sk-secret"), "{error:?}");
    for status in [400, 401, 500] {
        world.server.script("m", &Script::fault(Fault::Status(status, None, said.into())));
        let error = refused(&world, &world.openai, &chat(true)).await;
        assert!(!format!("{error:?} {error}").contains("sk-secret"), "{error:?}");
    }
    world.server.script("m", &Script::fault(Fault::Raw(vec![format!("data: {said}\n\n")])));
    let mut stream = world.stream(&world.openai, &chat(true)).await;
    all(&mut stream).await;
    assert_eq!(stream.outcome(), Some(&Outcome::Failed(r#"{"message":"bad ***","code":"sk"}"#.into())));
}

/// Runs a broken stream for each pair of client and upstream, and gives outcome and bytes received.
async fn broken(world: &World, fault: Fault) -> Vec<(Outcome, u64)> {
    world.server.script("m", &Script::fault(fault));
    let mut ends = Vec::new();
    for upstream in [&world.openai, &world.anthropic] {
        for (request, error) in [(chat(true), "data: {\"error\":"), (messages(true), "event: error\n")] {
            let mut stream = world.stream(&upstream.clone().timeouts(SHORT), &request).await;
            let text = all(&mut stream).await;
            assert!(text.contains(error), "clients raise this: {text}");
            assert!(!text.contains("[DONE]") && !text.contains("message_stop"), "a broken stream has no end: {text}");
            assert!(!text.contains("secret words"), "the upstream's words stay here: {text}");
            ends.push((stream.outcome().expect("it is over").clone(), stream.received()));
        }
    }
    ends
}

#[tokio::test]
async fn broken_streams_end_in_an_error_and_keep_count() {
    let world = World::new().await;
    // Four frames bring text in both dialects, and no finish reason.
    for fault in [Fault::Stalls(4), Fault::ResetsAfter(4), Fault::Truncated(4), Fault::Malformed(4), Fault::Endless(4)]
    {
        for (outcome, received) in broken(&world, fault.clone()).await {
            assert!(matches!(outcome, Outcome::Broken(_)), "{fault:?}: {outcome:?}");
            assert!(received >= 4, "{fault:?}: {received}");
        }
    }
    for (outcome, received) in broken(&world, Fault::FailsAfter(4)).await {
        assert!(matches!(&outcome, Outcome::Failed(log) if log.contains("secret words")), "{outcome:?}");
        assert!(received >= 4, "{received}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_the_call_at_once() {
    let world = World::new().await;
    world.server.script("m", &Script::fault(Fault::Stalls(3)));
    for (n, (upstream, request)) in
        [(&world.openai, chat(true)), (&world.anthropic, messages(true)), (&world.openai, messages(true))]
            .into_iter()
            .enumerate()
    {
        let mut stream = world.stream(upstream, &request).await;
        assert!(stream.next().await.is_some_and(|frame| !frame.last));
        let began = std::time::Instant::now();
        drop(stream);
        world.server.until(|served| served.cancelled == n as u64 + 1).await;
        assert!(began.elapsed() < Duration::from_secs(1), "upstream learns of it within a second");
    }
    // Before the head of the answer too.
    world.server.script("m", &Script::fault(Fault::Silent));
    let before = world.server.served().calls;
    let request = chat(false);
    tokio::select! {
        answer = world.send(&world.openai, &request) => panic!("{answer:?}"),
        _ = world.server.until(|served| served.calls > before) => {}
    }
    world.server.until(|served| served.cancelled == 4).await;
}

#[tokio::test]
async fn an_answer_without_usage_says_how_much_came() {
    let world = World::new().await;
    world.server.script("m", &Script { usage: None, ..Script::default() });
    for (upstream, request) in ways(&world) {
        let (usage, received) = match world.send(&upstream, &request).await.expect("an answer") {
            Answer::Whole(whole) => (whole.usage, whole.received),
            Answer::Stream(mut stream) => {
                all(&mut stream).await;
                assert_eq!(stream.outcome(), Some(&Outcome::Complete));
                (stream.usage(), stream.received())
            }
        };
        assert_eq!(usage, None);
        assert!((12..=14).contains(&received), "{received}");
    }
}

#[tokio::test]
async fn a_bill_above_the_bound_is_reported_as_it_is() {
    let world = World::new().await;
    world.server.script("m", &Script::usage(1_000_000, 2_000_000));
    for (upstream, request) in ways(&world) {
        let usage = match world.send(&upstream, &request).await.expect("an answer") {
            Answer::Whole(whole) => whole.usage,
            Answer::Stream(mut stream) => {
                all(&mut stream).await;
                stream.usage()
            }
        };
        assert_eq!(usage, Some(Usage { input: 1_000_000, output: 2_000_000, ..Usage::default() }));
        assert!(request.input_bound(50_000) < 1_000_000);
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    let world = World::new().await;
    for (kind, body) in [
        ("text/html", "<html>"),
        ("application/json", "{}"),
        ("application/json", r#"{"error":{"message":"no"}}"#),
        ("application/json", "[1"),
    ] {
        world.server.script("m", &Script::fault(Fault::Body(kind.into(), body.into())));
        for request in [chat(false), messages(false)] {
            for upstream in [&world.openai, &world.anthropic] {
                let error = refused(&world, upstream, &request).await;
                assert_eq!((error.kind, error.spent), (ErrorKind::Failed, Spent::Unknown), "{body}");
            }
        }
    }
    world.server.script("m", &Script::fault(Fault::Body("application/json".into(), r#"{"choices":[]}"#.into())));
    assert_eq!(refused(&world, &world.openai, &chat(true)).await.kind, ErrorKind::Failed);
    world.server.script("m", &Script::fault(Fault::Body("text/event-stream".into(), "data: x\n\n".into())));
    assert_eq!(refused(&world, &world.openai, &chat(false)).await.kind, ErrorKind::Failed);
}

#[tokio::test]
async fn an_answer_of_very_many_values_goes_through_but_is_not_translated() {
    let world = World::new().await;
    // A megabyte that would take a hundred.
    let many = vec!["{\"\":0}"; 150_000].join(",");
    let completion = |message: &str, more: &str| {
        format!(r#"{{"id":"c","choices":[{{"index":0,"message":{message},"finish_reason":"tool_calls"}}]{more}}}"#)
    };
    let said = completion(r#"{"role":"assistant","content":"hi"}"#, &format!(r#","x":[{many}]"#));
    // Arguments are text there, and values here.
    let arguments = format!("[{many}]").replace('"', "\\\"");
    let call = format!(r#"{{"id":"t","type":"function","function":{{"name":"f","arguments":"{arguments}"}}}}"#);
    let called = completion(&format!(r#"{{"role":"assistant","content":null,"tool_calls":[{call}]}}"#), "");
    let message = format!(
        r#"{{"id":"m","type":"message","content":[{{"type":"text","text":"hi"}}],"stop_reason":"end_turn","x":[{many}]}}"#
    );
    for (upstream, body, own, other) in [
        (&world.openai, said, chat(false), messages(false)),
        (&world.openai, called, chat(false), messages(false)),
        (&world.anthropic, message, messages(false), chat(false)),
    ] {
        world.server.script("m", &Script::fault(Fault::Body("application/json".into(), body.clone())));
        assert!(world.whole(upstream, &own).await.body == body, "the bytes that came");
        let error = refused(&world, upstream, &other).await;
        assert_eq!((error.kind, error.spent), (ErrorKind::Failed, Spent::Unknown));
        assert!(error.log.contains("200000"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_refused() {
    let world = World::new().await;
    world.server.script("m", &Script::fault(Fault::Body("application/json".into(), "x".repeat((32 << 20) + 1))));
    let error = refused(&world, &world.openai, &chat(false)).await;
    assert_eq!((error.kind, error.spent), (ErrorKind::Failed, Spent::Unknown));
}
