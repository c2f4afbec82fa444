//! `DELETE /api/v1/invitations/{id}`: revokes an invitation; its link is void.

use domain::InvitationId;
use domain::access::can;
use tenancy::invitations;

use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn revoke(caller: Caller<can::InvitationsRevoke>, Path(id): Path<InvitationId>) -> Result<Done> {
    let tx = invitations::revoke(caller.house(), caller.scope(), id).await?;
    caller.commit_control(tx, Done).await
}
