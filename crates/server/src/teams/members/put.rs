//! `PUT /api/v1/teams/{id}/members/{user_id}`: puts a member of the organisation into a team, or gives them another role in it.

use domain::access::can;
use domain::authoriser::Object;
use domain::{TeamId, UserId};
use serde_json::json;
use store::audit::Event;
use store::org::members::{self, Member};
use store::org::teams;

use super::TeamMemberView;
use crate::http::body::{Body, Path};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::granting::GiveRole;
use crate::http::reply::Found;

pub(crate) async fn put(
    local: Local<can::TeamsMembers>,
    Path((id, user)): Path<(TeamId, UserId)>,
    Body(body): Body<GiveRole>,
) -> Result<Found<TeamMemberView>> {
    let (caller, _) = local.team(id).await?;
    caller.may_give(body.role, Object::Team(id)).await?;
    let (mut tx, membership) = caller.begin_with_member(user).await?;
    let member = Member {
        place_id: id,
        user_id: user,
        membership_id: membership.id,
        role: body.role,
        created_at: caller.ambient().now(),
    };
    teams::get(&mut tx, id).await?;
    if !members::has(&mut tx, id, user, membership.id).await?
        && let Err(beyond) = tenancy::roles::team_within(&mut tx, caller.scope().grants(), id).await
    {
        drop(tx);
        return caller.told(Err(beyond), id).await;
    }
    // A custom role may have been deleted meanwhile.
    tenancy::roles::permissions(&mut tx, body.role).await?;
    members::put(&mut tx, &member).await?;
    let event = Event::new("team.member_set", id).after(&member).detail(json!({ "user": user, "role": body.role }));
    tx.record(event).await?;
    caller.commit(tx, Found(member.into())).await
}
