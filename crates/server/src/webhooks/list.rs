//! `GET /api/v1/webhooks`: lists webhooks, without their secrets.

use domain::access::can;
use store::org::webhooks;

use super::WebhookView;
use crate::http::body::Query;
use crate::http::caller::Caller;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    caller: Caller<can::WebhooksRead>,
    Query(query): Query<Paging>,
) -> Result<Found<Page<WebhookView>>> {
    let limit = cursor::limit(query.limit)?;
    let bound = caller.list("webhooks", &());
    let after = bound.read(query.cursor.as_deref())?;
    let rows = webhooks::list(&mut caller.read().await?, after, limit + 1).await?;
    let now = caller.ambient().now();
    Ok(Found(bound.page(rows, limit, |webhook| webhook.id).map(|webhook| WebhookView::of(webhook, now))))
}
