//! `GET /api/v1/auth/me`: who is calling, where, and what they may do.

use domain::access::PermissionSet;
use domain::authoriser::{Grants, Object};
use domain::role::Role;
use domain::status::OrgStatus;
use domain::text::OrgName;
use domain::{OrgId, ProjectId, TeamId, plan::PlanName};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::organisations::Belonging;

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
    /// Single teams and projects of the active organisation at which they may do more than that.
    more: More,
}

/// What the caller may do at single places beyond what they may do everywhere in the organisation; places where that is nothing are
/// left out.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct More {
    teams: Vec<AtTeam>,
    projects: Vec<AtProject>,
}

/// A team at which the caller may do more.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AtTeam {
    id: TeamId,
    permissions: PermissionSet,
}

/// A project at which the caller may do more.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AtProject {
    id: ProjectId,
    permissions: PermissionSet,
}

impl More {
    fn of(grants: &Grants) -> Self {
        Self {
            teams: grants.more_at_teams().map(|(id, permissions)| AtTeam { id, permissions }).collect(),
            projects: grants.more_at_projects().map(|(id, permissions)| AtProject { id, permissions }).collect(),
        }
    }
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

impl From<&Belonging> for Belongs {
    fn from(b: &Belonging) -> Self {
        Self {
            id: b.id,
            name: b.name.clone(),
            slug: b.slug.clone(),
            plan: b.plan.clone(),
            status: b.status,
            personal: b.personal,
            role: b.role,
        }
    }
}

pub(crate) async fn me(member: Member) -> Result<Found<Me>> {
    let profile = member.store().profile(member.user()).await?;
    let only = member.only_org();
    let reachable = || profile.organisations.iter().filter(|o| only.is_none_or(|only| o.id == only));
    let scope = member.scope();
    let active = scope.and_then(|scope| reachable().find(|o| o.id == scope.org()));
    let organization = active.map(Home::of);
    Ok(Found(Me {
        user: User { id: profile.id, email: profile.email.clone(), name: profile.name.clone() },
        organization,
        organizations: reachable().map(Into::into).collect(),
        role: scope.map(|scope| scope.grants().role),
        permissions: scope.map(|scope| scope.grants().at(Object::Organisation)).unwrap_or_default(),
        more: scope.map(|scope| More::of(scope.grants())).unwrap_or_default(),
    }))
}
