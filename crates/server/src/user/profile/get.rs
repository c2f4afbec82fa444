//! `GET /api/v1/user/profile`: shows the caller's profile.

use store::control::people;

use super::Profile;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(person: Person) -> Result<Versioned<Found<Profile>>> {
    let mut tx = person.store().read_control().await?;
    let somebody = people::get(&mut tx, person.user()).await?;
    Ok(Versioned(somebody.version, Found(somebody.into())))
}
