//! `GET /api/v1/webhooks/{id}/deliveries`: lists what a webhook was told, and how that went, the newest first.

use domain::WebhookId;
use domain::access::can;
use store::org::{webhook_messages, webhooks};

use super::DeliveryView;
use crate::http::body::{Path, Query};
use crate::http::caller::Caller;
use crate::http::cursor::{self, Paging};
use crate::http::error::Result;
use crate::http::reply::{Found, Page};

pub(crate) async fn list(
    caller: Caller<can::WebhooksRead>,
    Path(id): Path<WebhookId>,
    Query(query): Query<Paging>,
) -> Result<Found<Page<DeliveryView>>> {
    let limit = cursor::limit(query.limit)?;
    let mut tx = caller.read().await?;
    webhooks::get(&mut tx, id).await?;
    let bound = caller.list("webhook deliveries", &id);
    let before = bound.read(query.cursor.as_deref())?;
    let rows = webhook_messages::list(&mut tx, id, before, limit + 1).await?;
    Ok(Found(bound.page(rows, limit, |message| message.id).map(DeliveryView::from)))
}
