//! `POST /api/v1/auth/totp`: prepares a second factor; its first code turns it on.

use schemars::JsonSchema;
use serde::Serialize;
use tenancy::factors;

use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Created;

/// What an authenticator needs; shown this once.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Enrolment {
    /// The secret in base 32.
    secret: String,
    /// The same as an address, to be shown as a picture.
    otpauth_url: String,
}

pub(crate) async fn create(person: Person) -> Result<Created<Enrolment>> {
    person.require_fresh()?;
    let enrolment = factors::enrol(person.house(), person.user(), person.origin()).await?;
    person.remember(Created(Enrolment { secret: enrolment.secret, otpauth_url: enrolment.url })).await
}
