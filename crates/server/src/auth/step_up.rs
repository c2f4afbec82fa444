//! `POST /api/v1/auth/step-up`: shows a factor again, for what takes a fresh one.

use domain::Time;
use domain::password::Password;
use domain::secret::SecretText;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenancy::sessions;

use crate::http::body::Body;
use crate::http::caller::{FRESH, Person, session_cookie};
use crate::http::error::Result;
use crate::http::reply::{Found, WithCookie};

/// The password, a code, or both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepUp {
    #[serde(default)]
    password: Option<Password>,
    /// A code of the second factor, or a recovery code.
    #[serde(default)]
    code: Option<SecretText>,
}

/// The factor counts as fresh.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Fresh {
    /// Until when.
    fresh_until: Time,
}

pub(crate) async fn step_up(person: Person, Body(body): Body<StepUp>) -> Result<WithCookie<Found<Fresh>>> {
    let (house, origin) = (person.house(), person.origin());
    let (password, code) = (body.password.as_ref(), body.code.as_ref());
    let renewed = sessions::step_up(house, person.user(), person.session(), password, code, origin).await?;
    let cookie = renewed.and_then(|renewed| session_cookie(&house.rules.public_url, &renewed.secret, renewed.keep));
    let fresh_until = house.store.ambient().now() + FRESH;
    person.remember(WithCookie(cookie, Found(Fresh { fresh_until }))).await
}
