//! `PUT` and `DELETE /api/v1/collections/{id}/shares/teams/{team_id}`, and the same of conversations: shares something with a team and
//! the teams below it, and ends that. Repeating it changes nothing.

use domain::TeamId;
use domain::access::Permission;
use domain::authoriser::Object;
use store::org::knowledge::shares::{Sharer, Subject};
use store::org::teams;

use super::{ShareView, Shareable, share, unshare};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Done, Found};

pub(crate) async fn put<S: Shareable>(
    local: Local<S::Can>,
    Path((id, team)): Path<(S, TeamId)>,
) -> Result<Found<ShareView>> {
    let caller = local.each();
    let (mut tx, access) = id.widen(&caller, caller.begin().await?).await?;
    teams::get(&mut tx, team).await?;
    if !caller.scope().grants().allow(Permission::TeamsRead, Object::Team(team)) {
        return Err(Problem::not_found());
    }
    share(&caller, tx, id, access, Sharer::Team(team)).await
}

pub(crate) async fn delete<S: Shareable>(local: Local<S::Can>, Path((id, team)): Path<(S, TeamId)>) -> Result<Done> {
    unshare(&local.each(), id, Subject::Team(team)).await
}
