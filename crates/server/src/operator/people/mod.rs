//! People of the installation, as the operator sees them.

mod create;
mod delete;
mod get;
mod list;
mod update;

use domain::email::Email;
use domain::status::Standing;
use domain::text::PersonName;
use domain::{Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::people::Person;

use crate::routes::Routes;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .get("/api/v1/operator/people", "Lists people, perhaps by their mail addresses.", list::list)
        .post(
            "/api/v1/operator/people",
            "Enrols a person with an organisation of their own; without a hash of a password they get a letter to set one.",
            create::create,
        );
    routes
        .get("/api/v1/operator/people/{id}", "Shows a person.", get::get)
        .patch("/api/v1/operator/people/{id}", "Suspends a person's account, or restores it.", update::update)
        .delete("/api/v1/operator/people/{id}", "Deletes an account; for 30 days it can be restored.", delete::delete)
}

/// A person.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Person")]
pub(crate) struct PersonView {
    id: UserId,
    email: Email,
    name: PersonName,
    standing: Standing,
    /// Whether they operate the installation.
    operator: bool,
    /// When they verified their mail address.
    verified_at: Option<Time>,
    /// Whether a second factor is asked for.
    second_factor: bool,
    /// Until when the deletion of the account can be undone, when it was asked for.
    ends_at: Option<Time>,
    created_at: Time,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            email: person.email,
            name: person.name,
            standing: person.standing,
            operator: person.operator,
            verified_at: person.verified_at,
            second_factor: person.totp_on_at.is_some(),
            ends_at: person.ends_at,
            created_at: person.created_at,
        }
    }
}
