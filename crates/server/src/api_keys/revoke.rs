//! `DELETE /api/v1/auth/api-keys/{id}`: revokes an API key and those it made, at once. Repeating it changes nothing.

use domain::ApiKeyId;
use domain::access::can;
use tenancy::keys;

use super::place::reach;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn revoke(local: Local<can::KeysCreate>, Path(id): Path<ApiKeyId>) -> Result<Done> {
    let caller = local.each();
    reach(&caller, id).await?;
    match keys::revoke(caller.house(), caller.scope(), id).await? {
        Some(tx) => caller.commit_control(tx, Done).await,
        None => Ok(Done),
    }
}
