//! `PUT` and `DELETE /api/v1/threads/{id}/shares/users/{user_id}`: shares a conversation with a member of the organisation, and ends
//! that. Repeating it changes nothing.

use domain::access::can;
use domain::{ThreadId, UserId};
use store::org::knowledge::collections::{Sharer, Subject};

use super::{share, unshare};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Done, Found};
use crate::knowledge::share::ShareView;
use crate::threads::{own, own_in};

pub(crate) async fn put(
    local: Local<can::AnswersUse>,
    Path((id, user)): Path<(ThreadId, UserId)>,
) -> Result<Found<ShareView>> {
    let caller = local.each();
    // Whose conversation it is not learns nothing of the person either.
    own_in(&caller, caller.read().await?, id).await?;
    let (tx, membership) = caller.begin_with_member(user).await?;
    let (tx, thread, place) = own_in(&caller, tx, id).await?;
    place.require_changeable()?;
    share(&caller, tx, &thread, Sharer::User(user, membership.id)).await
}

pub(crate) async fn delete(local: Local<can::AnswersUse>, Path((id, user)): Path<(ThreadId, UserId)>) -> Result<Done> {
    let caller = local.each();
    let (tx, ..) = own(&caller, id).await?;
    unshare(&caller, tx, id, Subject::User(user)).await
}
