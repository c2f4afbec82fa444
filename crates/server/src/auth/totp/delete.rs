//! `DELETE /api/v1/auth/totp`: turns the second factor off, with a code of it or a recovery code.

use tenancy::factors;

use super::Code;
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn delete(person: Person, Body(body): Body<Code>) -> Result<Done> {
    person.require_fresh()?;
    factors::turn_off(person.house(), person.user(), person.session().id, &body.code, person.origin()).await?;
    Ok(Done)
}
