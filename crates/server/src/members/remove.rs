//! `DELETE /api/v1/members/{user_id}`: removes a member. Their sessions, tokens and keys of the organisation end with it.

use domain::UserId;
use domain::access::can;
use tenancy::members;

use crate::http::body::{IfMatch, Path};
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn remove(
    caller: Caller<can::MembersRemove>,
    Path(user): Path<UserId>,
    expected: IfMatch,
) -> Result<Done> {
    let outcome = members::remove(caller.house(), caller.scope(), user, expected.version(), caller.fresh()).await;
    let tx = caller.told(outcome, user).await?;
    let reply = caller.commit_control(tx, Done).await?;
    caller.house().settle(caller.org()).await;
    Ok(reply)
}
