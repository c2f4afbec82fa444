//! `POST /api/v1/auth/logout`: ends the session; its access token fails from the next call on.

use domain::secret::SecretText;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::sessions;

use crate::http::body::MaybeBody;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Done;

/// What to end besides; may be left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogOut {
    /// Ends the session of this token too, should it be another one of yours.
    #[serde(default)]
    refresh_token: Option<SecretText>,
}

pub(crate) async fn logout(person: Person, MaybeBody(body): MaybeBody<LogOut>) -> Result<Done> {
    let (house, user, origin) = (person.house(), person.user(), person.origin());
    sessions::end(house, user, person.session().id, origin).await?;
    if let Some(token) = body.and_then(|body| body.refresh_token) {
        sessions::end_by_refresh(house, user, &token, origin).await?;
    }
    person.remember(Done).await
}
