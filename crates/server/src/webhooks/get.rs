//! `GET /api/v1/webhooks/{id}`: shows a webhook, without its secret.

use domain::WebhookId;
use domain::access::can;
use store::org::webhooks;

use super::WebhookView;
use crate::http::body::Path;
use crate::http::caller::Caller;
use crate::http::error::Result;
use crate::http::reply::{Found, Versioned};

pub(crate) async fn get(
    caller: Caller<can::WebhooksRead>,
    Path(id): Path<WebhookId>,
) -> Result<Versioned<Found<WebhookView>>> {
    let webhook = webhooks::get(&mut caller.read().await?, id).await?;
    Ok(Versioned(webhook.version, Found(WebhookView::of(webhook, caller.ambient().now()))))
}
