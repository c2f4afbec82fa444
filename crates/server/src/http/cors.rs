//! Pages of other sites that may call the API: an exact list of origins, never `*` and never `null`.
//!
//! Browsers keep the answers to all other pages from being read, and ask before they send a change. Who calls without a browser is
//! not concerned: an origin opens nothing, it only lets a page's script read what the caller's credential opens.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::App;

/// For how long a browser may remember the answer to its question, in seconds. An origin that is taken off the list can go on asking
/// for that long, and reads nothing.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
/// What the API reads from headers.
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-match, x-request-id, x-rowhouse-csrf, x-rowhouse-org, x-rowhouse-project",
);
/// What the API says in headers and a page could not read otherwise.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "content-disposition, etag, idempotent-replayed, retry-after, www-authenticate, x-request-id",
);
const ASKING_VARIES: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// The origin that sent the request, if it is one of those on the list; compared byte for byte.
pub(crate) fn listed<'a>(origins: &[String], headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
    let mut sent = headers.get_all(header::ORIGIN).iter();
    let origin = sent.next().filter(|_| sent.next().is_none())?;
    origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()).then_some(origin)
}

/// The answer to the question that a browser asks before a page of a listed origin sends a change. All others get what `OPTIONS` gets.
pub(super) fn preflight(app: &App, request: &Request) -> Option<Response> {
    let asks = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && listed(&app.limits.origins, request.headers()).is_some();
    let told: [(HeaderName, HeaderValue); 4] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ACCEPTED),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        (header::VARY, ASKING_VARIES),
    ];
    asks.then(|| (StatusCode::NO_CONTENT, told).into_response())
}

/// Lets the page that asked read the answer, and send its cookie along.
pub(crate) fn open_to(origin: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}
