//! `GET` and `POST /api/v1/mail-domains/join`: the organisation that a person may join by their verified mail address.

use domain::OrgId;
use domain::role::Role;
use domain::text::OrgName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenancy::mail_domains;

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};
use crate::invitations::Joined;

/// An organisation that can be joined.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Joinable {
    org_id: OrgId,
    name: OrgName,
    /// The role that joining gives.
    role: Role,
}

/// A domain is one organisation's, so there is at most one.
pub(crate) async fn offered(person: Person) -> Result<Found<Page<Joinable>>> {
    let open = mail_domains::open_to(person.house(), person.user()).await?;
    let data = open.map(|(organisation, role)| Joinable { org_id: organisation.id, name: organisation.name, role });
    Ok(Found(Page { data: data.into_iter().collect(), next_cursor: None }))
}

/// Which organisation; what is given was settled by its owner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinOrg {
    org_id: OrgId,
}

/// 404 for every organisation that is not open to the person, existing or not.
pub(crate) async fn join(person: Person, Body(body): Body<JoinOrg>) -> Result<Found<Joined>> {
    let (tx, joined) = mail_domains::join(person.house(), person.user(), body.org_id, person.origin()).await?;
    let reply = person.commit(tx, Found(joined.into())).await?;
    // The teams, before the answer.
    person.house().settle(body.org_id).await;
    Ok(reply)
}
