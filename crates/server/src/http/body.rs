//! Bodies, queries and paths, read strictly: unknown fields, wrong types and bad ids are refused by name.

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, ReferenceOr, RequestBody, SchemaObject};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::error::{Problem, Result};
use crate::App;
use crate::listen::is_too_slow;

/// What is said of a text to look for that holds the one character that PostgreSQL keeps in none.
pub(crate) const HOLDS_NUL: &str = "must not hold the character NUL";

/// How deep JSON may be nested.
const DEPTH: usize = 64;

/// A JSON body. Its type denies unknown fields.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let json = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            let kind = value.split(';').next().unwrap_or("").trim();
            kind.eq_ignore_ascii_case("application/json")
        });
        let bytes = read(request, app.limits.body).await?;
        if !json {
            return Err(Problem::new("unsupported_media_type", "Send the body as application/json."));
        }
        parse(&bytes).map(Self)
    }
}

/// A JSON body that may be left out: then all its fields are.
#[derive(Debug)]
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<App> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let bytes = read(Request::from_parts(parts.clone(), body), app.limits.body).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        let Body(body) = Body::from_request(Request::from_parts(parts, bytes.into()), app).await?;
        Ok(Self(body))
    }
}

/// For a field that can be `null`: tells that from one that was left out.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Reads a body up to a size.
pub(crate) async fn read(request: Request, most: usize) -> Result<Bytes> {
    let body = http_body_util::Limited::new(request.into_body(), most);
    let collected = http_body_util::BodyExt::collect(body).await.map_err(|error| unread(&*error, most))?;
    Ok(collected.to_bytes())
}

/// Why a body was not read.
pub(super) fn unread(error: &(dyn std::error::Error + Send + Sync + 'static), most: usize) -> Problem {
    if error.is::<http_body_util::LengthLimitError>() {
        Problem::new("too_large", format!("The body is larger than {most} bytes."))
    } else if is_too_slow(error) {
        too_slow()
    } else {
        Problem::new("invalid_request", "The body could not be read to its end.")
    }
}

/// What is said to who does not send what was begun.
pub(super) fn too_slow() -> Problem {
    Problem::new("request_timeout", "The body came too slowly, or not to its end.")
}

/// Reads JSON into a type, and says which field is wrong when one is.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if gateway::shape::of(bytes).depth > DEPTH {
        return Err(Problem::new("invalid_json", format!("The body is nested deeper than {DEPTH} levels.")));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // A key of a map that is no text shows as a question mark.
        let path = error.path().to_string().replace(".?", "");
        let inner = error.into_inner();
        if inner.is_data() {
            wrong_field(&path, &inner.to_string())
        } else {
            Problem::new("invalid_json", format!("The body is not JSON: {inner}."))
        }
    })?;
    reader.end().map_err(|error| Problem::new("invalid_json", format!("The body is not JSON: {error}.")))?;
    Ok(value)
}

/// Names the field: serde says it for missing and unknown ones in the text, for all others in the path.
fn wrong_field(path: &str, text: &str) -> Problem {
    let text = text.split(" at line ").next().unwrap_or(text);
    let named = ["missing field `", "unknown field `", "duplicate field `"];
    let name = named.iter().find_map(|start| text.strip_prefix(start)).and_then(|rest| rest.split('`').next());
    let place = match (path.trim_start_matches('.'), name) {
        ("" | "?", Some(name)) => name.to_owned(),
        // For an unknown field the path ends with it already.
        (path, Some(name)) if !path.ends_with(name) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    };
    // Values never come back in an error: what was typed into the wrong field may be a secret.
    let text = if text.starts_with("invalid type: ") || text.starts_with("invalid value: ") {
        text.rsplit_once("expected ")
            .map_or_else(|| "has the wrong type".to_owned(), |(_, expected)| format!("must be {expected}"))
    } else {
        text.to_owned()
    };
    Problem::field(place, text)
}

fn describe<T: JsonSchema>(ctx: &mut GenContext, operation: &mut Operation, required: bool) {
    let schema = ctx.schema.subschema_for::<T>();
    let media = MediaType {
        schema: Some(SchemaObject { json_schema: schema, external_docs: None, example: None }),
        ..MediaType::default()
    };
    let body = RequestBody {
        content: std::iter::once(("application/json".to_owned(), media)).collect(),
        required,
        ..RequestBody::default()
    };
    operation.request_body = Some(ReferenceOr::Item(body));
}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        describe::<T>(ctx, operation, true);
    }
}

impl<T: JsonSchema> OperationInput for OptionalBody<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        describe::<T>(ctx, operation, false);
    }
}

/// A JSON body that may be left out.
#[derive(Debug)]
pub(crate) struct MaybeBody<T>(pub(crate) Option<T>);

impl<T: DeserializeOwned> FromRequest<App> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let bytes = read(request, app.limits.body).await?;
        if bytes.is_empty() { Ok(Self(None)) } else { parse(&bytes).map(|value| Self(Some(value))) }
    }
}

impl<T: JsonSchema> OperationInput for MaybeBody<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Body::<T>::operation_input(ctx, operation);
        if let Some(ReferenceOr::Item(body)) = &mut operation.request_body {
            body.required = false;
        }
    }
}

/// The query of the address. Its type denies unknown fields.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let axum::extract::Query(query) = axum::extract::Query::try_from_uri(&parts.uri).map_err(|error| {
            let text = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            // What is missing stands in the text alone.
            let nowhere = if text.starts_with("missing field") { "" } else { "query" };
            let (place, text) = text.split_once(": ").unwrap_or((nowhere, &text));
            wrong_field(place, text)
        })?;
        with_nul(&parts.uri).map_or(Ok(Self(query)), |name| Err(Problem::field(name, HOLDS_NUL)))
    }
}

/// The first parameter that holds a NUL. It looks for what is nowhere, on either engine.
fn with_nul(uri: &Uri) -> Option<String> {
    uri.query().filter(|query| query.contains("%00"))?;
    let axum::extract::Query(pairs) = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    pairs.into_iter().find(|(_, value)| value.contains('\0')).map(|(name, _)| name)
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let schema = ctx.schema.subschema_for::<T>();
        let parameters = aide::operation::parameters_from_schema(ctx, schema, aide::operation::ParamLocation::Query);
        operation.parameters.extend(parameters.into_iter().map(ReferenceOr::Item));
    }
}

/// An id in the path. One of the wrong form is as unknown as one that never existed.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, app)
            .await
            .map_err(|_: axum::extract::rejection::PathRejection| Problem::not_found())?;
        Ok(Self(value))
    }
}

/// The version that the caller read, from `If-Match`; without the header any version will do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IfMatch(Option<i64>);

impl IfMatch {
    /// Any version will do.
    pub(crate) fn any() -> Self {
        Self(None)
    }

    /// The version, if any will not do.
    pub(crate) fn version(self) -> Option<i64> {
        self.0
    }

    /// Refuses when the thing is of another version by now.
    pub(crate) fn check(self, version: i64) -> Result<()> {
        match self.0 {
            Some(expected) if expected != version => {
                Err(Problem::new("stale", "It was changed since you read it; read it again and repeat."))
            }
            _ => Ok(()),
        }
    }
}

impl FromRequestParts<App> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let Some(value) = parts.headers.get(axum::http::header::IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or("").trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|tag| tag.parse().ok());
        let bad = || Problem::new("invalid_request", "If-Match must be the ETag of an earlier answer.");
        version.map(|version| Self(Some(version))).ok_or_else(bad)
    }
}

impl OperationInput for IfMatch {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        operation.parameters.push(crate::openapi::header_parameter("If-Match"));
    }
}

/// Path parameters are documented from the path itself.
impl<T> OperationInput for Path<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors matter")]
    struct Outer {
        name: domain::text::TeamName,
        inner: Vec<Inner>,
    }

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors matter")]
    struct Inner {
        count: u8,
    }

    fn refusal(json: &str) -> (u16, Option<String>, String) {
        let problem = parse::<Outer>(json.as_bytes()).expect_err("refused");
        (problem.status.as_u16(), problem.param, problem.message.into_owned())
    }

    #[test]
    fn the_wrong_field_is_named_and_its_value_is_not_repeated() {
        let (status, param, _) = refusal(r#"{"name":"a"}"#);
        assert_eq!((status, param.as_deref()), (422, Some("inner")));
        let (_, param, message) = refusal(r#"{"name":"a","inner":[{"count":"secret"}]}"#);
        assert_eq!(param.as_deref(), Some("inner[0].count"));
        assert!(!message.contains("secret"), "{message}");
        let (_, param, _) = refusal(r#"{"name":"a","inner":[{"count":1,"more":2}]}"#);
        assert_eq!(param.as_deref(), Some("inner[0].more"));
        let (_, param, message) = refusal(r#"{"name":"","inner":[]}"#);
        assert_eq!(param.as_deref(), Some("name"));
        assert!(message.starts_with("must be 1 to 80"), "{message}");
        assert_eq!(refusal("{").0, 400);
        assert_eq!(refusal(r#"{"name":"a","inner":[]} x"#).0, 400);
        assert_eq!(refusal(&"[".repeat(65)).0, 400);
    }
}
