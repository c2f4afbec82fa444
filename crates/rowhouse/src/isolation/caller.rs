//! Who calls the server in a check: a client that looks at every answer, whatever its status.

use std::time::Duration;

use egress::{Allowed, Egress, Endpoint, Limits, Policy, Request};
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::{Outcome, because};

/// A check asks for little and waits for little.
const LIMITS: Limits = Limits {
    head: Duration::from_secs(15),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(20),
    size: 8 << 20,
};
/// How long a stream of events is listened to.
const LISTENING: Duration = Duration::from_millis(200);
/// The name under which all requests go, so that two answers can be compared byte for byte.
const REQUEST_ID: &str = "isolation-verify";

/// A client of the server, perhaps signed in, perhaps with an organisation that it selects.
#[derive(Clone)]
pub(super) struct Caller {
    egress: Egress,
    base: Endpoint,
    headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Without those that tell the time or count.
    headers: Vec<(String, String)>,
    pub(super) text: String,
}

impl Answer {
    /// Its body as JSON; null when it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The status, and what was said of an error.
    pub(super) fn told(&self) -> String {
        let error = &self.json()["error"];
        let parts = ["code", "param", "message"].iter().filter_map(|name| error[*name].as_str());
        parts.fold(self.status.to_string(), |told, part| format!("{told} {part}"))
    }
}

/// The body of a request.
pub(super) enum Content<'a> {
    Nothing,
    Json(&'a Value),
    /// A form with one file.
    File(&'a str),
}

impl Caller {
    /// Somebody who has not signed in. Whoever runs the check says which server it is, wherever that may be.
    pub(super) fn new(url: &str) -> Outcome<Self> {
        let base = Endpoint::new(url).map_err(|error| because(format!("--url {error}")))?;
        let host: Allowed = base.host().parse().map_err(because)?;
        let egress = Egress::new(Policy { allow: vec![host], own: Vec::new() });
        Ok(Self { egress, base, headers: vec![("x-request-id", REQUEST_ID.to_owned())] })
    }

    /// The same with a header more, or another value for it.
    pub(super) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut caller = self.without(name);
        caller.headers.push((name, value.to_owned()));
        caller
    }

    /// The same without a header.
    pub(super) fn without(&self, name: &str) -> Self {
        let mut caller = self.clone();
        caller.headers.retain(|(known, _)| *known != name);
        caller
    }

    pub(super) fn with_token(&self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn in_org(&self, org: &str) -> Self {
        self.with("x-rowhouse-org", org)
    }

    pub(super) async fn get(&self, path: &str) -> Outcome<Answer> {
        self.send(&Method::GET, path, &Content::Nothing).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Outcome<Answer> {
        self.send(&Method::POST, path, &Content::Json(body)).await
    }

    /// As [`Self::send`], for a step without which the check cannot go on: what the server gives.
    pub(super) async fn must(&self, method: &Method, path: &str, body: &Value) -> Outcome<Value> {
        let content =
            if *method == Method::GET || *method == Method::DELETE { Content::Nothing } else { Content::Json(body) };
        let answer = self.send(method, path, &content).await?;
        if answer.is_success() {
            return Ok(answer.json());
        }
        Err(because(format!("the check cannot be prepared: {method} {path}: {}", answer.told())))
    }

    /// Sends a request, and reads the answer whole; of a stream of events, what comes at once.
    pub(super) async fn send(&self, method: &Method, path: &str, content: &Content<'_>) -> Outcome<Answer> {
        const BOUNDARY: &str = "a-file-of-the-check";
        let (kind, bytes) = match content {
            Content::Nothing => ("", String::new()),
            Content::Json(body) => ("application/json", body.to_string()),
            Content::File(text) => (
                "multipart/form-data; boundary=a-file-of-the-check",
                format!(
                    "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"check.txt\"\r\ncontent-type: text/plain\r\n\r\n{text}\r\n--{BOUNDARY}--\r\n"
                ),
            ),
        };
        let mut headers = HeaderMap::new();
        let typed = Some(("content-type", kind.to_owned())).filter(|_| !kind.is_empty());
        for (name, value) in self.headers.iter().chain(&typed) {
            headers.insert(*name, value.parse().map_err(|_| because(format!("{name} holds what no header can")))?);
        }
        let endpoint = self.base.join(path.trim_start_matches('/')).map_err(because)?;
        let request = Request { method: method.clone(), endpoint, headers, body: bytes.into(), limits: LIMITS };
        let unreachable = |error| because(format!("{} cannot be asked: {error}", self.base.host()));
        let answer = self.egress.send(request).await.map_err(unreachable)?;
        let (status, headers) = (answer.status.as_u16(), comparable(&answer.headers));
        let is_stream =
            headers.iter().any(|(name, value)| name == "content-type" && value.starts_with("text/event-stream"));
        let mut body = answer.body;
        let bytes = if is_stream {
            let mut heard = Vec::new();
            while let Ok(Ok(Some(bytes))) = tokio::time::timeout(LISTENING, body.chunk()).await {
                heard.extend_from_slice(&bytes);
            }
            heard
        } else {
            body.whole().await.map_err(unreachable)?.to_vec()
        };
        Ok(Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() })
    }
}

/// Headers that two answers to the same question have in common.
fn comparable(headers: &HeaderMap) -> Vec<(String, String)> {
    let tells_time =
        |name: &str| name == "date" || name.contains("ratelimit") || name == "retry-after" || name == "server-timing";
    let mut kept: Vec<(String, String)> = headers
        .iter()
        .filter(|(name, _)| !tells_time(name.as_str()))
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    kept.sort();
    kept
}
