//! `POST /api/v1/auth/refresh`: a refresh token becomes the next pair of tokens.

use domain::secret::SecretText;
use schemars::JsonSchema;
use serde::Deserialize;

use super::tokens::TokenPair;
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::error::Result;
use crate::http::reply::{Found, Once};

/// The token to exchange.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    refresh_token: SecretText,
}

pub(crate) async fn refresh(visitor: Visitor, Body(body): Body<Refresh>) -> Result<Once<Found<TokenPair>>> {
    let tokens = tenancy::refresh::refresh(visitor.house(), &body.refresh_token, visitor.origin()).await?;
    visitor.remember(Once(Found(tokens.into()))).await
}
