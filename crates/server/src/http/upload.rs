//! Files that come in as `multipart/form-data`: taken bit by bit, so that their size is bounded by the disk and by the plan, not by
//! memory.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, ReferenceOr, RequestBody, SchemaObject};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use multer::Multipart;

use super::error::{Problem, Result};
use crate::App;
use crate::listen::is_too_slow;

/// Whether a body is a form with files.
pub(crate) fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("multipart/form-data")
}

/// A form that has come to the door. It is opened when it is clear that its sender may bring it: whoever may not learns no more from
/// what they sent.
pub(crate) struct Form(Request);

/// A form on its way in.
pub(crate) struct Opened {
    /// How long the body says it is.
    pub(crate) announced: Option<u64>,
    /// Its fields.
    pub(crate) fields: Multipart<'static>,
}

impl FromRequest<App> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self> {
        Ok(Self(request))
    }
}

impl Form {
    /// Begins to read it.
    pub(crate) fn open(self) -> Result<Opened> {
        let Self(request) = self;
        if !is_multipart(request.headers()) {
            return Err(Problem::new(
                "unsupported_media_type",
                "Send the file as multipart/form-data in the field `file`.",
            ));
        }
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let announced = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let boundary = text(CONTENT_TYPE)
            .and_then(|kind| multer::parse_boundary(kind).ok())
            .ok_or_else(|| Problem::new("invalid_request", "The Content-Type names no boundary."))?;
        Ok(Opened { announced, fields: Multipart::new(request.into_body().into_data_stream(), boundary) })
    }
}

impl OperationInput for Form {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let schema = schemars::json_schema!({
            "type": "object",
            "properties": {
                "file": { "type": "string", "format": "binary", "description": "The file." },
                "title": { "type": "string", "description": "What to call it; what the file calls itself when left out." },
                "tags": { "type": "string", "description": "Tags, parted by commas." },
            },
            "required": ["file"],
            "additionalProperties": false,
        });
        let media = MediaType {
            schema: Some(SchemaObject { json_schema: schema, external_docs: None, example: None }),
            ..MediaType::default()
        };
        let content = std::iter::once(("multipart/form-data".to_owned(), media)).collect();
        let body = RequestBody { content, required: true, ..RequestBody::default() };
        operation.request_body = Some(ReferenceOr::Item(body));
    }
}

/// What is wrong with a form, for who sent it.
pub(crate) fn broken(error: &multer::Error) -> Problem {
    if is_too_slow(error) {
        return super::body::too_slow();
    }
    Problem::new("invalid_request", format!("The form could not be read: {error}."))
}
