//! `PUT` and `DELETE /api/v1/threads/{id}/shares/teams/{team_id}`: shares a conversation with a team and the teams below it, and ends
//! that. Repeating it changes nothing.

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::{TeamId, ThreadId};
use store::org::knowledge::collections::{Sharer, Subject};
use store::org::teams;

use super::{share, unshare};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Done, Found};
use crate::knowledge::share::ShareView;
use crate::threads::own;

pub(crate) async fn put(
    local: Local<can::AnswersUse>,
    Path((id, team)): Path<(ThreadId, TeamId)>,
) -> Result<Found<ShareView>> {
    let caller = local.each();
    let (mut tx, thread, place) = own(&caller, id).await?;
    place.require_changeable()?;
    teams::get(&mut tx, team).await?;
    if !caller.scope().grants().allow(Permission::TeamsRead, Object::Team(team)) {
        return Err(Problem::not_found());
    }
    share(&caller, tx, &thread, Sharer::Team(team)).await
}

pub(crate) async fn delete(local: Local<can::AnswersUse>, Path((id, team)): Path<(ThreadId, TeamId)>) -> Result<Done> {
    let caller = local.each();
    let (tx, ..) = own(&caller, id).await?;
    unshare(&caller, tx, id, Subject::Team(team)).await
}
