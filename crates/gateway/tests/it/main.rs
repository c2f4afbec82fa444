//! The gateway through real sockets, against a scripted model server.

mod across;
mod faults;
mod odd;
mod through;

use bytes::Bytes;
use egress::{Egress, Policy};
use gateway::providers::Timeouts;
use gateway::request::OutputLimit;
use gateway::{Answer, ClientRequest, ModelStream, Operation, Upstream, UpstreamError};
use std::time::Duration;
use testing::ScriptedUpstream;

/// A scripted server with an upstream of each dialect that leads to it.
struct World {
    server: ScriptedUpstream,
    egress: Egress,
    openai: Upstream,
    anthropic: Upstream,
}

impl World {
    async fn new() -> Self {
        let server = ScriptedUpstream::start().await;
        let allow = vec![server.address().to_string().parse().expect("a host and port")];
        let egress = Egress::new(Policy { allow, own: Vec::new() });
        let key = domain::secret::SecretText::new("sk-secret".into()).expect("a short text");
        let openai = Upstream::openai(&server.openai_url(), Some(&key), OutputLimit::MaxTokens).expect("a good URL");
        let anthropic = Upstream::anthropic(&server.anthropic_url(), Some(&key), "2023-06-01").expect("a good URL");
        // Long enough for a loaded machine, where no test waits for it.
        let timeouts = Timeouts {
            first_byte: Duration::from_secs(5),
            idle: Duration::from_secs(5),
            whole: Duration::from_secs(20),
            total: Duration::from_secs(20),
        };
        Self { server, egress, openai: openai.timeouts(timeouts), anthropic: anthropic.timeouts(timeouts) }
    }

    async fn send(&self, upstream: &Upstream, request: &ClientRequest) -> Result<Answer, UpstreamError> {
        upstream.send(&self.egress, upstream.prepare(request, "m", 100)?).await
    }

    async fn stream(&self, upstream: &Upstream, request: &ClientRequest) -> ModelStream {
        match self.send(upstream, request).await.expect("an answer") {
            Answer::Stream(stream) => stream,
            Answer::Whole(whole) => panic!("{whole:?}"),
        }
    }

    async fn whole(&self, upstream: &Upstream, request: &ClientRequest) -> gateway::providers::Whole {
        match self.send(upstream, request).await.expect("an answer") {
            Answer::Whole(whole) => whole,
            Answer::Stream(stream) => panic!("{stream:?}"),
        }
    }
}

fn request(operation: Operation, body: &serde_json::Value) -> ClientRequest {
    ClientRequest::read(operation, Bytes::from(body.to_string())).expect("a good request")
}

fn chat(stream: bool) -> ClientRequest {
    let messages = serde_json::json!([{"role": "user", "content": "hi"}]);
    request(Operation::Chat, &serde_json::json!({"model": "m", "messages": messages, "stream": stream}))
}

fn messages(stream: bool) -> ClientRequest {
    let messages = serde_json::json!([{"role": "user", "content": "hi"}]);
    let body = serde_json::json!({"model": "m", "max_tokens": 50, "messages": messages, "stream": stream});
    request(Operation::Messages, &body)
}

/// All of a stream, whose last frame must be marked as such.
async fn all(stream: &mut ModelStream) -> String {
    let mut text = String::new();
    let mut last = false;
    while let Some(frame) = stream.next().await {
        assert!(!last, "nothing comes after the last frame");
        assert!(!frame.bytes.is_empty(), "no frame is empty");
        last = frame.last;
        assert_eq!(last, stream.outcome().is_some() && last, "the outcome is known before the last frame goes out");
        text.push_str(std::str::from_utf8(&frame.bytes).expect("text"));
    }
    assert!(last, "the last frame is marked");
    text
}

/// The JSON of each event.
fn events(text: &str) -> Vec<serde_json::Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}
