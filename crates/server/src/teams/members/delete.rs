//! `DELETE /api/v1/teams/{id}/members/{user_id}`: takes somebody out of a team; they stay in the organisation.

use domain::access::can;
use domain::{TeamId, UserId};
use serde_json::json;
use store::audit::Event;
use store::org::members;

use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::Done;

pub(crate) async fn delete(local: Local<can::TeamsMembers>, Path((id, user)): Path<(TeamId, UserId)>) -> Result<Done> {
    let (caller, _) = local.team(id).await?;
    let mut tx = caller.begin().await?;
    if !members::remove(&mut tx, id, user).await? {
        return Err(Problem::not_found());
    }
    tx.record(Event::new("team.member_removed", id).detail(json!({ "user": user }))).await?;
    caller.commit(tx, Done).await
}
