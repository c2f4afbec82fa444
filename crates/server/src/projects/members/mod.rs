//! Who was put into a project, with which role. Those who reach it through a team or through the organisation are not listed here.

pub(super) mod delete;
pub(super) mod list;
pub(super) mod put;

use domain::role::Role;
use domain::{ProjectId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::members::Member;

/// Somebody in a project.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProjectMember")]
pub(crate) struct ProjectMemberView {
    user_id: UserId,
    /// The role in the project.
    role: Role,
    /// Since when they have it.
    created_at: Time,
}

impl From<Member<ProjectId>> for ProjectMemberView {
    fn from(member: Member<ProjectId>) -> Self {
        Self { user_id: member.user_id, role: member.role, created_at: member.created_at }
    }
}
