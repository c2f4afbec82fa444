//! `DELETE /api/v1/auth/session`: ends the session and takes its cookie back.

use std::time::Duration;

use tenancy::sessions;

use crate::http::caller::{Person, session_cookie};
use crate::http::error::Result;
use crate::http::reply::{Done, WithCookie};

pub(crate) async fn delete(person: Person) -> Result<WithCookie<Done>> {
    let house = person.house();
    sessions::end(house, person.user(), person.session().id, person.origin()).await?;
    Ok(WithCookie(session_cookie(&house.rules.public_url, "", Some(Duration::ZERO)), Done))
}
