//! `POST /api/v1/auth/totp/confirm`: turns the second factor on with its first code; gives the recovery codes.

use tenancy::factors;

use super::{Code, RecoveryCodes};
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Found;

pub(crate) async fn confirm(person: Person, Body(body): Body<Code>) -> Result<Found<RecoveryCodes>> {
    person.require_fresh()?;
    let (user, session) = (person.user(), person.session().id);
    let recovery_codes = factors::confirm(person.house(), user, session, &body.code, person.origin()).await?;
    person.remember(Found(RecoveryCodes { recovery_codes })).await
}
