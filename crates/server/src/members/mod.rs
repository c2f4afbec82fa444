//! Members: who belongs to an organisation, and with which role there.

mod get;
mod list;
mod remove;
mod update;

use domain::email::Email;
use domain::role::Role;
use domain::status::Standing;
use domain::text::PersonName;
use domain::{Time, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::control::memberships::Member;

use crate::routes::Routes;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/members", "Lists the members.", list::list)
        .get("/api/v1/members/{user_id}", "Shows a member, with their teams, projects and rights.", get::get)
        .patch("/api/v1/members/{user_id}", "Changes a member's role, suspends or restores them.", update::update)
        .delete("/api/v1/members/{user_id}", "Removes a member; their sessions and keys here end.", remove::remove)
}

/// A member.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Member")]
pub(crate) struct MemberView {
    user_id: UserId,
    name: PersonName,
    email: Email,
    /// The role at the organisation.
    role: Role,
    standing: Standing,
    joined_at: Time,
    /// When they last did something here, to the minute; for those who may see the members' activity, on plans that include it.
    last_seen_at: Option<Time>,
}

impl MemberView {
    /// As those see it who may see the members' activity.
    pub(crate) fn with_activity(member: Member) -> Self {
        let last_seen_at = member.seen_at;
        Self { last_seen_at, ..Self::without_activity(member) }
    }

    /// As all others see it.
    pub(crate) fn without_activity(member: Member) -> Self {
        Self {
            user_id: member.user_id,
            name: member.name,
            email: member.email,
            role: member.role,
            standing: member.standing,
            joined_at: member.created_at,
            last_seen_at: None,
        }
    }
}
