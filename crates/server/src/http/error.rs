//! Where errors become answers: `{"error":{"type","code","message","param","request_id"}}`. Clients of models get the same in their own
//! dialect (`gateway/answer.rs`), listeners of a stream as its last event ([`Problem::envelope`]).
//!
//! The message is for the caller and holds no internals; causes go to the log with the same request id.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use metering::rules::Unclear;
use schemars::JsonSchema;
use serde::Serialize;
use store::{Refusal, Stop};

use super::idempotency::Replay;

/// An answer that is not what the caller hoped for.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) param: Option<String>,
    pub(crate) retry_after: Option<u64>,
    /// For the log alone.
    pub(crate) cause: Option<String>,
    /// What few have; in one place, so that all others stay small.
    pub(crate) rare: Option<Box<Rare>>,
}

/// What few problems have.
#[derive(Debug)]
pub(crate) enum Rare {
    /// It is no problem at all: the answer that the same request got before goes out in its stead.
    Replay(Replay),
    /// The code of the model's server, which OpenAI's clients get in place of ours: they know it, and tell refusals apart by it.
    UpstreamCode(String),
}

pub(crate) type Result<T, E = Problem> = std::result::Result<T, E>;

/// A code, its status and what it means: the list that the documentation shows. Codes are stable.
pub const CODES: &[(&str, u16, &str)] = &[
    ("invalid_json", 400, "The body is not JSON."),
    ("invalid_request", 400, "The request breaks a rule of the protocol; the message says which."),
    ("invalid_cursor", 400, "The cursor was not made for this list, this caller or these filters, or is too old."),
    (
        "unauthenticated",
        401,
        "There is no valid credential. `rowhouse auth explain <request-id>` tells an operator why.",
    ),
    (
        "session_too_old_for_organisation",
        401,
        "The session is older, or has rested longer, than the organisation allows: show a factor at `POST /api/v1/auth/step-up`, or sign in.",
    ),
    ("key_expired", 401, "The API key has expired."),
    ("invalid_credentials", 401, "The mail address, the password or the code is wrong."),
    ("code_needed", 401, "The second factor is on: send `code` too."),
    ("entitlement", 402, "The plan does not include this, or no more of it; `param` names what."),
    ("budget_exceeded", 402, "A budget on the path of the call has no room; the message names it and what is missing."),
    (
        "spending_stopped",
        402,
        "Nothing that costs money runs in the organisation: a payment is late, or it is suspended or closing.",
    ),
    ("forbidden", 403, "The caller may see the thing but not do this. `GET /api/v1/access/explain` says why."),
    ("step_up_needed", 403, "A factor must be shown again first: `POST /api/v1/auth/step-up`."),
    (
        "csrf",
        403,
        "A request with a session cookie needs the `X-Rowhouse-CSRF` header and must come from the own site, or one in `origins`.",
    ),
    ("not_found", 404, "There is no such thing, or it is not the caller's to see."),
    (
        "model_not_found",
        404,
        "There is no model of this name with a known price that the caller can use; the message names near ones.",
    ),
    ("method_not_allowed", 405, "The path does not take this method."),
    ("request_timeout", 408, "The body came too slowly, or not to its end: send the request again."),
    ("no_price", 400, "Nobody has said what the model costs, so it is not called."),
    ("budget_unclear", 503, "A budget cannot be kept, for want of a rate of exchange, so nothing is spent."),
    ("taken", 409, "A name or address is in use already."),
    ("conflict", 409, "Something stands against it that the caller can change first."),
    (
        "already_done",
        409,
        "The request with this Idempotency-Key took effect; its answer held tokens and is not given twice.",
    ),
    (
        "answer_deleted",
        409,
        "The request with this Idempotency-Key took effect; a document that its answer told of was deleted since.",
    ),
    ("limit_reached", 409, "There are as many as there may be; `param` names of what."),
    ("request_running", 409, "A request with this Idempotency-Key is still running."),
    ("stale", 412, "The thing was changed since it was read: read it again."),
    ("too_large", 413, "The body, or the headers together, are too large."),
    (
        "range_not_satisfiable",
        416,
        "The file has none of the bytes that `Range` names; `Content-Range` says how many it has.",
    ),
    ("unsupported_media_type", 415, "The body must be `application/json`."),
    ("invalid_field", 422, "A field of the body or the query is wrong; `param` names it."),
    ("idempotency_mismatch", 422, "The Idempotency-Key was used with another body."),
    ("rate_limited", 429, "Too many requests; `Retry-After` says when to come back."),
    (
        "quota_exceeded",
        429,
        "A quota on the path of the call has no room; the message names it and when it begins anew.",
    ),
    ("internal", 500, "A mistake in Rowhouse; the operator finds it under the request id."),
    ("upstream_failed", 502, "A server outside (of models, of Notion) failed, refused our key, or cannot be reached."),
    ("upstream_timeout", 504, "The model's server did not answer in time."),
    ("organisation_unavailable", 503, "The organisation's store cannot be read; the operator was told."),
    (
        "original_lost",
        503,
        "The original is damaged or gone from where it is kept; the operator was told. What was read from it is still there.",
    ),
    ("busy", 503, "Too much is going on; `Retry-After` says when to come back."),
    ("storage_full", 507, "The disk is full. Reading and deleting go on."),
];

/// What a problem says, beside its answer: for clients that read another dialect.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) kind: &'static str,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) param: Option<String>,
    /// As in [`Rare::UpstreamCode`].
    pub(crate) upstream_code: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Envelope {
    error: Body,
}

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
struct Body {
    /// The kind of error, as OpenAI clients know it.
    r#type: &'static str,
    /// A stable code; the documentation lists them.
    code: &'static str,
    /// What happened and what to do, for people.
    message: Cow<'static, str>,
    /// The field that is wrong.
    param: Option<String>,
    /// The id of the request, to be quoted to the operator.
    request_id: String,
}

impl Problem {
    pub(crate) fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let (_, status, _) = CODES.iter().find(|(known, ..)| *known == code).expect("each code stands in the list");
        let status = StatusCode::from_u16(*status).expect("the list holds good statuses");
        Self { status, code, message: message.into(), param: None, retry_after: None, cause: None, rare: None }
    }

    pub(crate) fn field(param: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { param: Some(param.into()), ..Self::new("invalid_field", message) }
    }

    /// The answer for all that does not exist and all that is another's: one text, so that nobody can tell them apart.
    pub(crate) fn not_found() -> Self {
        Self::new("not_found", "There is no such thing, or it is not yours to see.")
    }

    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body of its answer, for who is told in a stream.
    pub(crate) fn envelope(self, request_id: String) -> Envelope {
        let kind = self.kind();
        Envelope { error: Body { r#type: kind, code: self.code, message: self.message, param: self.param, request_id } }
    }

    fn kind(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "authentication_error",
            402 | 403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let upstream_code = match self.rare.take().map(|rare| *rare) {
            Some(Rare::Replay(replay)) => return replay.into_response(),
            Some(Rare::UpstreamCode(code)) => Some(code),
            None => None,
        };
        let request_id = super::layers::current_request_id();
        if self.status.is_server_error() {
            tracing::error!(
                request_id,
                code = self.code,
                cause = self.cause.as_deref().unwrap_or(""),
                "{}",
                self.message
            );
        } else {
            tracing::debug!(
                request_id,
                code = self.code,
                cause = self.cause.as_deref().unwrap_or(""),
                "{}",
                self.message
            );
        }
        let kind = self.kind();
        let (message, param) = (self.message.clone(), self.param.clone());
        let told = Told { kind, code: self.code, message, param, upstream_code };
        let body = Envelope {
            error: Body { r#type: kind, code: self.code, message: self.message, param: self.param, request_id },
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        response.extensions_mut().insert(told);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl aide::OperationOutput for Problem {
    type Inner = Envelope;
    fn inferred_responses(
        ctx: &mut aide::generate::GenContext,
        _: &mut aide::openapi::Operation,
    ) -> Vec<(Option<u16>, aide::openapi::Response)> {
        let mut response = super::reply::described::<Envelope>(ctx);
        response.description = "Anything else; the codes are listed in docs/ERRORS.md.".into();
        vec![(None, response)]
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        use store::Error as E;
        match error {
            E::NotFound(_) => Self::not_found(),
            E::Taken(what) => Self { param: Some(what.to_owned()), ..Self::new("taken", format!("This {what} is in use already.")) },
            E::Stale(what) => Self::new("stale", format!("The {what} was changed since you read it; read it again and repeat.")),
            E::Refused(text) => Self::new("conflict", text),
            E::Busy(what) => Self::new("busy", "Too much is going on right now; try again shortly.").retry_after(1).because(what),
            E::Full => Self::new("storage_full", "The disk is full; reading and deleting go on."),
            E::Damaged { .. } => Self::new(
                "organisation_unavailable",
                "The store of this organisation cannot be read. The operator has been told; other organisations are not affected.",
            )
            .because(error.to_string()),
            E::Unavailable(_) | E::Disk(_) => {
                Self::new("busy", "The storage cannot be reached right now; try again shortly.").retry_after(2).because(error.to_string())
            }
            E::Sealed(_) | E::Setup(_) | E::Bug(_) => Self::internal(error.to_string()),
        }
    }
}

impl Problem {
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        Self::new("internal", "Something went wrong on our side; quote the request id to the operator.").because(cause)
    }
}

impl From<tenancy::Error> for Problem {
    fn from(error: tenancy::Error) -> Self {
        use tenancy::Error as E;
        match error {
            E::Store(error) => error.into(),
            E::Credentials => Self::new("invalid_credentials", "The mail address, the password or the code is wrong."),
            E::CodeNeeded => Self::new("code_needed", "The second factor is on: send the current code as `code`."),
            E::Throttled { seconds } => {
                Self::new("rate_limited", format!("Too many tries; come back in {seconds} seconds."))
                    .retry_after(seconds)
            }
            E::Invalid { field, rule } => Self::field(field, rule),
            E::Ticket => Self::new("conflict", error.to_string()),
            E::Refresh => Self::new("unauthenticated", "The refresh token is not valid any more; sign in again."),
            E::StepUp => Self::new("step_up_needed", error.to_string()),
            E::Forbidden(text) => Self::new("forbidden", text),
            E::Conflict(text) => Self::new("conflict", text),
            E::Allowance { what, most, plan } => Self {
                param: Some(what.to_owned()),
                ..Self::new(
                    "entitlement",
                    format!("The plan {plan} includes {most} {what} at the most; an owner can change the plan."),
                )
            },
            E::Limit { what, most } => Self {
                param: Some(what.to_owned()),
                ..Self::new(
                    "limit_reached",
                    format!("There may be {most} {what} at the most; delete one that is not needed."),
                )
            },
            E::Entitlement { entitlement, plan } => Self {
                param: Some(entitlement.to_owned()),
                ..Self::new(
                    "entitlement",
                    format!("The plan {plan} does not include {entitlement}; an owner can change the plan."),
                )
            },
        }
    }
}

impl From<Unclear> for Problem {
    fn from(unclear: Unclear) -> Self {
        match unclear {
            Unclear::Store(error) => error.into(),
            Unclear::NoRate(_) => Self::new("conflict", unclear.to_string()),
        }
    }
}

impl From<Stop> for Problem {
    fn from(stop: Stop) -> Self {
        let refusal = match stop {
            Stop::Failed(error) => return error.into(),
            Stop::Refused(refusal) => refusal,
        };
        match refusal {
            // What only operators may see does not exist for others.
            Refusal::NotAMember | Refusal::Homeless | Refusal::NotAnOperator => {
                Self::not_found().because(refusal.to_string())
            }
            Refusal::NotAPerson => Self::new("forbidden", "An API key cannot act on its maker's account; sign in."),
            Refusal::Forged => Self::new(
                "csrf",
                "A change with a session cookie needs the X-Rowhouse-CSRF header and the own site, or one that is listed.",
            ),
            Refusal::MembershipSuspended => {
                Self::new("forbidden", "Your membership in this organisation is suspended.")
            }
            Refusal::SessionTooOld => Self::new(
                "session_too_old_for_organisation",
                "This organisation wants a younger sign-in: show a factor at POST /api/v1/auth/step-up, or sign in again.",
            ),
            Refusal::KeyExpired => Self::new("key_expired", "The API key has expired; make a new one."),
            _ => Self::new("unauthenticated", "There is no valid credential in this request.")
                .because(refusal.to_string()),
        }
    }
}
