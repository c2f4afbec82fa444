//! Notion, as far as a connection goes: whose key it is, and whether it is one.
//!
//! By the official schema and client as of autumn 2026 (`developers.notion.com`): `GET /v1/users/me` is the cheap question, and an
//! integration's key answers it with the bot that the key is.

use std::time::Duration;

use egress::{Egress, Endpoint, Limits, Request};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;

/// Where Notion is.
pub const BASE_URL: &str = "https://api.notion.com";
/// The version of the interface that is spoken.
const VERSION: &str = "2026-03-11";
/// What an answer may take: it is some hundred bytes.
const LIMITS: Limits = Limits {
    head: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(15),
    size: 64 << 10,
};

/// Notion at its address.
#[derive(Debug, Clone)]
pub struct Notion {
    base: Endpoint,
}

/// Whom a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// The bot's id, which is that of the authorization.
    pub id: String,
    /// What the workspace is called, if Notion says.
    pub workspace: Option<String>,
}

/// Why nothing is known of a key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Notion does not take it.
    #[error("Notion does not take this token: look whether the integration is still there, and copy it once more")]
    Credentials,
    /// It is no text that a header takes.
    #[error("is no token of Notion")]
    Form,
    /// Notion asks to come back later; after so many seconds, if it says.
    #[error("Notion takes no more requests for now; try again later")]
    Busy(Option<u64>),
    /// Notion could not be asked, or said what nobody understands.
    #[error("Notion cannot be asked right now; try again later")]
    Failed(String),
}

/// As `GET /v1/users/me` answers.
#[derive(Deserialize)]
struct Me {
    object: String,
    id: String,
    #[serde(default)]
    bot: Option<About>,
}

#[derive(Deserialize)]
struct About {
    #[serde(default)]
    workspace_name: Option<String>,
}

impl Notion {
    /// Notion at an address: [`BASE_URL`], or where somebody stands in for it.
    /// # Errors
    /// When it is no address.
    pub fn at(base_url: &str) -> Result<Self, egress::InvalidEndpoint> {
        Ok(Self { base: Endpoint::new(base_url)? })
    }

    /// The address.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.base
    }

    /// Asks whose a key is.
    /// # Errors
    /// See [`Error`].
    pub async fn me(&self, egress: &Egress, token: &str) -> Result<Bot, Error> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| Error::Form)?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (ACCEPT, HeaderValue::from_static("application/json")),
            (http::HeaderName::from_static("notion-version"), HeaderValue::from_static(VERSION)),
        ]);
        let endpoint = self.base.join("v1/users/me").map_err(|error| Error::Failed(error.to_string()))?;
        let request = Request { method: Method::GET, endpoint, headers, body: bytes::Bytes::new(), limits: LIMITS };
        let answer = egress.send(request).await.map_err(|error| Error::Failed(error.to_string()))?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Error::Credentials),
            status if status == StatusCode::TOO_MANY_REQUESTS || status.as_u16() == 529 => {
                let after = answer.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
                return Err(Error::Busy(after.and_then(|seconds| seconds.trim().parse().ok())));
            }
            status => return Err(Error::Failed(format!("it answered {status}"))),
        }
        let body = answer.body.whole().await.map_err(|error| Error::Failed(error.to_string()))?;
        let me: Me = serde_json::from_slice(&body).map_err(|error| Error::Failed(error.to_string()))?;
        if me.object != "user" || me.id.is_empty() || me.id.len() > 64 {
            return Err(Error::Failed("it answered something else than a user".into()));
        }
        let workspace = me.bot.and_then(|bot| bot.workspace_name).map(|name| name.chars().take(200).collect());
        Ok(Bot { id: me.id, workspace })
    }
}
