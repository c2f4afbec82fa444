//! What wraps every request: its id, its span, headers of the answer, and a task that goes on when the client goes away.

use std::net::{IpAddr, SocketAddr};
use std::sync::Once;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::address::within;
use store::Origin;
use tracing::Instrument;

use super::allowance::Allowance;
use super::error::{Problem, Result};
use super::outliving::{Outliving, Panicked};
use super::renewal::Renewal;
use super::{cors, idempotency, once};
use crate::App;
use crate::listen::HEADER_BYTES;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The id of the request that this task serves.
pub(crate) fn current_request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Headers that an answer is given here at most, so that their map grows once.
const DRESS: usize = 20;

const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request its id, runs it, and dresses the answer.
pub(crate) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let request_id = request_id(&app, request.headers());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let address = client_address(peer, request.headers(), &app.limits.trusted_proxies);
    let agent = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("")
        .chars()
        .take(200)
        .collect();
    request.extensions_mut().insert(Origin { request_id: request_id.clone(), address, agent });
    let renewal = Renewal::default();
    request.extensions_mut().insert(renewal.clone());
    let origin = cors::listed(&app.limits.origins, request.headers()).cloned();
    let (method, path) =
        (request.method().clone(), request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()));
    let dialect = crate::gateway::dialect(request.uri().path(), request.headers());
    let span = tracing::info_span!("request", request_id, %method, path = path.as_deref().unwrap_or("-"));
    let allowance = Allowance::default();
    let answering = allowance.clone().scope(admitted(app.clone(), request, next));
    let answering = REQUEST_ID.scope(request_id.clone(), answering).instrument(span.clone());
    // What calls models ends with its client where it can (`gateway/ask.rs`).
    let ends_with_client = method.is_safe() || path.as_deref().is_some_and(|path| path.starts_with("/v1/"));
    let mut response = if ends_with_client {
        answering.await
    } else {
        // A client that goes away must not leave a change half done: only the waiting ends.
        match Outliving::new(&app.unattended, answering).await {
            Ok(response) => response,
            Err(Panicked(why)) => REQUEST_ID.sync_scope(request_id.clone(), || {
                Problem::internal(format!("a handler panicked: {why}")).into_response()
            }),
        }
    };
    if let Some(dialect) = dialect {
        crate::gateway::speak(dialect, &request_id, &mut response);
    }
    response.headers_mut().reserve(DRESS);
    allowance.dress(response.headers_mut());
    renewal.dress(response.headers_mut());
    dress(&app, response.headers_mut(), &request_id);
    if let Some(origin) = origin {
        cors::open_to(origin, response.headers_mut());
    }
    let status = response.status().as_u16();
    let took = began.elapsed();
    let route = path.unwrap_or_else(|| "unmatched".into());
    let labels = [("method", known(&method).to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("rowhouse_requests_total", &labels).increment(1);
    metrics::histogram!("rowhouse_request_seconds", &labels[..2]).record(took.as_secs_f64());
    span.in_scope(|| tracing::info!(status, micros = took.as_micros(), "answered"));
    response
}

/// Goes on with a request whose headers are as they should be.
async fn admitted(app: App, request: Request, next: Next) -> Response {
    let headers = bounded(request.headers()).and_then(|()| once::require(&app, request.headers()));
    if let Err(problem) = headers {
        return problem.into_response();
    }
    match cors::preflight(&app, &request) {
        Some(told) => told,
        None => idempotency::presenting(app, request, next).await,
    }
}

/// Refuses headers that are too large together. The connection's own bound is a soft one: what it has read already, it lets through.
fn bounded(headers: &HeaderMap) -> Result<()> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > HEADER_BYTES {
        let most = HEADER_BYTES / 1024;
        return Err(Problem::new("too_large", format!("The headers are larger than {most} KiB together.")));
    }
    Ok(())
}

/// A method as a label. Anybody can make up methods; each would be a series of its own, for ever.
fn known(method: &Method) -> &str {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if known.contains(method) { method.as_str() } else { "other" }
}

fn request_id(app: &App, headers: &HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID_HEADER).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    given.filter(plain).map_or_else(
        || {
            let mut random = [0; 16];
            random[..12].copy_from_slice(&app.house.store.ambient().bytes::<12>());
            format!("req_{:024x}", u128::from_le_bytes(random))
        },
        str::to_owned,
    )
}

/// That a proxy seems to be missing in the settings is told once: anybody can send the header.
static DISTRUSTED: Once = Once::new();

/// The client's address: the peer's, unless the peer is a trusted proxy; then the last hop that is not one.
fn client_address(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[String]) -> String {
    let Some(peer) = peer else { return String::new() };
    let is_trusted = |address: &str| trusted.iter().any(|proxy| within(address, proxy));
    let peer = peer.to_canonical().to_string();
    if !is_trusted(&peer) {
        if headers.contains_key("x-forwarded-for") {
            DISTRUSTED.call_once(|| {
                tracing::warn!(
                    peer,
                    "a request was forwarded by a peer that is not in `trusted_proxies`: if that is the proxy in front of this \
                     server, all people seem to come from its address; this is told once"
                );
            });
        }
        return peer;
    }
    let hops = headers
        .get_all("x-forwarded-for")
        .iter()
        // What a client sent may be no text; what the proxy wrote behind it counts all the same.
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let hops: Vec<String> =
        hops.flat_map(|value| value.split(',').map(|hop| hop.trim().to_owned()).collect::<Vec<_>>()).collect();
    let client = hops.iter().rev().find(|hop| !is_trusted(hop)).and_then(|hop| hop.parse::<IpAddr>().ok());
    client.map_or(peer, |address| address.to_canonical().to_string())
}

fn dress(app: &App, headers: &mut HeaderMap, request_id: &str) {
    let mut set = |name: &'static str, value: &'static str| {
        if !headers.contains_key(name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "no-referrer");
    set("cross-origin-resource-policy", "same-origin");
    set("cache-control", "no-store");
    set("vary", "Origin, Authorization, Cookie");
    set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    if app.house.rules.public_url.starts_with("https://") {
        set("strict-transport-security", "max-age=63072000; includeSubDomains");
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID_HEADER, value);
    }
}

/// Answers a method that a path does not take.
pub(crate) async fn no_such_method(method: Method) -> Problem {
    Problem::new("method_not_allowed", format!("This path does not take {method}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 203.0.113.9, 10.0.0.2"));
        let peer = |text: &str| Some(text.parse().expect("an address"));
        let trusted = vec!["10.0.0.0/8".to_owned()];
        assert_eq!(client_address(peer("192.0.2.1"), &headers, &trusted), "192.0.2.1");
        assert_eq!(client_address(peer("10.0.0.1"), &headers, &trusted), "203.0.113.9");
        assert_eq!(client_address(peer("10.0.0.1"), &headers, &[]), "10.0.0.1");
        assert_eq!(client_address(peer("::ffff:10.0.0.1"), &HeaderMap::new(), &trusted), "10.0.0.1");
        let bytes = HeaderValue::from_bytes(b"\xff, 203.0.113.9").expect("a value");
        headers.insert("x-forwarded-for", bytes);
        assert_eq!(client_address(peer("10.0.0.1"), &headers, &trusted), "203.0.113.9");
    }

    #[test]
    fn made_up_methods_share_a_label() {
        assert_eq!(known(&Method::PATCH), "PATCH");
        assert_eq!(known(&Method::from_bytes(b"AAAA1").expect("a method")), "other");
    }
}
