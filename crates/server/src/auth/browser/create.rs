//! `POST /api/v1/auth/session`: signs in with a cookie.

use domain::email::Email;
use domain::password::Password;
use domain::secret::SecretText;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::login::{self, SignIn};

use super::BrowserSession;
use crate::http::body::Body;
use crate::http::caller::{Visitor, session_cookie};
use crate::http::device::{DeviceMark, device_cookie};
use crate::http::error::Result;
use crate::http::reply::{Created, Once, WithCookie};

/// Who signs in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateSession {
    email: Email,
    password: Password,
    /// A code of the second factor, or a recovery code.
    #[serde(default)]
    code: Option<SecretText>,
    /// Stays signed in for 30 days.
    #[serde(default)]
    remember: bool,
}

pub(crate) async fn create(
    visitor: Visitor,
    DeviceMark(device): DeviceMark,
    Body(body): Body<CreateSession>,
) -> Result<Once<WithCookie<WithCookie<Created<BrowserSession>>>>> {
    let house = visitor.house();
    let sign_in = SignIn { email: body.email, password: body.password, code: body.code, device };
    let admitted = login::admit(house, sign_in, visitor.origin()).await?;
    let browser = admitted.browser(house, body.remember, visitor.origin()).await?;
    let cookie = session_cookie(&house.rules.public_url, &browser.secret, browser.keep);
    let known = device_cookie(house, browser.person.id);
    let session = BrowserSession::new(&house.store, browser.person, browser.session);
    visitor.remember(Once(WithCookie(known, WithCookie(cookie, Created(session))))).await
}
