//! Reads what upstreams say when they refuse, in all the ways they have: OpenAI's object, Anthropic's, Ollama's text in `error`, plain
//! text, HTML.

use std::time::Duration;

use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{CallerText, ErrorKind, Spent, UpstreamError, shortened};

/// Most bytes of a refusal that are read.
const MAX_REFUSAL: usize = 64 << 10;

/// Reads a response whose status is no success.
pub(super) async fn read(mut response: egress::Response) -> UpstreamError {
    let mut body = Vec::new();
    while body.len() < MAX_REFUSAL
        && let Ok(Some(chunk)) = response.body.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(MAX_REFUSAL);
    understand(response.status.as_u16(), &response.headers, &body)
}

#[derive(Deserialize, Default)]
struct Words {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    detail: Value,
}

fn understand(status: u16, headers: &HeaderMap, body: &[u8]) -> UpstreamError {
    let words: Words = serde_json::from_slice(body).unwrap_or_default();
    let part = |name: &str| words.error.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let message = part("message")
        .or(words.error.as_str())
        .or(words.message.as_str())
        .or(words.detail.as_str())
        .map(str::to_owned);
    let code = part("code").or(part("type")).map(str::to_owned);
    let exhausted = code.as_deref() == Some("insufficient_quota") || part("type") == Some("insufficient_quota");
    let kind = match status {
        401 | 403 => ErrorKind::Credentials,
        402 => ErrorKind::Exhausted,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        429 if exhausted => ErrorKind::Exhausted,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Invalid,
        // A redirect is no answer either: it is not followed.
        _ => ErrorKind::Failed,
    };
    let log = match &message {
        Some(message) => shortened(message),
        None => shortened(&String::from_utf8_lossy(body)),
    };
    let mut error = UpstreamError::new(kind, Spent::Nothing, log);
    error.status = Some(status);
    error.retry_after = retry_after(headers);
    error.should_retry = match headers.get("x-should-retry").map(http::HeaderValue::as_bytes) {
        Some(b"true") => Some(true),
        Some(b"false") => Some(false),
        _ => None,
    };
    // Only what is about the caller's request: about keys and accounts an upstream talks to us.
    if matches!(kind, ErrorKind::Invalid | ErrorKind::NotFound) {
        let message = message.map_or(error.caller.message.clone(), |message| shortened(&message));
        error.caller = CallerText { message, code, param: part("param").map(str::to_owned) };
    }
    error
}

/// `retry-after-ms`, or `retry-after` in seconds. A date is not read: nobody of those who send one is known to.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|millis| millis / 1000.0).or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> UpstreamError {
        understand(status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn every_way_to_refuse_is_understood() {
        let openai = r#"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
        let read = error(400, openai);
        assert_eq!(read.kind, ErrorKind::Invalid);
        let expected = CallerText {
            message: "too long".into(),
            code: Some("context_length_exceeded".into()),
            param: Some("messages".into()),
        };
        assert_eq!(read.caller, expected);
        let anthropic = r#"{"type":"error","error":{"type":"not_found_error","message":"model: x"},"request_id":"r"}"#;
        let read = error(404, anthropic);
        assert_eq!((read.kind, read.caller.message.as_str()), (ErrorKind::NotFound, "model: x"));
        let ollama = error(404, r#"{"error":"model \"x\" not found"}"#);
        assert_eq!(ollama.caller.message, "model \"x\" not found");
        assert_eq!(error(500, "oh\nno").log, "oh no");
        assert_eq!(error(529, "{}").kind, ErrorKind::Failed);
        assert_eq!(error(302, "").kind, ErrorKind::Failed);
    }

    #[test]
    fn the_two_meanings_of_429_are_told_apart() {
        let quota = r#"{"error":{"message":"m","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;
        assert_eq!(error(429, quota).kind, ErrorKind::Exhausted);
        assert_eq!(
            error(429, r#"{"error":{"message":"m","code":"rate_limit_exceeded"}}"#).kind,
            ErrorKind::RateLimited
        );
        assert_eq!(error(429, "slow down").kind, ErrorKind::RateLimited);
    }

    #[test]
    fn words_about_our_keys_stay_here() {
        let body = r#"{"error":{"message":"Incorrect API key provided: sk-abc","code":"invalid_api_key"}}"#;
        for status in [401, 403, 429, 500] {
            let read = error(status, body);
            assert!(!read.caller.message.contains("sk-abc"), "{read:?}");
            assert_eq!(read.caller.code, None);
        }
    }

    #[test]
    fn the_wish_to_wait_is_read_in_both_units() {
        let with = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, http::HeaderValue::from_static(value));
            understand(429, &headers, b"").retry_after
        };
        assert_eq!(with("retry-after", "3"), Some(Duration::from_secs(3)));
        assert_eq!(with("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(with("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        for wrong in ["-1", "soon", "NaN", "1e400"] {
            assert_eq!(with("retry-after", wrong), None);
        }
    }
}
