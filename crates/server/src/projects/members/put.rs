//! `PUT /api/v1/projects/{id}/members/{user_id}`: puts a member of the organisation into a project, or gives them another role in it.

use domain::access::can;
use domain::authoriser::Object;
use domain::{ProjectId, UserId};
use serde_json::json;
use store::audit::Event;
use store::org::members::{self, Member};
use store::org::projects;

use super::ProjectMemberView;
use crate::http::body::{Body, Path};
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::granting::GiveRole;
use crate::http::reply::Found;

pub(crate) async fn put(
    local: Local<can::ProjectsMembers>,
    Path((id, user)): Path<(ProjectId, UserId)>,
    Body(body): Body<GiveRole>,
) -> Result<Found<ProjectMemberView>> {
    let (caller, project) = local.project(id).await?;
    caller.may_give(body.role, Object::Project { id, open: project.open }).await?;
    let (mut tx, membership) = caller.begin_with_member(user).await?;
    let member = Member {
        place_id: id,
        user_id: user,
        membership_id: membership.id,
        role: body.role,
        created_at: caller.ambient().now(),
    };
    projects::get(&mut tx, id).await?;
    // A custom role may have been deleted meanwhile.
    tenancy::roles::permissions(&mut tx, body.role).await?;
    members::put(&mut tx, &member).await?;
    let event = Event::new("project.member_set", id).after(&member).detail(json!({ "user": user, "role": body.role }));
    tx.record(event).await?;
    caller.commit(tx, Found(member.into())).await
}
