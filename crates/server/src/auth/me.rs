//! `GET /api/v1/auth/me`: who is calling, where, and what they may do.

use domain::access::PermissionSet;
use domain::authoriser::Object;
use domain::role::Role;
use domain::status::OrgStatus;
use domain::text::OrgName;
use domain::{OrgId, plan::PlanName};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::organisations::{self, Belonging};
use store::control::people;

use super::signup::{Home, User};
use crate::http::caller::Member;
use crate::http::error::Result;
use crate::http::reply::Found;

/// Who is calling.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Me {
    user: User,
    /// The active organisation; none for somebody who belongs to none.
    organization: Option<Home>,
    /// All organisations of the person; of an API key, its own.
    organizations: Vec<Belongs>,
    /// The role at the active organisation.
    role: Option<Role>,
    /// What the caller may do at the active organisation.
    permissions: PermissionSet,
}

/// An organisation that the caller can enter.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Belongs {
    id: OrgId,
    name: OrgName,
    slug: String,
    plan: PlanName,
    status: OrgStatus,
    personal: bool,
    role: Role,
}

impl From<Belonging> for Belongs {
    fn from(b: Belonging) -> Self {
        Self {
            id: b.id,
            name: b.name,
            slug: b.slug,
            plan: b.plan,
            status: b.status,
            personal: b.personal,
            role: b.role,
        }
    }
}

pub(crate) async fn me(member: Member) -> Result<Found<Me>> {
    let mut tx = member.store().read_control().await?;
    let person = people::get(&mut tx, member.user()).await?;
    let mut organizations = organisations::of_person(&mut tx, person.id, None, 100).await?;
    if let Some(only) = member.only_org() {
        organizations.retain(|organisation| organisation.id == only);
    }
    let scope = member.scope();
    let active = organizations.iter().find(|organisation| scope.is_some_and(|scope| scope.org() == organisation.id));
    let organization =
        active.map(|o| Home { id: o.id, name: o.name.clone(), slug: o.slug.clone(), plan: o.plan.clone() });
    Ok(Found(Me {
        user: person.into(),
        organization,
        role: scope.map(|scope| scope.grants().role),
        permissions: scope.map(|scope| scope.grants().at(Object::Organisation)).unwrap_or_default(),
        organizations: organizations.into_iter().map(Into::into).collect(),
    }))
}
