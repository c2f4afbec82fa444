//! Answers: created, accepted, nothing, a page of a list, a thing with its version.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described, SchemaObject};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// What a handler can give back: a status, JSON, and perhaps headers.
pub(crate) trait Reply {
    /// The status.
    const STATUS: StatusCode;
    /// Whether it is kept for who repeats the request; one that holds what lets its holder in is not.
    const KEPT: bool = true;
    /// What the body is made from.
    type Body: Serialize;
    /// The body, unless there is none.
    fn body(&self) -> Option<&Self::Body>;
    /// The headers that belong to it.
    fn headers(&self) -> HeaderMap {
        HeaderMap::new()
    }
}

macro_rules! reply {
    ($name:ident, $status:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug)]
        pub(crate) struct $name<T>(pub(crate) T);

        impl<T: Serialize> Reply for $name<T> {
            const STATUS: StatusCode = StatusCode::$status;
            type Body = T;
            fn body(&self) -> Option<&T> {
                Some(&self.0)
            }
        }

        impl<T: Serialize> IntoResponse for $name<T> {
            fn into_response(self) -> Response {
                (StatusCode::$status, axum::Json(self.0)).into_response()
            }
        }

        impl<T: JsonSchema> OperationOutput for $name<T> {
            type Inner = T;
            fn operation_response(ctx: &mut GenContext, _: &mut Operation) -> Option<Described> {
                Some(described::<T>(ctx))
            }
            fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Described)> {
                let status = Some(StatusCode::$status.as_u16());
                Self::operation_response(ctx, operation).map(|response| (status, response)).into_iter().collect()
            }
        }
    };
}

reply!(Found, OK, "The thing that was asked for.");
reply!(Created, CREATED, "The thing that was made.");
reply!(Accepted, ACCEPTED, "It goes on in the background.");

pub(super) fn described<T: JsonSchema>(ctx: &mut GenContext) -> Described {
    let schema = ctx.schema.subschema_for::<T>();
    let media = MediaType {
        schema: Some(SchemaObject { json_schema: schema, external_docs: None, example: None }),
        ..MediaType::default()
    };
    Described {
        description: "As asked for.".into(),
        content: std::iter::once(("application/json".to_owned(), media)).collect(),
        ..Described::default()
    }
}

/// Done, and there is nothing to say.
#[derive(Debug)]
pub(crate) struct Done;

impl Reply for Done {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;
    type Body = ();
    fn body(&self) -> Option<&()> {
        None
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl OperationOutput for Done {
    type Inner = ();
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        vec![(Some(204), Described { description: "Done.".into(), ..Described::default() })]
    }
}

macro_rules! with_header {
    ($name:ident($value:ty), $header:ident = $read:expr, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug)]
        pub(crate) struct $name<R>(pub(crate) $value, pub(crate) R);

        impl<R: Reply> Reply for $name<R> {
            const STATUS: StatusCode = R::STATUS;
            const KEPT: bool = R::KEPT;
            type Body = R::Body;
            fn body(&self) -> Option<&R::Body> {
                self.1.body()
            }
            fn headers(&self) -> HeaderMap {
                let mut headers = self.1.headers();
                let read: fn(&$value) -> Option<HeaderValue> = $read;
                headers.extend(read(&self.0).map(|value| (header::$header, value)));
                headers
            }
        }

        impl<R: Reply + IntoResponse> IntoResponse for $name<R> {
            fn into_response(self) -> Response {
                let headers = self.headers();
                let mut response = self.1.into_response();
                response.headers_mut().extend(headers);
                response
            }
        }

        impl<R: OperationOutput> OperationOutput for $name<R> {
            type Inner = R::Inner;
            fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Described> {
                R::operation_response(ctx, operation)
            }
            fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Described)> {
                R::inferred_responses(ctx, operation)
            }
        }
    };
}

with_header!(
    Versioned(i64),
    ETAG = |version| HeaderValue::from_str(&format!("\"{version}\"")).ok(),
    "A thing with a version: the answer carries it as `ETag`, and `If-Match` refers to it."
);
with_header!(
    WithCookie(Option<HeaderValue>),
    SET_COOKIE = Clone::clone,
    "An answer that sets a cookie, if there is one to set."
);

/// An answer with tokens or a session's cookie for somebody who was nobody before: it is given once, and kept nowhere.
#[derive(Debug)]
pub(crate) struct Once<R>(pub(crate) R);

impl<R: Reply> Reply for Once<R> {
    const STATUS: StatusCode = R::STATUS;
    const KEPT: bool = false;
    type Body = R::Body;
    fn body(&self) -> Option<&R::Body> {
        self.0.body()
    }
    fn headers(&self) -> HeaderMap {
        self.0.headers()
    }
}

impl<R: IntoResponse> IntoResponse for Once<R> {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl<R: OperationOutput> OperationOutput for Once<R> {
    type Inner = R::Inner;
    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        R::operation_response(ctx, operation)
    }
    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Described)> {
        R::inferred_responses(ctx, operation)
    }
}

/// One of two answers.
#[derive(Debug)]
pub(crate) enum Either<A, B> {
    This(A),
    That(B),
}

impl<A: IntoResponse, B: IntoResponse> IntoResponse for Either<A, B> {
    fn into_response(self) -> Response {
        match self {
            Self::This(answer) => answer.into_response(),
            Self::That(answer) => answer.into_response(),
        }
    }
}

impl<A: OperationOutput, B: OperationOutput> OperationOutput for Either<A, B> {
    type Inner = A::Inner;
    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        A::operation_response(ctx, operation)
    }
    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let mut responses = A::inferred_responses(ctx, operation);
        for (status, other) in B::inferred_responses(ctx, operation) {
            // One status is described once, with the forms of both.
            match responses.iter_mut().find(|(known, _)| *known == status) {
                Some((_, response)) => response.content.extend(other.content),
                None => responses.push((status, other)),
            }
        }
        responses
    }
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Page<T> {
    /// The things.
    pub(crate) data: Vec<T>,
    /// Send it as `cursor` to get the next page; absent on the last one.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other things.
    pub(crate) fn map<U>(self, into: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(into).collect(), next_cursor: self.next_cursor }
    }
}

/// An answer as it is kept: a line for each header, an empty line, the body.
pub(crate) fn keep<R: Reply>(reply: &R) -> serde_json::Result<Vec<u8>> {
    let mut kept = Vec::new();
    for (name, value) in &reply.headers() {
        kept.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    kept.push(b'\n');
    if let Some(body) = reply.body() {
        serde_json::to_writer(&mut kept, body)?;
    }
    Ok(kept)
}

/// The answer that was kept.
pub(crate) fn replay(status: u16, kept: &[u8]) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut headers = HeaderMap::new();
    let mut rest = kept;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 2..]))
        {
            headers.append(name, value);
        }
    }
    let mut response = if rest.is_empty() {
        status.into_response()
    } else {
        (status, [(header::CONTENT_TYPE, "application/json")], rest.to_vec()).into_response()
    };
    response.headers_mut().extend(headers);
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}
