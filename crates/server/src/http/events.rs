//! Server-sent events: how they are written, sent and described.

use std::convert::Infallible;

use aide::openapi::{MediaType, Response as Described};
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::Serialize;

/// The media type.
pub(crate) const EVENTS: &str = "text/event-stream";
/// A comment, so that everybody on the way knows that a quiet stream lives.
pub(crate) const ALIVE: &str = ": still here\n\n";

/// An event with its data on one line.
pub(crate) fn event(name: &str, data: &impl Serialize) -> String {
    format!("event: {name}\ndata: {}\n\n", serde_json::to_string(data).unwrap_or_default())
}

/// The answer that is a stream of events.
pub(crate) fn streamed(events: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static) -> Response {
    let headers = [(CONTENT_TYPE, "text/event-stream; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(events)).into_response()
}

/// Such an answer as the OpenAPI document has it.
pub(crate) fn described(description: &str) -> Vec<(Option<u16>, Described)> {
    let content = std::iter::once((EVENTS.to_owned(), MediaType::default())).collect();
    vec![(Some(200), Described { description: description.into(), content, ..Described::default() })]
}
