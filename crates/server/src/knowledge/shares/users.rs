//! `PUT` and `DELETE /api/v1/collections/{id}/shares/users/{user_id}`, and the same of conversations: shares something with a member of
//! the organisation, and ends that. Repeating it changes nothing.

use domain::UserId;
use store::org::knowledge::shares::{Sharer, Subject};

use super::{ShareView, Shareable, share, unshare};
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Done, Found};

pub(crate) async fn put<S: Shareable>(
    local: Local<S::Can>,
    Path((id, user)): Path<(S, UserId)>,
) -> Result<Found<ShareView>> {
    let caller = local.each();
    // Who may not share it learns nothing of the person either.
    id.look(&caller, caller.read().await?).await?;
    let (tx, membership) = caller.begin_with_member(user).await?;
    let (tx, access) = id.widen(&caller, tx).await?;
    share(&caller, tx, id, access, Sharer::User(user, membership.id)).await
}

pub(crate) async fn delete<S: Shareable>(local: Local<S::Can>, Path((id, user)): Path<(S, UserId)>) -> Result<Done> {
    unshare(&local.each(), id, Subject::User(user)).await
}
