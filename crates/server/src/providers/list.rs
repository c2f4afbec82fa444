//! `GET /api/v1/providers`: lists the providers that the caller can see, without their keys.

use domain::access::can;
use store::org::providers;

use super::ProviderView;
use super::place::{Places, is_visible};
use crate::http::body::Query;
use crate::http::caller::Local;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    local: Local<can::ProvidersRead>,
    Query(query): Query<Paging>,
) -> Result<Found<Page<ProviderView>>> {
    let caller = local.each();
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("providers", &());
    let mut after = bound.read(query.cursor.as_deref())?;
    let mut tx = caller.read().await?;
    let mut places = Places::default();
    let mut visible = Vec::new();
    // Reads on until the page is full, so that what is hidden leaves no gap to count.
    loop {
        let rows = providers::list(&mut tx, after, limit + 1).await?;
        after = rows.last().map(|provider| provider.id);
        let whole = i64::try_from(rows.len()).unwrap_or(0) > limit;
        for provider in rows {
            let place = places.of(&mut tx, &provider).await?;
            if is_visible(&caller, &provider, place) {
                visible.push(provider);
            }
        }
        if !whole || i64::try_from(visible.len()).unwrap_or(0) > limit {
            break;
        }
    }
    Ok(Found(bound.page(visible, limit, |provider| provider.id).map(ProviderView::from)))
}
