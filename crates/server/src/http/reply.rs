//! Answers: created, accepted, nothing, a page of a list, a thing with its version.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described, SchemaObject};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// What a handler can give back: a status and JSON.
pub(crate) trait Reply {
    /// The status.
    const STATUS: StatusCode;
    /// What the body is made from.
    type Body: Serialize;
    /// The body, unless there is none.
    fn body(&self) -> Option<&Self::Body>;
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

/// A thing with a version: the answer carries it as `ETag`, and `If-Match` refers to it.
#[derive(Debug)]
pub(crate) struct Versioned<R>(pub(crate) i64, pub(crate) R);

impl<R: Reply> Reply for Versioned<R> {
    const STATUS: StatusCode = R::STATUS;
    type Body = R::Body;
    fn body(&self) -> Option<&R::Body> {
        self.1.body()
    }
}

impl<R: IntoResponse> IntoResponse for Versioned<R> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

impl<R: OperationOutput> OperationOutput for Versioned<R> {
    type Inner = R::Inner;
    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        R::operation_response(ctx, operation)
    }
    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Described)> {
        R::inferred_responses(ctx, operation)
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

/// What was stored of an earlier answer to the same request.
pub(crate) fn replay(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = if body.is_empty() {
        status.into_response()
    } else {
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}
