//! `GET /api/v1/user/profile`: shows the caller's profile, and what holds for them in the organisation they work in.

use schemars::JsonSchema;
use serde::Serialize;
use store::control::people;

use super::Profile;
use crate::auth::signup::Home;
use crate::http::caller::{Member, Person};
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};
use crate::user::connections::{self, ConnectionView};

/// The caller's own profile, where they are right now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProfileHere {
    #[serde(flatten)]
    profile: Profile,
    /// The active organisation with its plan; none for somebody who belongs to none.
    organization: Option<Home>,
    /// The services that can be connected there, and whether they are.
    connections: Vec<ConnectionView>,
}

pub(crate) async fn get(person: Person, member: Member) -> Result<Versioned<Found<ProfileHere>>> {
    let mut tx = person.store().read_control().await?;
    let somebody = people::get(&mut tx, person.user()).await?;
    drop(tx);
    let (mut organization, mut linked) = (None, Vec::new());
    if let Some(scope) = member.scope() {
        let known = member.store().profile(person.user()).await?;
        organization = known.organisations.iter().find(|one| one.id == scope.org()).map(Home::of);
        linked = connections::all(&mut member.store().open(scope).read().await?, person.user()).await?;
    }
    let version = somebody.version;
    Ok(Versioned(version, Found(ProfileHere { profile: somebody.into(), organization, connections: linked })))
}
