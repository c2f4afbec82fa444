//! Asking a server which models it has: costs nothing anywhere, and tells whether its address and key are right.

use std::time::Duration;

use bytes::Bytes;
use egress::{Egress, Limits};
use http::Method;
use http::header::CONTENT_TYPE;
use serde::Deserialize;

use super::{Kind, Speaks, refusal};
use crate::Upstream;
use crate::error::UpstreamError;
use crate::shape;

/// How long a server may take, and how large its list may be.
const LIMITS: Limits = Limits {
    head: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    total: Duration::from_secs(15),
    size: 4 << 20,
};
/// Most names that are read, and the longest one in bytes.
const MOST: usize = 2000;
const LONGEST: usize = 200;

/// `{"data":[..]}` as OpenAI and Anthropic have it, or the bare list of some others.
#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Data { data: Vec<Named> },
    Bare(Vec<Named>),
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Upstream {
    /// The names of the models that a server has; none of a model inside this program.
    /// # Errors
    /// [`UpstreamError`]; [`crate::error::ErrorKind::NotFound`] when there is nothing at the address, or a server without a list.
    pub async fn models(&self, egress: &Egress) -> Result<Vec<String>, UpstreamError> {
        let Kind::Remote(remote) = &self.0 else { return Ok(Vec::new()) };
        let rest = match remote.speaks {
            Speaks::Anthropic if !remote.base.path().trim_end_matches('/').ends_with("/v1") => "v1/models?limit=1000",
            Speaks::Anthropic => "models?limit=1000",
            Speaks::OpenAi(_) => "models",
        };
        let endpoint =
            remote.base.join(rest).map_err(|_| UpstreamError::not_an_answer("no path for the list of models"))?;
        let mut headers = remote.headers.clone();
        headers.remove(CONTENT_TYPE);
        let request = egress::Request { method: Method::GET, endpoint, headers, body: Bytes::new(), limits: LIMITS };
        let names = async {
            let response = egress.send(request).await?;
            if !response.status.is_success() {
                return Err(refusal::read(response).await);
            }
            read(&response.body.whole().await?)
        };
        names.await.map_err(|mut error| {
            remote.unsaid.clean(&mut error.log);
            remote.unsaid.clean(&mut error.caller.message);
            error
        })
    }
}

fn read(body: &[u8]) -> Result<Vec<String>, UpstreamError> {
    // Two forms are told apart in a copy of all of it.
    if shape::of(body).nodes > shape::MOST_NODES {
        return Err(shape::too_much());
    }
    let list: List = serde_json::from_slice(body).map_err(|_| UpstreamError::not_an_answer("no list of models"))?;
    let (List::Data { data } | List::Bare(data)) = list;
    let plain = |name: &String| (1..=LONGEST).contains(&name.len()) && !name.chars().any(char::is_control);
    Ok(data.into_iter().map(|named| named.id).filter(plain).take(MOST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_in_two_forms() {
        assert_eq!(read(br#"{"object":"list","data":[{"id":"a","object":"model"}]}"#).expect("read"), ["a"]);
        assert_eq!(read(br#"[{"id":"a"},{"id":"b\u0000"},{"id":""}]"#).expect("read"), ["a"]);
        assert!(read(b"<html>").is_err());
        let endless = format!("[{}0]", "{\"id\":\"a\"},".repeat(shape::MOST_NODES));
        assert!(read(endless.as_bytes()).expect_err("too much").log.contains("200000"));
    }
}
