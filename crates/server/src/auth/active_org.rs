//! `PUT /api/v1/auth/active-org`: makes another of the caller's organisations the active one of this session.

use domain::OrgId;
use schemars::JsonSchema;
use serde::Deserialize;
use store::audit::Event;
use store::control::{organisations, sessions};

use super::signup::Home;
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::Found;

/// The organisation to work in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectOrg {
    org_id: OrgId,
}

pub(crate) async fn select(person: Person, Body(body): Body<SelectOrg>) -> Result<Found<Home>> {
    let scope = person.enter(body.org_id).await?;
    let session = person.session().id;
    let mut tx = person.begin().await?;
    let organisation = organisations::get(&mut tx, scope.org()).await?;
    sessions::select_org(&mut tx, session, scope.org()).await?;
    tx.record(scope.org(), scope.actor(), person.origin(), Event::new("session.entered", session)).await?;
    person.commit(tx, Found(organisation.into())).await
}
