//! `PUT` and `DELETE /api/v1/collections/{id}/shares/teams/{team_id}`: shares a collection with a team and the teams below it, and ends
//! that. Repeating it changes nothing.

use domain::access::{Permission, can};
use domain::authoriser::Object;
use domain::{CollectionId, TeamId};
use store::org::knowledge::collections::{Sharer, Subject};
use store::org::teams;

use super::{share, unshare};
use crate::collections::changeable;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::{Problem, Result};
use crate::http::reply::{Done, Found};
use crate::knowledge::share::ShareView;

pub(crate) async fn put(
    local: Local<can::KnowledgeWrite>,
    Path((id, team)): Path<(CollectionId, TeamId)>,
) -> Result<Found<ShareView>> {
    let caller = local.each();
    let (mut tx, collection) = changeable(&caller, id).await?;
    teams::get(&mut tx, team).await?;
    if !caller.scope().grants().allow(Permission::TeamsRead, Object::Team(team)) {
        return Err(Problem::not_found());
    }
    share(&caller, tx, &collection, Sharer::Team(team)).await
}

pub(crate) async fn delete(
    local: Local<can::KnowledgeWrite>,
    Path((id, team)): Path<(CollectionId, TeamId)>,
) -> Result<Done> {
    let caller = local.each();
    let (tx, _) = changeable(&caller, id).await?;
    unshare(&caller, tx, id, Subject::Team(team)).await
}
