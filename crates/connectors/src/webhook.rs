//! Telling webhooks, as Standard Webhooks asks for: who receives a message can tell by its signature that it is ours and untouched,
//! by its time that it is no old one, and by its id that it came before.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::{Ambient, MessageId, Time};
use egress::{Egress, Endpoint, Limits, Request};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a receiver may take, and how much of its answer is read: nobody needs more of it than the status.
const LIMITS: Limits =
    Limits { head: Duration::from_secs(10), idle: Duration::from_secs(2), total: Duration::from_secs(15), size: 4096 };
/// How long one message can take at the most: its limits and the time for connecting.
pub const LONGEST: Duration = Duration::from_secs(20);

/// What signs messages to one webhook.
pub struct Secret(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Secret {
    /// A new one of 256 random bits.
    #[must_use]
    pub fn random(ambient: &Ambient) -> Self {
        Self(Zeroizing::new(ambient.bytes::<32>().to_vec()))
    }

    /// The one with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As its owner is shown it, once.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }

    /// The signature of a message: of its id, time in whole seconds and body, with full stops between.
    fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// How a try ended. The words are for whoever set the webhook up: they tell nothing about the network behind this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What the receiver answered.
    pub status: Option<StatusCode>,
    /// Why it was in vain; none when the message was taken.
    pub error: Option<String>,
}

impl Ended {
    fn in_vain(status: Option<StatusCode>, error: impl Into<String>) -> Self {
        Self { status, error: Some(error.into()) }
    }

    /// Whether the receiver wants to be told nothing any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status == Some(StatusCode::GONE)
    }
}

/// Sends a message, signed with each of the secrets.
pub async fn send(
    egress: &Egress,
    endpoint: &Endpoint,
    secrets: &[Secret],
    id: MessageId,
    at: Time,
    body: &str,
) -> Ended {
    let Some(headers) = headers(secrets, &id.to_string(), at, body) else {
        return Ended::in_vain(None, "It could not be signed.");
    };
    let request = Request {
        method: Method::POST,
        endpoint: endpoint.clone(),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
        limits: LIMITS,
    };
    match egress.send(request).await {
        Ok(answer) => {
            let status = answer.status;
            answer.body.finish();
            if status.is_success() {
                Ended { status: Some(status), error: None }
            } else if status.is_redirection() {
                Ended::in_vain(
                    Some(status),
                    "It answered with a redirect, which is not followed: give the new address.",
                )
            } else {
                Ended::in_vain(Some(status), format!("It answered {}.", status.as_u16()))
            }
        }
        Err(error) => {
            tracing::info!(message = %id, host = endpoint.host(), %error, "a webhook was told in vain");
            Ended::in_vain(None, "It cannot be reached, or did not answer in time.")
        }
    }
}

fn headers(secrets: &[Secret], id: &str, at: Time, body: &str) -> Option<HeaderMap> {
    let seconds = at.micros().div_euclid(1_000_000);
    let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(id, seconds, body)).collect();
    if signatures.is_empty() {
        return None;
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("Rowhouse/", env!("CARGO_PKG_VERSION"))));
    headers.insert("webhook-id", HeaderValue::from_str(id).ok()?);
    headers.insert("webhook-timestamp", HeaderValue::from(seconds));
    headers.insert("webhook-signature", HeaderValue::from_str(&signatures.join(" ")).ok()?);
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector was made with the official library.
    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        let bytes = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let secret = Secret::from_bytes(Zeroizing::new(bytes));
        let body = r#"{"type":"run.completed","timestamp":"2026-01-01T00:00:00Z","data":{}}"#;
        let expected = "v1,fMNwNfPI1jukJNnct19SB8f3b6v7U6vDjtdN7HrM8Bk=";
        assert_eq!(secret.sign("msg_rowhouse_1", 1_767_225_600, body), expected);
        assert_eq!(secret.expose(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(format!("{secret:?}"), "***");
    }

    #[test]
    fn each_secret_signs() {
        let secrets = [Secret(Zeroizing::new(vec![1; 32])), Secret(Zeroizing::new(vec![2; 32]))];
        let headers = headers(&secrets, "msg_1", Time::from_micros(1_999_999), "{}").expect("headers");
        let signatures = headers["webhook-signature"].to_str().expect("text");
        let (first, second) = signatures.split_once(' ').expect("two");
        assert_eq!(
            (first, second),
            (secrets[0].sign("msg_1", 1, "{}").as_str(), secrets[1].sign("msg_1", 1, "{}").as_str())
        );
        assert_eq!(headers["webhook-timestamp"], "1");
        assert!(super::headers(&[], "msg_1", Time::from_micros(0), "{}").is_none());
    }
}
