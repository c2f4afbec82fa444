//! `PATCH /api/v1/members/{user_id}`: changes a member's role, suspends or restores them.

use domain::UserId;
use domain::access::can;
use domain::role::Role;
use domain::status::Standing;
use schemars::JsonSchema;
use serde::Deserialize;
use tenancy::members::{self, Change};

use super::MemberView;
use crate::http::body::{Body, IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

/// What to change; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateMember {
    /// At most what the caller holds.
    #[serde(default)]
    role: Option<Role>,
    /// `suspended` shuts the member out at once, `active` lets them in again.
    #[serde(default)]
    standing: Option<Standing>,
}

pub(crate) async fn update(
    caller: Caller<can::MembersUpdate>,
    Path(user): Path<UserId>,
    expected: IfMatch,
    Body(body): Body<UpdateMember>,
) -> Result<Versioned<Found<MemberView>>> {
    let change = Change { role: body.role, standing: body.standing };
    let outcome =
        members::change(caller.house(), caller.scope(), user, expected.version(), change, caller.fresh()).await;
    let (tx, member) = caller.told(outcome, user).await?;
    caller.commit_control(tx, Versioned(member.version, Found(MemberView::without_activity(member)))).await
}
