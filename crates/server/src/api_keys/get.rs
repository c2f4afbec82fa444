//! `GET /api/v1/auth/api-keys/{id}`: shows an API key, without the key itself.

use domain::ApiKeyId;
use domain::access::can;

use super::ApiKeyView;
use super::place::reach;
use crate::http::body::Path;
use crate::http::caller::Local;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    local: Local<can::KeysCreate>,
    Path(id): Path<ApiKeyId>,
) -> Result<Versioned<Found<ApiKeyView>>> {
    let (key, _) = reach(&local.each(), id).await?;
    Ok(Versioned(key.version, Found(key.into())))
}
