//! A whole answer.

use bytes::Bytes;
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{Error, Result};

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status, which may be any.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as it came.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null for none.
    /// # Errors
    /// [`Error::NotRowhouse`] when it is something else.
    pub fn json(&self) -> Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|_| Error::NotRowhouse)
    }

    /// The version of what was answered, for changing it.
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.headers.get(ETAG)?.to_str().ok()
    }
}
