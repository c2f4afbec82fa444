//! Errors in the client's own dialect.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Dialect;

/// An error of either dialect: the status decides its type where the dialect has a word for it.
///
/// `kind` and `code` are Rowhouse's own; OpenAI's clients read both, Anthropic's read a type by the status.
#[must_use]
pub fn body(
    dialect: Dialect,
    status: u16,
    kind: &str,
    code: &str,
    message: &str,
    param: Option<&str>,
    request_id: &str,
) -> Bytes {
    let body: Value = match dialect {
        Dialect::OpenAi => json!({
            "error": {"type": kind, "code": code, "message": message, "param": param, "request_id": request_id},
        }),
        Dialect::Anthropic => {
            // This dialect has no place for the field but its message.
            let message = match param {
                Some(param) if !message.contains(param) => format!("{param}: {message}"),
                _ => message.to_owned(),
            };
            let error = json!({"type": anthropic_type(status), "message": message, "code": code});
            json!({"type": "error", "error": error, "request_id": request_id})
        }
    };
    body.to_string().into()
}

/// Anthropic's word for a status (its documentation, read 2026-10).
fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}
