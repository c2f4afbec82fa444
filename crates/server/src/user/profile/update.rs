//! `PATCH /api/v1/user/profile`: changes the caller's profile.

use domain::text::PersonName;
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::control::people;

use super::Profile;
use crate::http::body::{Body, IfMatch};
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateProfile {
    #[serde(default)]
    name: Option<PersonName>,
}

pub(crate) async fn update(
    person: Person,
    expected: IfMatch,
    Body(body): Body<UpdateProfile>,
) -> Result<Versioned<Found<Profile>>> {
    let mut tx = person.begin().await?;
    let before = people::get(&mut tx, person.user()).await?;
    expected.check(before.version)?;
    let mut somebody = before.clone();
    if let Some(name) = body.name {
        somebody.name = name;
    }
    people::update(&mut tx, &somebody).await?;
    let somebody = people::get(&mut tx, person.user()).await?;
    let event = Event::new("person.updated", somebody.id).before(&before).after(&somebody);
    tenancy::login::record_everywhere(&mut tx, &somebody, person.origin(), &event).await?;
    person.commit(tx, Versioned(somebody.version, Found(somebody.into()))).await
}
