//! `DELETE /api/v1/projects/{id}/members/{user_id}`: takes somebody out of a project; they stay in the organisation.

use domain::access::can;
use domain::{ProjectId, UserId};
use serde_json::json;
use store::audit::Event;
use store::org::members;

use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::Done;

pub(crate) async fn delete(
    local: Local<can::ProjectsMembers>,
    Path((id, user)): Path<(ProjectId, UserId)>,
) -> Result<Done> {
    let (caller, _) = local.project(id).await?;
    let mut tx = caller.begin().await?;
    if !members::remove(&mut tx, id, user).await? {
        return Err(Problem::not_found());
    }
    tx.record(Event::new("project.member_removed", id).detail(json!({ "user": user }))).await?;
    caller.commit(tx, Done).await
}
