//! `POST /api/v1/auth/password/reset`: sets a new password with the token that was mailed, and ends all sessions.

use domain::password::NewPassword;
use domain::secret::SecretText;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::password_reset;

use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::Done;

/// A new password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPassword {
    /// As it was mailed.
    token: SecretText,
    password: NewPassword,
}

pub(crate) async fn reset(visitor: Visitor, Body(body): Body<ResetPassword>) -> Result<Done> {
    password_reset::reset(visitor.house(), &body.token, &body.password, visitor.origin()).await?;
    visitor.remember(Done).await
}
