//! `POST /api/v1/collections/{id}/documents/web`: fetches a page of the web, once, and takes it as a file. It goes the one way out
//! (`egress`), which calls nothing behind this server; each redirect is checked as the address was. Nothing of the caller goes along.

use std::time::Duration;

use domain::CollectionId;
use domain::access::{Permission, can};
use domain::text::{DocumentTitle, Tag};
use egress::{Egress, Endpoint, Limits, Request};
use http::header::{ACCEPT, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use schemars::JsonSchema;
use serde::Deserialize;

use super::arrive::{Uploaded, arrive};
use super::paste::said;
use super::receive::{Desk, Received, visible};
use crate::http::body::{Body, Path};
use crate::http::caller::{Local, Metered, meters};
use crate::http::error::{Problem, Result};
use crate::http::reply::Accepted;
use crate::knowledge::sight;

/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How large a page may be, and how long each answer may take.
const LIMITS: Limits = Limits {
    head: Duration::from_secs(15),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(30),
    size: 32 << 20,
};

/// The address of a page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FetchPage {
    /// An `https` address without a user name; what follows `#` is left out.
    url: String,
    /// What to call it; what the page calls itself when left out.
    #[serde(default)]
    title: Option<DocumentTitle>,
    /// Each once.
    #[serde(default)]
    tags: Vec<Tag>,
}

pub(crate) async fn fetch(
    gate: Metered<Local<can::KnowledgeWrite>, meters::Documents>,
    Path(id): Path<CollectionId>,
    Body(body): Body<FetchPage>,
) -> Result<Accepted<Uploaded>> {
    let (gate, _pass) = gate.through();
    let mut caller = gate.each();
    let mut tx = caller.read().await?;
    let seen = sight::find(&mut tx, caller.scope(), Permission::KnowledgeWrite, id).await?;
    drop(tx);
    caller.answered()?;
    seen.place.require_changeable()?;
    let tags = said(&body.tags)?;
    let desk = Desk::open(&caller, 1).await?;
    let egress = caller.models().outside();
    let (name, endpoint) = address(&body.url).ok_or_else(wrong)?;
    egress.policy().precheck(&endpoint).map_err(|_| wrong())?;
    let page = get(egress, endpoint).await?;
    let written = desk.bytes(page).await?;
    let title = body.title.map(|title| title.as_str().to_owned());
    arrive(&caller, id, Received { written, name, title, tags: Some(tags) }, "web", &desk).await
}

fn wrong() -> Problem {
    Problem::field("url", "must be the https address of a page on the internet")
}

/// An address as it is kept, and as it is called.
fn address(url: &str) -> Option<(String, Endpoint)> {
    let url = url.trim().split('#').next().unwrap_or("");
    let name = visible(url).filter(|name| name == url)?;
    Some((name, Endpoint::with_query(url).ok()?))
}

async fn get(egress: &Egress, mut endpoint: Endpoint) -> Result<bytes::Bytes> {
    for _ in 0..=REDIRECTS {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("rowhouse"));
        headers.insert(ACCEPT, HeaderValue::from_static("text/html, */*;q=0.5"));
        let request = Request {
            method: Method::GET,
            endpoint: endpoint.clone(),
            headers,
            body: bytes::Bytes::new(),
            limits: LIMITS,
        };
        let response = egress.send(request).await.map_err(|error| unreachable(&error))?;
        let status = response.status;
        if status.is_success() {
            return response.body.whole().await.map_err(|error| unreachable(&error));
        }
        let to = response.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(next) = to.filter(|_| status.is_redirection()).and_then(|to| follow(&endpoint, to)) else {
            let message = format!("The page was not given: its server answered with the status {}.", status.as_u16());
            return Err(Problem::new("upstream_failed", message));
        };
        endpoint = next;
    }
    Err(Problem::new("upstream_failed", "The page leads from one address to the next without an end."))
}

/// Where a redirect leads: to a whole address, or another path of the same server. From `https` nothing leads to less.
fn follow(from: &Endpoint, to: &str) -> Option<Endpoint> {
    let to = to.split('#').next().unwrap_or("");
    let next = if to.starts_with('/') && !to.starts_with("//") {
        let scheme = if from.tls() { "https" } else { "http" };
        let host = if from.host().contains(':') { format!("[{}]", from.host()) } else { from.host().to_owned() };
        Endpoint::with_query(&format!("{scheme}://{host}:{}{to}", from.port())).ok()?
    } else {
        Endpoint::with_query(to).ok()?
    };
    (next.tls() || !from.tls()).then_some(next)
}

/// What is said of a call that failed: nothing of the network behind this server.
fn unreachable(error: &egress::Error) -> Problem {
    if let egress::Error::TooLarge(most) = error {
        return Problem::new("too_large", format!("A page may have {} MiB.", most >> 20));
    }
    let code = if error.timed_out() { "upstream_timeout" } else { "upstream_failed" };
    // The log learns no more: the address is the tenant's.
    Problem::new(code, "The page cannot be reached, or its server did not answer.")
}
