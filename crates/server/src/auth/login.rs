//! `POST /api/v1/auth/login`: a password, and a code when the second factor is on, become tokens.

use domain::email::Email;
use domain::password::Password;
use domain::secret::SecretText;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::login::{self, SignIn};

use super::tokens::TokenPair;
use crate::http::body::Body;
use crate::http::caller::Visitor;
use crate::http::device::DeviceMark;
use crate::http::error::Result;
use crate::http::reply::{Found, Once};

/// Who signs in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    email: Email,
    password: Password,
    /// A code of the second factor, or a recovery code.
    #[serde(default)]
    code: Option<SecretText>,
}

pub(crate) async fn login(
    visitor: Visitor,
    DeviceMark(device): DeviceMark,
    Body(body): Body<LogIn>,
) -> Result<Once<Found<TokenPair>>> {
    let sign_in = SignIn { email: body.email, password: body.password, code: body.code, device };
    let admitted = login::admit(visitor.house(), sign_in, visitor.origin()).await?;
    let tokens = admitted.tokens(visitor.house(), visitor.origin()).await?;
    visitor.remember(Once(Found(tokens.into()))).await
}
