//! `DELETE /api/v1/auth/api-keys/{id}`: revokes an API key, at once. Repeating it changes nothing.

use domain::ApiKeyId;
use domain::access::can;
use store::audit::Event;
use store::control::api_keys;

use super::place::reach;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::Done;

pub(crate) async fn revoke(local: Local<can::KeysCreate>, Path(id): Path<ApiKeyId>) -> Result<Done> {
    let caller = local.each();
    reach(&caller, id).await?;
    let mut tx = caller.begin_control().await?;
    let key = api_keys::get(&mut tx, caller.org(), id).await?;
    let now = caller.ambient().now();
    if key.revoked_at.is_some_and(|at| at <= now) {
        return Ok(Done);
    }
    api_keys::revoke(&mut tx, caller.org(), id, now, None).await?;
    caller.record(&mut tx, Event::new("api_key.revoked", id).before(&key)).await?;
    caller.commit_control(tx, Done).await
}
