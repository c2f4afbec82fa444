//! What a person tells of themselves.

pub(super) mod delete;
pub(super) mod get;
pub(super) mod restore;
pub(super) mod update;

use domain::email::Email;
use domain::text::PersonName;
use domain::{Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::people::Person;

/// The caller's own profile. The mail address is changed at `POST /api/v1/auth/email`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Profile {
    id: UserId,
    email: Email,
    name: PersonName,
    /// Whether the mail address was shown to be the person's.
    verified: bool,
    /// Whether signing in takes a code.
    second_factor: bool,
    created_at: Time,
    updated_at: Time,
}

impl From<Person> for Profile {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            email: person.email,
            name: person.name,
            verified: person.verified_at.is_some(),
            second_factor: person.totp_on_at.is_some(),
            created_at: person.created_at,
            updated_at: person.updated_at,
        }
    }
}
