//! `GET /api/v1/orgs`: lists the organisations that the person who is signed in can enter.

use domain::plan::PlanName;
use domain::role::Role;
use domain::status::OrgStatus;
use domain::text::OrgName;
use domain::{OrgId, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::control::organisations::{self, Belonging};

use crate::http::body::Query;
use crate::http::caller::Person;
use crate::http::cursor;
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListOrgs {
    /// At most so many; 50 when left out, 200 at the most.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An organisation of the caller.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OwnOrganization")]
pub(crate) struct OwnOrg {
    id: OrgId,
    name: OrgName,
    slug: String,
    plan: PlanName,
    status: OrgStatus,
    personal: bool,
    /// The caller's role in it.
    role: Role,
    /// Since when the caller belongs to it.
    joined_at: Time,
}

impl From<Belonging> for OwnOrg {
    fn from(belonging: Belonging) -> Self {
        Self {
            id: belonging.id,
            name: belonging.name,
            slug: belonging.slug,
            plan: belonging.plan,
            status: belonging.status,
            personal: belonging.personal,
            role: belonging.role,
            joined_at: belonging.joined_at,
        }
    }
}

pub(crate) async fn list(person: Person, Query(query): Query<ListOrgs>) -> Result<Found<Page<OwnOrg>>> {
    let limit = cursor::limit(query.limit)?;
    let bound = person.list("orgs");
    let after = bound.read(query.cursor.as_deref())?;
    let mut tx = person.store().read_control().await?;
    let rows = organisations::of_person(&mut tx, person.user(), after, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |organisation| organisation.id).map(OwnOrg::from)))
}
