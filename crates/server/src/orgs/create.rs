//! `POST /api/v1/orgs`: makes a further organisation, which the caller owns.

use domain::status::OrgStatus;
use domain::text::OrgName;
use schemars::JsonSchema;
use serde::Deserialize;
use store::control::organisations::Organisation;
use tenancy::orgs;

use super::OrgView;
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::{Created, Versioned};

/// An organisation to make.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOrg {
    name: OrgName,
}

/// The answer is stored with the organisation's first rows, before its store is made: a repetition makes no second one.
pub(crate) async fn create(person: Person, Body(body): Body<CreateOrg>) -> Result<Versioned<Created<OrgView>>> {
    let mut tx = person.begin().await?;
    orgs::require_room(person.house(), &mut tx, person.user()).await?;
    let made = orgs::insert(person.house(), &mut tx, person.user(), body.name, false, person.origin()).await?;
    let made = Organisation { status: OrgStatus::Active, ..made };
    let id = made.id;
    let reply = person.commit(tx, Versioned(made.version, Created(made.into()))).await?;
    orgs::finish(person.house(), id).await?;
    Ok(reply)
}
