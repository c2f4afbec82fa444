//! `GET /api/v1/auth/api-keys`: lists API keys, the newest first: the own ones, and those that the caller manages.

use domain::access::{Permission, can};
use store::control::api_keys;

use super::ApiKeyView;
use super::place::{Places, within_reach};
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    local: Local<can::KeysCreate>,
    Query(paging): Query<Paging>,
) -> Result<Found<Page<ApiKeyView>>> {
    let caller = local.each();
    let grants = caller.scope().grants();
    let manages = grants.allow_anywhere(Permission::KeysManage);
    if !manages && !grants.allow_anywhere(Permission::KeysCreate) {
        return Err(caller.deny(Permission::KeysCreate, "organisation").await);
    }
    let maker = (!manages).then(|| caller.user());
    let limit = cursor::limit(paging.limit)?;
    let bound = caller.list("api keys", &());
    let mut before = bound.read(paging.cursor.as_deref())?;
    let (mut places, mut reached) = (Places::default(), Vec::new());
    // Reads on until the page is full, so that what is hidden leaves no gap to count.
    loop {
        let mut tx = caller.store().read_control().await?;
        let rows = api_keys::list(&mut tx, caller.org(), maker, before, limit + 1).await?;
        drop(tx);
        before = rows.last().map(|key| key.id);
        let whole = i64::try_from(rows.len()).unwrap_or(0) > limit;
        for key in rows {
            let place = places.of(&caller, &key).await?;
            if within_reach(&caller, &key, place) {
                reached.push(key);
            }
        }
        if !whole || i64::try_from(reached.len()).unwrap_or(0) > limit {
            break;
        }
    }
    Ok(Found(bound.page(reached, limit, |key| key.id).map(ApiKeyView::from)))
}
