//! Tokens as the API gives them out.

use schemars::JsonSchema;
use serde::Serialize;
use tenancy::login::Tokens;

/// An access token and the refresh token behind it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TokenPair {
    /// A JWT for the `Authorization: Bearer` header.
    access_token: String,
    /// Gives the next pair at `POST /api/v1/auth/refresh`; can be used once.
    refresh_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: u64,
}

impl From<Tokens> for TokenPair {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access,
            refresh_token: tokens.refresh,
            token_type: "Bearer",
            expires_in: tokens.lifetime.as_secs(),
        }
    }
}
