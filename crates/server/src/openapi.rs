//! The OpenAPI document, made from the routes themselves, and a reader of it that needs no other site.

use std::sync::Arc;

use aide::openapi::{
    HeaderStyle, Info, OpenApi, Parameter, ParameterData, ParameterSchemaOrContent, PathStyle, ReferenceOr,
    SchemaObject, SecurityScheme,
};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::App;

/// What stands around the routes.
pub(crate) fn frame() -> OpenApi {
    aide::generate::extract_schemas(true);
    aide::generate::infer_responses(true);
    let mut document = OpenApi {
        info: Info {
            title: "Rowhouse".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            description: Some(
                "Every organisation has its own front door. Errors have one form everywhere: \
                 `{\"error\":{\"type\",\"code\",\"message\",\"param\",\"request_id\"}}`. Lists are `{data[], next_cursor}`. \
                 `X-Rowhouse-Org` selects among your organisations. Send `Idempotency-Key` with a POST to repeat it safely."
                    .into(),
            ),
            ..Info::default()
        },
        ..OpenApi::default()
    };
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http {
        scheme: "bearer".into(),
        bearer_format: None,
        description: Some("An access token or an API key.".into()),
        extensions: std::iter::empty().collect(),
    };
    components.security_schemes.insert("bearer".into(), ReferenceOr::Item(bearer));
    document
}

/// A parameter of a path; ids are text with a prefix.
pub(crate) fn path_parameter(name: &str) -> ReferenceOr<Parameter> {
    ReferenceOr::Item(Parameter::Path { parameter_data: text_parameter(name, true), style: PathStyle::Simple })
}

/// A header that may come with a request.
pub(crate) fn header_parameter(name: &str) -> ReferenceOr<Parameter> {
    ReferenceOr::Item(Parameter::Header { parameter_data: text_parameter(name, false), style: HeaderStyle::Simple })
}

fn text_parameter(name: &str, required: bool) -> ParameterData {
    let schema = schemars::json_schema!({ "type": "string" });
    ParameterData {
        name: name.to_owned(),
        description: None,
        required,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(SchemaObject {
            json_schema: schema,
            external_docs: None,
            example: None,
        }),
        example: None,
        examples: std::iter::empty().collect(),
        explode: None,
        extensions: std::iter::empty().collect(),
    }
}

/// The document as text, keys in a fixed order.
#[must_use]
pub fn text(document: &OpenApi) -> String {
    let value = serde_json::to_value(document).unwrap_or_default();
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

/// The document of the whole API as text, as it is tracked in the repository.
#[must_use]
pub fn document() -> String {
    let mut document = frame();
    let _ = crate::routes::all().into_router().finish_api(&mut document);
    text(&document)
}

/// Serves the document and its reader.
pub(crate) fn served(document: &OpenApi) -> axum::Router<App> {
    let json: Arc<str> = text(document).into();
    axum::Router::new()
        .route(
            "/api/openapi.json",
            get(move || async move {
                ([(CONTENT_TYPE, "application/json; charset=utf-8")], json.to_string()).into_response()
            }),
        )
        .route("/api/docs", get(reader))
        .route(
            "/api/docs/reader.js",
            get(async || asset("text/javascript; charset=utf-8", include_str!("reader/reader.js"))),
        )
        .route(
            "/api/docs/reader.css",
            get(async || asset("text/css; charset=utf-8", include_str!("reader/reader.css"))),
        )
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind)], text)
}

async fn reader() -> impl IntoResponse {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
    let features = "camera=(), microphone=(), geolocation=()";
    (
        [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, policy),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("permissions-policy"), features),
        ],
        include_str!("reader/reader.html"),
    )
}
