//! The gateway through real sockets, against a scripted model server.

use bytes::Bytes;
use egress::{Egress, Policy};
use gateway::request::OutputLimit;
use gateway::{Answer, ClientRequest, ModelStream, Operation, Outcome, Upstream, Usage};
use testing::ScriptedUpstream;

async fn setup() -> (ScriptedUpstream, Upstream, Egress) {
    let server = ScriptedUpstream::start().await;
    let allow = vec![server.address().to_string().parse().expect("a host and port")];
    let egress = Egress::new(Policy { allow, own: Vec::new() });
    let upstream = Upstream::openai(&server.openai_url(), None, OutputLimit::MaxTokens).expect("a good URL");
    (server, upstream, egress)
}

fn chat(stream: bool) -> ClientRequest {
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}],"stream":{stream}}}"#);
    ClientRequest::read(Operation::Chat, Bytes::from(body)).expect("a good request")
}

async fn all(stream: &mut ModelStream) -> String {
    let mut text = String::new();
    let mut last = false;
    while let Some(frame) = stream.next().await {
        assert!(!last, "nothing comes after the last frame");
        last = frame.last;
        text.push_str(std::str::from_utf8(&frame.bytes).expect("text"));
    }
    assert!(last, "the last frame is marked");
    text
}

#[tokio::test]
async fn a_whole_answer_goes_through_with_its_usage() {
    let (server, upstream, egress) = setup().await;
    for _ in 0..3 {
        let prepared = upstream.prepare(&chat(false), "m", 100).expect("the same dialect");
        let Answer::Whole(whole) = upstream.send(&egress, prepared).await.expect("an answer") else {
            panic!("a stream")
        };
        assert_eq!(whole.usage, Some(Usage { input: 10, output: 5, ..Usage::default() }));
    }
    // The connection was kept.
    assert_eq!((server.served().calls, server.served().connections), (3, 1));
}

#[tokio::test]
async fn a_stream_goes_through_without_the_usage_that_nobody_asked_for() {
    let (server, upstream, egress) = setup().await;
    for _ in 0..3 {
        let prepared = upstream.prepare(&chat(true), "m", 100).expect("the same dialect");
        let Answer::Stream(mut stream) = upstream.send(&egress, prepared).await.expect("an answer") else {
            panic!("whole")
        };
        let text = all(&mut stream).await;
        assert!(text.ends_with("data: [DONE]\n\n") && !text.contains("prompt_tokens"), "{text}");
        assert_eq!(stream.usage(), Some(Usage { input: 10, output: 5, ..Usage::default() }));
        assert_eq!(stream.outcome(), Some(&Outcome::Complete));
        assert_eq!(stream.received(), 12);
    }
    assert!(server.served().connections < server.served().calls, "connections are used again");
}
