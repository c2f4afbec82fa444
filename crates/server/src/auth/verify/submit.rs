//! `POST /api/v1/auth/verify`: shows that a mail address is one's own, with the token that was mailed to it, and signs in.

use domain::secret::SecretText;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::mail_address;

use crate::auth::tokens::TokenPair;
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::{Found, Once};

/// A token that was mailed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailedToken {
    pub(crate) token: SecretText,
}

pub(crate) async fn submit(visitor: Visitor, Body(body): Body<MailedToken>) -> Result<Once<Found<TokenPair>>> {
    let tokens = mail_address::verify(visitor.house(), &body.token, visitor.origin()).await?;
    visitor.remember(Once(Found(tokens.into()))).await
}
