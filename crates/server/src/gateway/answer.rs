//! Answers of models on their way to the client, and errors in words of our own.

use std::ops::ControlFlow;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Described};
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::limits::Counted;
use domain::status::OrgStatus;
use futures_util::stream;
use gateway::error::ErrorKind;
use gateway::{Dialect, UpstreamError};
use metering::Shortage;
use metering::call::{Failed, MeteredStream, Receipt, Served};

use crate::http::error::{Problem, Rare, Told};

/// What the call cost, in millionths of a US dollar; known before the answer is sent only when it is sent at once.
pub(crate) const COST: HeaderName = HeaderName::from_static("x-rowhouse-cost-micros");
/// The row of the usage log.
pub(crate) const USAGE: HeaderName = HeaderName::from_static("x-rowhouse-usage-id");

/// An answer of a model, in the client's dialect.
#[derive(Debug)]
pub(crate) struct Spoken(Response);

/// An answer as the model layer gives it.
pub(super) fn spoken(served: Served) -> Spoken {
    reworded(served, Ok, |bytes, _| ControlFlow::Continue(bytes))
}

/// An answer that was made here.
pub(super) fn ours(response: Response) -> Spoken {
    Spoken(response)
}

/// An answer that is put into other words on its way: all of it at once, or frame by frame, of which the last is told. What breaks a
/// stream is the last that its client gets.
pub(super) fn reworded(
    served: Served,
    whole_in_words: impl FnOnce(Bytes) -> Result<Bytes, Bytes>,
    frame_in_words: impl FnMut(Bytes, bool) -> ControlFlow<Bytes, Bytes> + Send + 'static,
) -> Spoken {
    Spoken(match served {
        Served::Whole(whole, Receipt { id, cost_micros }) => {
            let body = match whole_in_words(whole.body) {
                Ok(body) => body,
                Err(body) => {
                    tracing::warn!(usage = %id, "an answer could not be put into other words");
                    body
                }
            };
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = whole.status;
            *response.headers_mut() = whole.headers;
            response.headers_mut().remove(CONTENT_LENGTH);
            note(&mut response, &USAGE, &id.to_string());
            note(&mut response, &COST, &cost_micros.to_string());
            response
        }
        Served::Stream(metered) => {
            let id = metered.id().to_string();
            let mut response = Response::new(Body::from_stream(frames(metered, frame_in_words)));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
            note(&mut response, &USAGE, &id);
            response
        }
    })
}

pub(crate) fn note(response: &mut Response, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The bits of a stream. Its connection breaks off when the end cannot be settled: the last bit is not given then.
fn frames(
    metered: Box<MeteredStream>,
    in_words: impl FnMut(Bytes, bool) -> ControlFlow<Bytes, Bytes> + Send + 'static,
) -> impl stream::Stream<Item = Result<Bytes, store::Error>> {
    stream::try_unfold(Some((metered, in_words)), |going_on| async move {
        let Some((mut metered, mut in_words)) = going_on else { return Ok(None) };
        while let Some(frame) = metered.next().await? {
            match in_words(frame.bytes, frame.last) {
                // Without who reads it the call ends at the upstream, and what had come is charged.
                ControlFlow::Break(bytes) => return Ok(Some((bytes, None))),
                // Nothing to be told yet; an empty piece would mean the end to some.
                ControlFlow::Continue(bytes) if bytes.is_empty() => {}
                ControlFlow::Continue(bytes) => return Ok(Some((bytes, Some((metered, in_words))))),
            }
        }
        Ok(None)
    })
}

impl IntoResponse for Spoken {
    fn into_response(self) -> Response {
        self.0
    }
}

impl OperationOutput for Spoken {
    type Inner = ();
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let description =
            "The model's answer in the client's dialect: JSON, or events when the request asks for a stream.";
        vec![(Some(200), Described { description: description.into(), ..Described::default() })]
    }
}

/// The dialect of a client of models, also on paths that there are not: Anthropic's name a version with every request.
pub(crate) fn dialect(path: &str, headers: &HeaderMap) -> Option<Dialect> {
    let anthropic = path == "/v1/messages" || headers.contains_key("anthropic-version");
    path.starts_with("/v1/").then_some(if anthropic { Dialect::Anthropic } else { Dialect::OpenAi })
}

/// Puts a problem into the dialect of the client, and tells them whether trying again by themselves can help.
pub(crate) fn speak(dialect: Dialect, request_id: &str, response: &mut Response) {
    let Some(told) = response.extensions().get::<Told>().cloned() else { return };
    let code = match dialect {
        Dialect::OpenAi => told.upstream_code.as_deref(),
        Dialect::Anthropic => Some(told.code),
    };
    // Else what stands there is in OpenAI's words already.
    if let Some(code) = code {
        let (status, param) = (response.status().as_u16(), told.param.as_deref());
        let body = gateway::dialect::error::body(dialect, status, told.kind, code, &told.message, param, request_id);
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = Body::from(body);
    }
    if dialect == Dialect::Anthropic {
        note(response, &HeaderName::from_static("request-id"), request_id);
    }
    let is_spent = matches!(told.code, "quota_exceeded" | "budget_exceeded" | "spending_stopped");
    if is_spent && !response.headers().contains_key("retry-after") {
        note(response, &HeaderName::from_static("x-should-retry"), "false");
    }
}

/// Why there is no answer, for the client.
pub(crate) fn problem(failed: Failed, model: &str) -> Problem {
    match failed {
        Failed::Stopped(status) => stopped(status),
        Failed::Short(shortage) => short(&shortage),
        Failed::Limited(limited) => metering::rates::Refused::Limited(limited).into(),
        Failed::NoPrice { model, tier } => {
            let text = match tier {
                Some(tier) => {
                    format!("Nobody has said what {model} costs at the service tier {tier}; leave `service_tier` out.")
                }
                None => format!(
                    "Nobody has said what {model} costs, so it is not called: the operator can give it a price, or set a ceiling for all models without one."
                ),
            };
            Problem { param: Some("model".into()), ..Problem::new("no_price", text) }
        }
        Failed::Unclear(unclear) => Problem::new("budget_unclear", format!("Nothing can be spent: {unclear}.")),
        Failed::Crowded => Problem::new("busy", "Too many calls at once; try again shortly.").retry_after(1),
        Failed::Resting { retry_after } => Problem::new(
            "upstream_failed",
            "The model's server has failed several times in a row; it is left alone for a while.",
        )
        .retry_after(retry_after.as_secs().max(1)),
        Failed::Upstream(error) => upstream(&error, model),
        Failed::Store(error) => match std::sync::Arc::try_unwrap(error) {
            Ok(error) => error.into(),
            Err(shared) => Problem::new("busy", "The ledger cannot be written right now; try again shortly.")
                .retry_after(1)
                .because(shared.to_string()),
        },
    }
}

/// A refusal that names the state in which nothing is spent.
fn stopped(status: OrgStatus) -> Problem {
    let why = match status {
        OrgStatus::PastDue => "A payment of the organisation is late",
        OrgStatus::Suspended => "The organisation is suspended",
        OrgStatus::Closing => "The organisation is closing",
        OrgStatus::Active | OrgStatus::Creating | OrgStatus::Erasing => "The organisation is not in use",
    };
    Problem::new("spending_stopped", format!("{why}: nothing runs in it that costs money."))
}

/// A refusal that names the limit, what is missing, and when there is room again.
fn short(shortage: &Shortage) -> Problem {
    let of = if shortage.subject.is_empty() { String::new() } else { format!(" {}", shortage.subject) };
    let amount = |number: i64| match shortage.counted {
        Counted::Cost => {
            let currency = shortage.currency.map_or_else(|| "USD".to_owned(), |currency| currency.to_string());
            format!("{}.{:06} {currency}", number / 1_000_000, number % 1_000_000)
        }
        counted => format!("{number} {counted}"),
    };
    let reset = shortage.resets_at.map_or_else(String::new, |at| format!(" It begins anew at {at}."));
    let text = format!(
        "The {} limit of the {}{of} has no room for this call: {} of {} are used, {} are held by calls under way, {} are missing.{reset}",
        if shortage.counted == Counted::Cost { "budget" } else { shortage.counted.as_str() },
        shortage.level,
        amount(shortage.used),
        amount(shortage.cap),
        amount(shortage.held),
        amount(shortage.missing),
    );
    // A client that waits helps only when calls under way may leave room; else it must not try again by itself.
    let code = if shortage.counted == Counted::Cost { "budget_exceeded" } else { "quota_exceeded" };
    let mut problem = Problem { param: Some(shortage.counted.to_string()), ..Problem::new(code, text) };
    if shortage.used.saturating_add(shortage.needed) <= shortage.cap {
        problem = problem.retry_after(1);
    }
    problem
}

fn upstream(error: &UpstreamError, model: &str) -> Problem {
    let wait = error.retry_after.map(|wait| wait.as_secs().max(1));
    let (code, message) = match error.kind {
        ErrorKind::Invalid | ErrorKind::Unsupported => ("invalid_request", error.caller.message.clone()),
        ErrorKind::NotFound => ("model_not_found", format!("The model {model} is not known where it should be.")),
        ErrorKind::RateLimited => ("rate_limited", error.caller.message.clone()),
        ErrorKind::Timeout => ("upstream_timeout", error.caller.message.clone()),
        ErrorKind::Credentials => (
            "upstream_failed",
            "The model's server does not take the key that is stored for it; its owner must renew it.".to_owned(),
        ),
        ErrorKind::Exhausted => (
            "upstream_failed",
            "The account at the model's provider is exhausted; its owner must fill it up.".to_owned(),
        ),
        ErrorKind::Failed | ErrorKind::Unreachable | ErrorKind::Refused => {
            ("upstream_failed", error.caller.message.clone())
        }
    };
    let mut problem =
        Problem { param: error.caller.param.clone(), ..Problem::new(code, message) }.because(error.to_string());
    if let Some(seconds) = wait {
        problem = problem.retry_after(seconds);
    }
    if error.kind == ErrorKind::Invalid {
        // The upstream's own status, where it says more: 413, 422.
        problem.status = error.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(problem.status);
        let code = error.caller.code.clone().filter(|code| is_plain(code));
        problem.rare = code.map(|code| Box::new(Rare::UpstreamCode(code)));
    }
    problem
}

/// Whether a code is one that clients can go by. The type of all such errors says nothing more than ours does.
fn is_plain(code: &str) -> bool {
    const MOST: usize = 64;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MOST).contains(&code.len()) && code != "invalid_request_error" && code.bytes().all(plain)
}
