//! Who is in a team, with which role. What is held at a team holds at the teams below it.

pub(super) mod delete;
pub(super) mod list;
pub(super) mod put;

use domain::role::Role;
use domain::{TeamId, Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::org::members::Member;

/// Somebody in a team.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TeamMember")]
pub(crate) struct TeamMemberView {
    user_id: UserId,
    /// The role at the team and the teams below it.
    role: Role,
    /// Since when they have it.
    created_at: Time,
}

impl From<Member<TeamId>> for TeamMemberView {
    fn from(member: Member<TeamId>) -> Self {
        Self { user_id: member.user_id, role: member.role, created_at: member.created_at }
    }
}
