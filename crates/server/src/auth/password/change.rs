//! `PUT /api/v1/auth/password`: sets a new password and ends the other sessions.

use domain::password::{NewPassword, Password};
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::password_reset;

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Done;

/// A new password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The one so far; may be left out when a factor was shown within the last ten minutes.
    #[serde(default)]
    current: Option<Password>,
    new: NewPassword,
}

/// The current password is a factor shown just now, so nothing else is asked for with it.
pub(crate) async fn change(person: Person, Body(body): Body<ChangePassword>) -> Result<Done> {
    if body.current.is_none() {
        person.require_fresh()?;
    }
    let (user, session) = (person.user(), person.session().id);
    password_reset::change(person.house(), user, session, body.current.as_ref(), &body.new, person.origin()).await?;
    Ok(Done)
}
