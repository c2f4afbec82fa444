//! `PUT` and `DELETE /api/v1/collections/{id}/shares/users/{user_id}`: shares a collection with a member of the organisation, and ends
//! that. Repeating it changes nothing.

use domain::access::{Permission, can};
use domain::{CollectionId, UserId};
use store::org::knowledge::collections::{Sharer, Subject};

use super::{share, unshare};
use crate::collections::{changeable, changeable_in};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Done, Found};
use crate::knowledge::share::ShareView;
use crate::knowledge::sight;

pub(crate) async fn put(
    local: Local<can::KnowledgeWrite>,
    Path((id, user)): Path<(CollectionId, UserId)>,
) -> Result<Found<ShareView>> {
    let caller = local.each();
    // Who does not see the collection learns nothing of the person either.
    sight::find(&mut caller.read().await?, caller.scope(), Permission::KnowledgeRead, id).await?;
    let (tx, membership) = caller.begin_with_member(user).await?;
    let (tx, collection) = changeable_in(&caller, tx, id).await?;
    share(&caller, tx, &collection, Sharer::User(user, membership.id)).await
}

pub(crate) async fn delete(
    local: Local<can::KnowledgeWrite>,
    Path((id, user)): Path<(CollectionId, UserId)>,
) -> Result<Done> {
    let caller = local.each();
    let (tx, _) = changeable(&caller, id).await?;
    unshare(&caller, tx, id, Subject::User(user)).await
}
